import Datasets
import Evaluation
import Foundation
import Graph
import Jobs
import Quantization
import Tensors

extension Project {
  /// Makes a recipe's open choices by measuring.
  ///
  /// A quarter of the calibration samples, drawn by the recipe's seed, is held back; the others quantize. Parts are
  /// chosen one after another, each on top of those before: what brings the network nearer to float32 on the samples
  /// held back (KL, or noise over signal without classes) stays. A change that costs speed, a layer left out of static
  /// quantization, has to bring it nearer by a fifth.
  /// - Parameter data: the calibration samples.
  /// - Returns: a recipe without choices, and what was chosen, in words.
  func choose(
    _ recipe: Recipe, _ data: BoundDataset, name: String, reporter: Reporter
  ) throws -> (recipe: Recipe, notes: [String]) {
    var plain = recipe
    plain.choices = []
    let (held, rest) = Sampling.split(
      data.count, taking: Swift.max(data.count / 4, 1), seed: recipe.calibration.seed)
    guard !rest.isEmpty else { return (plain, ["nothing was chosen: there is one calibration sample"]) }
    var search = ChoiceSearch(
      project: self, judge: try Judge(self, data.selecting(held)), source: data.selecting(rest), name: name,
      reporter: reporter, best: plain)
    try search.start(parts: recipe.choices.count)
    for choice in Choice.allCases where recipe.choices.contains(choice) { try search.make(choice) }
    return (search.best, [search.summary(heldBack: held.count)])
  }
}

/// A choice being made, part by part.
private struct ChoiceSearch {
  let project: Project
  let judge: Judge
  let source: BoundDataset
  let name: String
  let reporter: Reporter
  private(set) var best: Recipe
  private var first: Candidate?
  private var firstDivergence = Double.infinity
  private var divergence = Double.infinity
  private var chosen: [String] = []
  private var tried = 0
  private var expected = 1

  init(
    project: Project, judge: Judge, source: BoundDataset, name: String, reporter: Reporter, best: Recipe
  ) {
    self.project = project
    self.judge = judge
    self.source = source
    self.name = name
    self.reporter = reporter
    self.best = best
  }

  /// Share of the divergence that may be left where a change costs speed.
  private static let worthSpeed = 0.8

  mutating func start(parts: Int) throws {
    expected = 1 + 4 * parts
    let (candidate, divergence) = try measure(best)
    first = candidate
    (firstDivergence, self.divergence) = (divergence, divergence)
  }

  mutating func make(_ choice: Choice) throws {
    switch choice {
    case .equalization:
      let plain = best.corrections
      for corrections in reshapings {
        try consider(corrections.map(\.title).joined(separator: " with ")) { recipe in
          let folding = plain.prefix { $0 == .foldBatchNorm }
          recipe.corrections = folding + corrections + plain.dropFirst(folding.count)
        }
      }
    case .ranges:
      for observer in [ObserverChoice.minMax, .percentile(99.99), .entropy, .mse] {
        try consider(observer.text) { $0.defaults.activations.observer = observer }
      }
      for scale in [WeightSettings.Scale.mse, .outputMSE] {
        try consider("weight scales \(scale.text)") { $0.defaults.weights.scale = scale }
      }
    case .corrections:
      try consider("bias-correction") {
        if !$0.corrections.contains(.biasCorrection) { $0.corrections.append(.biasCorrection) }
      }
    case .rounding:
      for method in Quantization.Method.allCases where method.readsSamples {
        // Up or down says little where steps are small, and takes long to learn.
        if method == .adaRound && best.defaults.weights.bits > 4 { continue }
        try consider(method.title) { $0.defaults.weights.method = method }
      }
    case .modes: try leaveLayersOut()
    }
  }

  /// Ways of reshaping that are worth a try.
  ///
  /// AWQ is about weights alone. What equalization does to activations SmoothQuant mends, so the two are tried together.
  private var reshapings: [[Correction]] {
    best.defaults.mode == .weightOnly
      ? [[.crossLayerEqualization], [.awq]]
      : [
        [.crossLayerEqualization], [.biasAbsorption], [.smoothQuant],
        [.crossLayerEqualization, .smoothQuant],
      ]
  }

  /// Leaves the layers whose activations suffer most out of static quantization: one, two, four, … of them.
  private mutating func leaveLayersOut() throws {
    guard let first else { return }
    let ranked = first.layersByActivationNoise
    var count = 1
    while count <= ranked.count {
      let left = ranked.prefix(count)
      let isBetter = try consider(
        "\(count == 1 ? "one layer" : "\(count) layers") spared", limit: Self.worthSpeed
      ) { recipe in
        for kind in [ResolvedLayer.Kind.weighted, .activation] {
          recipe.set(
            SettingsChange(mode: kind == .weighted ? .dynamic : .float),
            for: left.filter { $0.kind == kind }.map { LayerIdentity($0) })
        }
      }
      if !isBetter && count >= 8 { break }
      count *= 2
    }
  }

  /// Takes a change over where it brings the divergence under `limit` of what it is.
  @discardableResult
  private mutating func consider(
    _ what: String, limit: Double = 1, _ change: (inout Recipe) -> Void
  ) throws -> Bool {
    var recipe = best
    change(&recipe)
    guard recipe != best else { return false }
    let found = try measure(recipe).divergence
    guard found < limit * divergence else { return false }
    (best, divergence) = (recipe, found)
    chosen.append(what)
    return true
  }

  private mutating func measure(_ recipe: Recipe) throws -> (candidate: Candidate, divergence: Double) {
    let part = reporter.part(
      Double(tried) / Double(expected)...Double(tried + 1) / Double(Swift.max(expected, tried + 1)))
    tried += 1
    let number = tried
    let candidate = try quantize(
      project.model.graph, infos: project.model.infos, recipe: recipe, calibration: source,
      threads: project.threads,
      report: { try part.report($0, "\(name): choosing, try \(number): \($1)") })
    return (candidate, try judge.scores(candidate.runnable()).distance)
  }

  func summary(heldBack: Int) -> String {
    let measure = judge.hasClasses ? "KL to float32" : "noise over signal"
    let figures = String(format: "%@ %.3g instead of %.3g", measure, divergence, firstDivergence)
    return "chosen on \(heldBack) samples held back, after \(tried) tries: "
      + (chosen.isEmpty ? "nothing better than the recipe as it is" : chosen.joined(separator: ", "))
      + " (\(figures))"
  }
}

extension Candidate {
  /// Static layers by the noise that encoding what they read adds, relative to it, the noisiest first; without those
  /// whose observer keeps no histogram.
  fileprivate var layersByActivationNoise: [ResolvedLayer] {
    let nodes = Dictionary(encoded.graph.nodes.map { ($0.name, $0) }) { first, _ in first }
    let ranked = resolution.layers.compactMap { layer -> (layer: ResolvedLayer, noise: Double)? in
      guard layer.effective.mode.isStatic, let node = nodes[layer.node] else { return nil }
      let noises = node.inputs.compactMap { $0.flatMap(noise) }
      return noises.max().map { (layer, $0) }
    }
    return ranked.sorted { $0.noise > $1.noise }.map(\.layer)
  }

  /// Of an encoded value, from its histogram.
  private func noise(_ value: ValueName) -> Double? {
    guard let encoding = encoded.activations[value], let root = roots[value], let seen = observed[root],
      !seen.bins.isEmpty, let scale = encoding.scales.first, let zero = encoding.zeroPoints.first
    else { return nil }
    let width = Double(seen.highest - seen.lowest) / Double(seen.bins.count)
    let lowest = Double(scale) * Double(encoding.codes.lowerBound - zero)
    let highest = Double(scale) * Double(encoding.codes.upperBound - zero)
    var (signal, noise) = (0.0, 0.0)
    for (index, count) in seen.bins.enumerated() {
      let x = Double(seen.lowest) + (Double(index) + 0.5) * width
      let lost = Swift.max(lowest - x, x - highest, 0)
      signal += Double(count) * x * x
      noise += Double(count) * (lost * lost + Double(scale) * Double(scale) / 12)
    }
    return signal > 0 ? noise / signal : nil
  }
}
