import Graph
import Quantization
import Tensors
import Testing

@Suite struct RecipeTests {
  static let full = """
    lathe: 1
    name: int8 with a float stem
    defaults: {mode: static, weights: {bits: 8, symmetric: true, granularity: channel, method: nearest}, activations: {bits: 8, symmetric: false, observer: mse}}
    inputs: {bits: 8}
    rules:
      - {match: {name: "/conv1/*"}, mode: float}
      - {match: {operator: Gemm}, mode: weight-only, weights: {bits: 4, granularity: {group: 32}}}
      - {match: {name: "regex:/layer3/.*"}, activations: {observer: {percentile: 99.99}}}
      - {match: {name: [stem, "a\\\\*b"], operator: [Conv, MatMul]}, mode: dynamic, activations: {bits: 7, reduced-range: true, dynamic: tensor}}
    calibration: {samples: 256, seed: 1}
    corrections: [fold-batch-norm]
    training: {epochs: 4, learning-rate: 0.0001, batch: 64, optimizer: adam, scales: lsq, distill: {temperature: 2.0, weight: 0.5}}

    """

  @Test func textIsKept() throws {
    let recipe = try Recipe(yaml: Self.full, file: "r.yaml")
    #expect(recipe.yaml == Self.full)
    #expect(try Recipe(yaml: recipe.yaml, file: "r.yaml") == recipe)
    #expect(recipe.rules[1].change.weights.bits == 4)
    #expect(recipe.rules[1].change.weights.granularity == .group(32))
    #expect(recipe.rules[2].change.activations.observer == .percentile(99.99))
    #expect(recipe.rules[3].match.names == ["stem", "a\\*b"])
    #expect(recipe.rules[3].place.line == 9)
    #expect(recipe.inputs.bits == 8)
    #expect(recipe.training == TrainingRecipeTests.designExample)
  }

  @Test(arguments: Presets.all) func presetsRoundTrip(_ preset: Preset) throws {
    let again = try Recipe(yaml: preset.recipe.yaml, file: "preset")
    #expect(again == preset.recipe)
    #expect(again.hashValue == preset.recipe.hashValue)
    #expect(Presets[preset.name] == preset)
  }

  @Test(arguments: [
    "plain", "two words", "true", "123", "", " lead", "trail ", "a: b", "#x", "quote\"d", "back\\slash",
    "line\nbreak",
    "tab\t", "ünï", "{x}", "- a", "null", "\u{1}", "\u{2028}", "~", "@x", "%y", "*",
  ])
  func namesRoundTrip(_ name: String) throws {
    var recipe = Recipe(name: name)
    recipe.rules = [Rule(match: Match(names: ["x" + name]), change: SettingsChange(mode: .float))]
    let again = try Recipe(yaml: recipe.yaml, file: "r")
    #expect(again.name == name)
    #expect(again == recipe)
  }

  @Test(arguments: WeightSettings.Scale.all + [.percentile(98.5)], Quantization.Method.allCases)
  func scalesAndMethodsRoundTrip(_ scale: WeightSettings.Scale, _ method: Quantization.Method) throws {
    var recipe = Recipe(name: "x")
    recipe.defaults.weights.scale = scale
    var change = SettingsChange()
    change.weights.scale = scale
    change.weights.method = method
    recipe.rules = [Rule(match: Match(names: ["a"]), change: change)]
    recipe.corrections = Correction.allCases
    let again = try Recipe(yaml: recipe.yaml, file: "r")
    #expect(again == recipe)
    #expect(again.defaults.weights.scale == scale && again.rules[0].change.weights.method == method)
  }

  @Test func shortFormsAreRead() throws {
    let recipe = try Recipe(
      yaml: "lathe: 1\nname: x\ncalibration: synthetic\ndefaults:\n  mode: dynamic\n", file: "r")
    #expect(recipe.calibration.source == .synthetic)
    #expect(recipe.defaults.mode == .dynamic)
    #expect(recipe.corrections == [.foldBatchNorm])
    #expect(recipe.defaults.weights == WeightSettings())
  }

  @Test(arguments: [
    ("name: x", "r.yaml:1:1: not a recipe: the key `lathe: 1` is missing."),
    ("lathe: 2", "r.yaml:1:8: lathe is 2, expected 1, the format this version reads."),
    (
      "lathe: 1\nnames: x",
      "r.yaml:2:1: unknown key \"names\" in the recipe, expected lathe, name, defaults, inputs, rules, calibration, corrections, smoothing, training, choose."
    ),
    (
      "lathe: 1\ndefaults: {weights: {bits: 9}}", "r.yaml:2:28: defaults.weights.bits is 9, expected 2 to 8."
    ),
    (
      "lathe: 1\ndefaults: {activations: {bits: 12}}",
      "r.yaml:2:32: defaults.activations.bits is 12, expected 2 to 8 or 16."
    ),
    (
      "lathe: 1\nrules:\n  - {match: {name: a}, mode: int8}",
      "r.yaml:3:30: a rule.mode is int8, expected float, static, dynamic, weight-only, qat."
    ),
    (
      "lathe: 1\nrules:\n  - {match: {name: a}, weights: {method: ternary}}",
      "r.yaml:3:42: weights.method is ternary, expected nearest, adaround, gptq, hqq, imatrix."
    ),
    (
      "lathe: 1\ndefaults: {weights: {scale: kl}}",
      "r.yaml:2:29: defaults.weights.scale is kl, expected max, mse, span, entropy, percentile, percentile-sweep, output-mse."
    ),
    (
      "lathe: 1\ndefaults: {weights: {scale: {percentile: 20}}}",
      "r.yaml:2:42: defaults.weights.scale.percentile is 20, expected a share over 50 up to 100, in percent."
    ),
    (
      "lathe: 1\ndefaults: {weights: {scale: {}}}",
      "r.yaml:2:29: defaults.weights.scale needs percentile."
    ),
    (
      "lathe: 1\nrules:\n  - {match: {name: a}, weights: {format: Q9_X}}",
      "r.yaml:3:42: weights.format is Q9_X, expected \((BlockFormats.all.map(\.name) + ["none"]).joined(separator: ", "))."
    ),
    (
      "lathe: 1\nsmoothing: 2",
      "r.yaml:2:12: smoothing is 2, expected 0…1."
    ),
    (
      "lathe: 1\nrules:\n  - {match: {}, mode: float}",
      "r.yaml:3:13: match is empty, expected name, role or operator."
    ),
    (
      "lathe: 1\nrules:\n  - {mode: float}",
      "r.yaml:3:5: a rule has no `match`, expected {name: …}, {role: …} or {operator: …}."
    ),
    (
      "lathe: 1\nrules:\n  - {match: {name: a}}",
      "r.yaml:3:5: a rule changes nothing, expected mode, weights or activations."
    ),
    (
      "lathe: 1\ndefaults: {weights: {granularity: row}}",
      "r.yaml:2:35: defaults.weights.granularity is row, expected tensor, channel or {group: n}."
    ),
    (
      "lathe: 1\ndefaults: {weights: {granularity: {group: 0}}}",
      "r.yaml:2:43: defaults.weights.granularity.group is 0, expected 1 or more."
    ),
    (
      "lathe: 1\ndefaults: {activations: {observer: {percentile: 40}}}",
      "r.yaml:2:49: defaults.activations.observer.percentile is 40, expected a share over 50 up to 100, in percent."
    ),
    (
      "lathe: 1\ndefaults: {activations: {observer: kl}}",
      "r.yaml:2:36: defaults.activations.observer is kl, expected min-max, moving-average, percentile, entropy, mse, histogram-l2."
    ),
    ("lathe: 1\nrules: {}", "r.yaml:2:8: rules is a mapping, expected a list."),
    (
      "lathe: 1\ncalibration: {samples: many}",
      "r.yaml:2:24: calibration.samples is many, expected 1 or more."
    ),
  ])
  func errorsNameThePlace(_ yaml: String, _ message: String) throws {
    let error = #expect(throws: RecipeError.self) { try Recipe(yaml: yaml, file: "r.yaml") }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    "lathe: 1\nname: [", "lathe: 1\nlathe: 1", "",
    "lathe: 1\nrules:\n  - {match: {name: \"regex:(\"}, mode: float}",
  ])
  func brokenTextIsAnError(_ yaml: String) {
    #expect(throws: RecipeError.self) { try Recipe(yaml: yaml, file: "r.yaml") }
  }

  @Test(arguments: [
    ("a*", "abc", true), ("a*", "ba", false), ("*c", "a/b/c", true), ("*b*", "a/b/c", true),
    ("a?c", "abc", true),
    ("a?c", "ac", false), ("\\*", "*", true), ("\\*", "a", false), ("*", "", true),
    ("a*b*c", "aXbYbZc", true),
    ("a*b*c", "aXcYb", false), ("regex:l[0-9]+", "l12", true), ("regex:l[0-9]+", "xl12", false),
    ("\\regex:x", "regex:x", true), ("**a", "bba", true), ("[a]", "[a]", true),
  ])
  func patternsMatchWholeNames(_ pattern: String, _ name: String, _ expected: Bool) {
    var recipe = Recipe(name: "x")
    recipe.rules = [Rule(match: Match(names: [pattern]), change: SettingsChange(mode: .float))]
    let mode = recipe.settings(for: LayerIdentity(name: name, operatorName: "Conv")).settings.mode
    #expect((mode == .float) == expected)
  }

  @Test func laterRulesWinAndEveryKeyMustHold() {
    var recipe = Recipe(name: "x")
    recipe.rules = [
      Rule(match: Match(names: ["a*"]), change: SettingsChange(mode: .float)),
      Rule(match: Match(names: ["a1"], operators: ["Gemm"]), change: SettingsChange(mode: .dynamic)),
      Rule(match: Match(operators: ["Conv"]), change: SettingsChange(weightBits: 4)),
    ]
    let conv = recipe.settings(for: LayerIdentity(name: "a1", operatorName: "Conv"))
    #expect(conv.settings.mode == .float && conv.settings.weights.bits == 4 && conv.rule == 2)
    let gemm = recipe.settings(for: LayerIdentity(name: "a1", operatorName: "Gemm"))
    #expect(gemm.settings.mode == .dynamic && gemm.settings.weights.bits == 8 && gemm.rule == 1)
    #expect(recipe.settings(for: LayerIdentity(name: "b", operatorName: "Add")).rule == nil)
  }
}

@Suite struct RoleTests {
  @Test(arguments: [
    ("blocks/0/attention/q", "attention.q"), ("blocks/12/feed-forward/down", "feed-forward.down"),
    ("blocks/3/attention-norm", "attention-norm"), ("embedding", "embedding"), ("output", "output"),
    ("blocks/x/attention", "blocks.x.attention"), ("blocks/0", "blocks.0"), ("/conv1/Conv", "conv1.Conv"),
  ])
  func theRoleIsTheSameInEveryBlock(_ name: String, _ role: String) {
    #expect(LayerIdentity(name: name, operatorName: "Gemm").role == role)
  }

  @Test func rulesMatchRolesInEveryBlockAndKeepThem() throws {
    let text = """
      lathe: 1
      name: mixed
      rules:
        - {match: {role: [attention.?, "regex:feed-forward\\\\.(up|gate)"]}, weights: {bits: 4}}
        - {match: {name: "blocks/1/*", role: attention.v, operator: Gemm}, mode: float}

      """
    let recipe = try Recipe(yaml: text, file: "r.yaml")
    #expect(recipe.rules[0].match.roles == ["attention.?", "regex:feed-forward\\.(up|gate)"])
    #expect(try Recipe(yaml: recipe.yaml, file: "r.yaml") == recipe)
    func rule(_ name: String) -> Int? {
      recipe.settings(for: LayerIdentity(name: name, operatorName: "Gemm")).rule
    }
    #expect(rule("blocks/0/attention/v") == 0 && rule("blocks/1/attention/v") == 1)
    #expect(rule("blocks/7/feed-forward/gate") == 0 && rule("blocks/7/feed-forward/down") == nil)
    #expect(rule("blocks/0/attention/output") == nil && rule("embedding") == nil)
  }

  /// A rule for a role says something of layers to come, and is not taken apart when one of them is edited.
  @Test func editingALayerLeavesRulesForRolesAlone() {
    var recipe = Recipe(name: "x")
    recipe.rules = [Rule(match: Match(roles: ["attention.*"]), change: SettingsChange(weightBits: 4))]
    recipe.set(
      SettingsChange(weightBits: 6), for: [LayerIdentity(name: "blocks/0/attention/q", operatorName: "Gemm")])
    #expect(
      recipe.rules.map(\.text) == [
        "{match: {role: \"attention.*\"}, weights: {bits: 4}}",
        "{match: {name: blocks/0/attention/q}, weights: {bits: 6}}",
      ])
  }
}

@Suite struct EditingTests {
  let a = LayerIdentity(name: "a", operatorName: "Conv")
  let b = LayerIdentity(name: "b", operatorName: "Conv")
  let star = LayerIdentity(name: "s*", operatorName: "Gemm")

  @Test func layersWithTheSameDifferenceShareOneRule() {
    var recipe = Recipe(name: "x")
    recipe.set(SettingsChange(mode: .float), for: [a, b])
    #expect(recipe.rules.map(\.text) == ["{match: {name: [a, b]}, mode: float}"])
    recipe.set(SettingsChange(weightBits: 4), for: [b])
    #expect(
      recipe.rules.map(\.text) == [
        "{match: {name: a}, mode: float}", "{match: {name: b}, mode: float, weights: {bits: 4}}",
      ])
  }

  @Test func settingBackRemovesTheRule() {
    var recipe = Recipe(name: "x")
    let before = recipe
    recipe.set(SettingsChange(weightBits: 4), for: [a, star])
    recipe.set(SettingsChange(weightBits: 8), for: [a, star])
    #expect(recipe == before)
  }

  @Test func namesAreTakenLiterally() {
    var recipe = Recipe(name: "x")
    recipe.set(SettingsChange(mode: .float), for: [star])
    let other = LayerIdentity(name: "sx", operatorName: "Gemm")
    #expect(recipe.settings(for: star).settings.mode == .float)
    #expect(recipe.settings(for: other).settings.mode == .static)
  }

  @Test func patternRulesStayAndAreOverruled() {
    var recipe = Recipe(name: "x")
    recipe.rules = [Rule(match: Match(operators: ["Conv"]), change: SettingsChange(mode: .float))]
    recipe.set(SettingsChange(mode: .static), for: [a])
    #expect(recipe.rules.count == 2)
    #expect(recipe.settings(for: a).settings.mode == .static)
    #expect(recipe.settings(for: b).settings.mode == .float)
    recipe.set(SettingsChange(mode: .float), for: [a])
    #expect(recipe.rules.count == 1)
  }
}
