import Datasets
import Evaluation
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

/// How to search.
package struct SearchSettings: Sendable {
  /// Widths of weights to choose from, and float32 with them.
  package var bits = [8, 4]
  package var bounds = SearchBounds()
  /// Samples that choose, at most.
  package var selectionSamples = 1024
  /// Samples that are reported on, at most.
  package var limit: Int?
  /// Whether sizes count every code at its own width instead of in the container that files use.
  package var countsPacked = false
  /// Points of the front that are measured.
  package var frontPoints = 10
  /// Networks that are measured to improve on the prediction.
  package var refinements = 24

  package init() {}

  /// What is searched where no recipe is given: calibrated 8-bit activations, searched scales, weights rounded by GPTQ.
  package static func base(seed: UInt64? = nil) -> Recipe {
    let defaults = LayerSettings(
      mode: .static, weights: WeightSettings(scale: .mse, method: .gptq), activations: ActivationSettings())
    return Recipe(
      name: "mixed", defaults: defaults, calibration: CalibrationSettings(seed: seed ?? 1))
  }

  /// Bytes of a model's weights in float32, as the search counts them.
  package func floatBytes(_ model: Model) -> Int { bytes(EncodedGraph(graph: model.graph), model) }

  func bytes(_ encoded: EncodedGraph, _ model: Model) -> Int {
    let sizes = Sizes(encoded, infos: model.infos)
    return countsPacked ? sizes.packedBytes : sizes.weightBytes
  }
}

/// Networks of one model with a width for every layer, made and measured quickly enough to try many.
///
/// Calibration runs once. Rounding that reads samples (GPTQ) runs once for each width, on the network with that width
/// everywhere; a mixed network takes each layer's codes from the one of its width. So it differs from what its recipe
/// gives from the start in the inputs the rounding saw, and only the result of the search is made from the start.
struct RecipeSearch: Sendable {
  let project: Project
  let base: Recipe
  let settings: SearchSettings
  let samples: SearchSamples
  let layers: [ResolvedLayer]
  let widths: [Int]
  /// Indices of layers that have one width.
  let groups: [[Int]]
  private(set) var warnings: [String] = []
  private let observations: Observations
  /// Every layer at one width, as its recipe makes it.
  private(set) var uniform: [Int: Candidate] = [:]
  /// `[layer][width]`: cost alone, and bytes more than in float32.
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
    self.base = base
    let widths = settings.countsPacked ? settings.bits.sorted(by: >) : Self.useful(settings.bits)
    self.widths = widths
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
    let activations = base.defaults.mode.isStatic ? base.defaults.activations.bits : nil
    var sweep = SensitivitySweep(
      project, base: base, widths: widths.map { Width(weightBits: $0, activationBits: activations) })
    layers = sweep.layers
    let (graph, infos) = (project.model.graph, project.model.infos)
    guard !layers.isEmpty else {
      throw WorkflowError("\(project.model.path): no layer can be quantized (found no constant weights).")
    }
    groups = LayerGroups.of(layers, in: graph, infos: infos)
    let calibrating = reporter.part(0...0.1)
    observations = try Observations(
      graph, infos: infos, recipes: [base] + sweep.recipes, source: samples.calibration,
      threads: project.threads, report: { try calibrating.report($0, $1) })
    for (index, width) in widths.enumerated() {
      let share = 0.5 / Double(widths.count)
      let rounding = reporter.part(0.1 + Double(index) * share...0.1 + Double(index + 1) * share)
      uniform[width] = try candidate(
        recipe(layers.map { _ in width }, name: "\(width) bits"), rounding)
    }
    sweep.rounded = uniform.mapValues(\.encoded.weights)
    let result = try sweep.run(
      observations, samples: samples.selection, reporter: reporter.part(0.6...1))
    let float = settings.floatBytes(project.model)
    alone = try zip(layers, result.scores).map { layer, scores in
      try zip(sweep.widths, scores).map { width, scores in
        let encoded = try sweep.encoded(layer, at: width, observations)
        return Knapsack.Choice(cost: scores.distance, bytes: bytes(encoded) - float)
      }
    }
  }

  /// The widest of those that files hold in containers of one size: the narrower ones cost accuracy and save nothing.
  static func useful(_ bits: [Int]) -> [Int] {
    var widest: [Int: Int] = [:]
    for width in bits {
      let container = Sizes.containerBits(width)
      widest[container] = Swift.max(widest[container] ?? 0, width)
    }
    return widest.values.sorted(by: >)
  }

  /// What the choices of each group cost, and how many bytes more than float32 they take: float32 first, then the widths.
  var choices: [[Knapsack.Choice]] {
    groups.map { members in
      [Knapsack.Choice(cost: 0, bytes: 0)]
        + widths.indices.map { width in
          members.reduce(into: Knapsack.Choice(cost: 0, bytes: 0)) { sum, layer in
            sum.cost += alone[layer][width].cost
            sum.bytes += alone[layer][width].bytes
          }
        }
    }
  }

  /// The width of each layer under a choice for each group; `nil` is float32.
  func widths(_ picks: [Int]) -> [Int?] {
    var result = [Int?](repeating: nil, count: layers.count)
    for (members, pick) in zip(groups, picks) where pick > 0 {
      for layer in members { result[layer] = widths[pick - 1] }
    }
    return result
  }

  /// The recipe that gives layers these widths; rules name the layers that differ from most.
  func recipe(_ widths: [Int?], name: String) -> Recipe { recipe(widths, name: name, from: base) }

  private func recipe(_ widths: [Int?], name: String, from base: Recipe) -> Recipe {
    var recipe = base
    recipe.name = name
    let counts = Dictionary(widths.compactMap { $0 }.map { ($0, 1) }, uniquingKeysWith: +)
    if let most = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key {
      recipe.defaults.weights.bits = most
      if most == 8 { recipe.defaults.weights.method = .nearest }
    }
    for width in Set(widths).sorted(by: { $0 ?? 32 < $1 ?? 32 }) {
      var change = SettingsChange(weightBits: width)
      if width == nil { change = SettingsChange(mode: .float) }
      // At 8 bits no way of rounding is worth its time.
      change.weights.method = width.map { $0 == 8 ? .nearest : base.defaults.weights.method }
      let members = zip(layers, widths).filter { $0.1 == width }.map { LayerIdentity($0.0) }
      recipe.set(change, for: members)
    }
    return recipe
  }

  /// The network of a recipe, from the start but for the calibration.
  func candidate(_ recipe: Recipe, _ reporter: Reporter) throws -> Candidate {
    try quantize(
      project.model.graph, infos: project.model.infos, recipe: recipe.withoutReshaping,
      calibration: samples.calibration,
      observations: observations, threads: project.threads,
      report: { fraction, note in try reporter.report(fraction, "\(recipe.name): \(note)") })
  }

  /// The network of these widths, with codes that were rounded before.
  func network(_ widths: [Int?]) throws -> EncodedGraph {
    var encoded = try candidate(
      recipe(widths, name: "mixed", from: base.roundingToNearest), .silent
    ).encoded
    for (layer, width) in zip(layers, widths) {
      if let width, let weights = uniform[width]?.encoded.weights { encoded.take(weights, of: layer) }
    }
    return encoded
  }

  func bytes(_ encoded: EncodedGraph) -> Int { settings.bytes(encoded, project.model) }
}
