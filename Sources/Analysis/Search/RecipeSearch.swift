import Datasets
import Evaluation
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

/// Networks of one model with an option for every layer, made and measured quickly enough to try many.
///
/// Calibration runs once. Rounding that reads samples (GPTQ) runs once for each option, on the network with that option
/// everywhere; a mixed network takes each layer's codes from the one of its option. So it differs from what its recipe
/// gives from the start in the inputs the rounding saw, and only the result of the search is made from the start.
struct RecipeSearch: Sendable {
  let project: Project
  let settings: SearchSettings
  let samples: SearchSamples
  let recipes: OptionRecipes
  /// Indices of layers that have one option.
  let groups: [[Int]]
  let floatBytes: Int
  private(set) var warnings: [String] = []
  private let observations: Observations
  /// Every layer at one option, as its recipe makes it; all but float32.
  private(set) var uniform: [LayerOption: Candidate] = [:]
  /// `[layer][option]`: cost alone, and bytes more than in float32.
  private var alone: [[Knapsack.Choice]] = []

  /// Calibrates, rounds and measures every layer alone.
  init(_ project: Project, base given: Recipe, settings: SearchSettings, reporter: Reporter) throws {
    self.settings = settings
    let samples = try SearchSamples(
      project, recipe: given, selecting: settings.selectionSamples, limit: settings.limit)
    self.samples = samples
    // Layers are measured on the network as corrections reshape it; recipes keep those corrections.
    let project = try project.reshaped(
      by: given, calibration: samples.calibration, reporter: reporter.part(0...0.05))
    self.project = project
    let reporter = reporter.part(0.05...1)
    var base = given
    base.calibration.samples = samples.calibration.count
    base.choices = []  // the search is what chooses
    let widths = settings.countsPacked ? settings.bits : Self.useful(settings.bits)
    let dropped = settings.bits.filter { !widths.contains($0) }
    if !dropped.isEmpty {
      warnings.append(
        "\(dropped.map(String.init).joined(separator: " and ")) bits are left out: files hold their codes in as many bits as those of a wider width."
      )
    }
    if settings.bounds.maxDrop != nil {
      warnings.append(
        "The drop is bounded by the share of samples that choose whose answer changes, which is no less than what accuracy loses on them."
      )
    }
    let options = settings.options(bits: widths)
    let quantized = options.filter { !$0.isFloat }
    var sweep = SensitivitySweep(project, base: base, options: quantized)
    let layers = sweep.layers
    let (graph, infos) = (project.model.graph, project.model.infos)
    guard !layers.isEmpty else {
      throw WorkflowError("\(project.model.path): no layer can be quantized (found no constant weights).")
    }
    guard !quantized.isEmpty else {
      throw WorkflowError("a search needs a mode beside float to choose from (found none).")
    }
    recipes = OptionRecipes(project.model, base: base, layers: layers, options: options)
    groups = LayerGroups.of(layers, in: graph, infos: infos)
    floatBytes = settings.floatBytes(project.model)
    let calibrating = reporter.part(0...0.1)
    let uniforms = quantized.map(recipes.uniform)
    observations = try Observations(
      graph, infos: infos, recipes: [base] + uniforms + sweep.recipes,
      source: samples.calibration, threads: project.threads, report: { try calibrating.report($0, $1) })
    for (index, option) in quantized.enumerated() {
      let share = 0.5 / Double(quantized.count)
      let rounding = reporter.part(0.1 + Double(index) * share...0.1 + Double(index + 1) * share)
      uniform[option] = try candidate(uniforms[index], rounding)
    }
    sweep.rounded = uniform.mapValues(\.encoded.weights)
    let result = try sweep.run(
      observations, samples: samples.selection, reporter: reporter.part(0.6...1))
    alone = try zip(layers, result.scores).map { layer, scores in
      var scores = scores[...]
      return try options.map { option in
        guard !option.isFloat, let own = scores.popFirst() else { return Knapsack.Choice(cost: 0, amount: 0) }
        let encoded = try sweep.encoded(layer, as: option, observations)
        return Knapsack.Choice(cost: own.distance, amount: bytes(encoded) - floatBytes)
      }
    }
  }

  var layers: [ResolvedLayer] { recipes.layers }
  /// Float32 first where layers may stay in it, then the widest.
  var options: [LayerOption] { recipes.options }

  /// The widest of those that files hold in containers of one size: the narrower ones cost accuracy and save nothing.
  static func useful(_ bits: [Int]) -> [Int] {
    var widest: [Int: Int] = [:]
    for width in bits {
      let container = Sizes.containerBits(width)
      widest[container] = Swift.max(widest[container] ?? 0, width)
    }
    return widest.values.sorted(by: >)
  }

  /// What the options of each group cost, and how many bytes more than float32 they take.
  var choices: [[Knapsack.Choice]] {
    groups.map { members in
      options.indices.map { option in
        members.reduce(into: Knapsack.Choice(cost: 0, amount: 0)) { sum, layer in
          sum.cost += alone[layer][option].cost
          sum.amount += alone[layer][option].amount
        }
      }
    }
  }

  /// The option of each layer under a choice for each group.
  func options(_ picks: [Int]) -> [LayerOption] {
    var result = [LayerOption](repeating: .float, count: layers.count)
    for (members, pick) in zip(groups, picks) {
      for layer in members { result[layer] = options[pick] }
    }
    return result
  }

  /// Layers by option under a choice for each group.
  func counted(_ picks: [Int]) -> [String: Int] {
    Dictionary(options(picks).map { ($0.text, 1) }, uniquingKeysWith: +)
  }

  /// Bytes more than in float32, added up from the layers.
  func bytesMore(_ picks: [Int]) -> Int {
    zip(groups, picks).reduce(0) { sum, pair in
      pair.0.reduce(sum) { $0 + alone[$1][pair.1].amount }
    }
  }

  /// The recipe of a choice for each group.
  func recipe(_ picks: [Int], name: String) -> Recipe { recipes.recipe(options(picks), name: name) }

  /// The network of a recipe, from the start but for the calibration.
  func candidate(_ recipe: Recipe, _ reporter: Reporter) throws -> Candidate {
    try quantize(
      project.model.graph, infos: project.model.infos, recipe: recipe.withoutReshaping,
      calibration: samples.calibration,
      observations: observations, threads: project.threads,
      report: { fraction, note in try reporter.report(fraction, "\(recipe.name): \(note)") })
  }

  /// The network of a choice for each group, with codes that were rounded before.
  func network(_ picks: [Int]) throws -> EncodedGraph {
    let chosen = options(picks)
    var encoded = try candidate(
      recipes.recipe(chosen, name: "mixed").roundingToNearest, .silent
    ).encoded
    for (layer, option) in zip(layers, chosen) {
      if let weights = uniform[option]?.encoded.weights { encoded.take(weights, of: layer) }
    }
    return encoded
  }

  func bytes(_ encoded: EncodedGraph) -> Int { settings.bytes(encoded, project.model) }
}
