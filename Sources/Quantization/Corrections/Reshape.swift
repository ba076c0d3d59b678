import Graph
import Tensors

extension Correction {
  /// Whether it changes the float network, which still computes the same, before anything is encoded.
  package var reshapesGraph: Bool {
    switch self {
    case .crossLayerEqualization, .biasAbsorption, .smoothQuant, .awq: true
    default: false
    }
  }

  /// Whether it goes by calibration samples.
  package var readsSamples: Bool {
    switch self {
    case .smoothQuant, .awq, .biasCorrection, .batchNormReEstimation: true
    default: false
    }
  }
}

/// A float network as corrections reshape it, and what is known of its values.
package struct ReshapedGraph: Sendable {
  package var graph: Graph
  package var infos: [ValueName: OperandInfo]
  /// What was done, for people.
  package var notes: [String] = []
}

/// The float network as the corrections of a recipe reshape it before anything is encoded; as it is, where none does.
///
/// - Parameters: as for `quantize`.
/// - Errors: `QuantizationError` where a correction goes by samples and there are none.
package func reshaped(
  _ graph: Graph, infos: [ValueName: OperandInfo], recipe: Recipe, calibration: (any CalibrationSource)?,
  threads: Int, report: (Double, String) throws -> Void
) throws -> ReshapedGraph {
  var quantizer = Quantizer(graph: graph, infos: infos, recipe: recipe, threads: threads)
  let notes = try quantizer.reshape(calibration, report)
  return ReshapedGraph(graph: quantizer.graph, infos: quantizer.infos, notes: notes)
}

extension Recipe {
  /// The corrections that reshape the network, in the recipe's order.
  ///
  /// A layer may have them from its own list; then they come in the order of all.
  package var reshapingCorrections: [Correction] {
    let own = [defaults.corrections ?? []] + rules.compactMap(\.change.corrections)
    let all = corrections + own.flatMap { $0 }
    var seen: Set<Correction> = []
    return all.filter { $0.reshapesGraph && seen.insert($0).inserted }
  }

  /// This recipe for a network that was reshaped already.
  package var withoutReshaping: Recipe {
    var recipe = self
    recipe.corrections.removeAll(where: \.reshapesGraph)
    recipe.defaults.corrections?.removeAll(where: \.reshapesGraph)
    for index in recipe.rules.indices {
      recipe.rules[index].change.corrections?.removeAll(where: \.reshapesGraph)
    }
    return recipe
  }
}

extension Quantizer {
  /// Applies the corrections that reshape the network, in order.
  ///
  /// - Returns: what was done.
  mutating func reshape(
    _ source: (any CalibrationSource)?, _ report: (Double, String) throws -> Void
  ) throws -> [String] {
    let wanted = recipe.reshapingCorrections
    guard !wanted.isEmpty else { return [] }
    // What calibration saw before was of the network as it was.
    observations = nil
    var notes: [String] = []
    for (index, correction) in wanted.enumerated() {
      let layers = recipe.resolve(graph, infos: infos).layers.filter {
        $0.kind == .weighted && recipe.corrects($0.effective, by: correction)
      }
      let settings = Dictionary(uniqueKeysWithValues: layers.map { ($0.node, $0.effective) })
      guard !settings.isEmpty else { continue }
      let count = try apply(correction, settings, source) {
        try report((Double(index) + $0) / Double(wanted.count), "\(correction.rawValue): \($1)")
      }
      notes.append(
        count == 0
          ? "\(correction.rawValue): nothing here to reshape"
          : "\(correction.rawValue): \(count) \(count == 1 ? "value" : "values") between layers reshaped")
      infos = try graph.infer(
        inputs: infos.filter { known in graph.inputs.contains { $0.name == known.key } })
    }
    return notes
  }

  private mutating func apply(
    _ correction: Correction, _ settings: [String: LayerSettings], _ source: (any CalibrationSource)?,
    _ report: (Double, String) throws -> Void
  ) throws -> Int {
    let layers = Set(settings.keys)
    switch correction {
    case .crossLayerEqualization:
      return CrossLayerEqualization.equalize(&graph, infos: infos, layers: layers)
    case .biasAbsorption: return try absorbBiases(layers, source, report)
    case .smoothQuant, .awq:
      let values = ScalableValue.all(in: graph, infos: infos, readBy: layers)
      let source = try samples(source, for: correction.rawValue, instead: "leave it out")
      let statistics = try channelStatistics(values, source, report)
      var count = 0
      for (value, statistics) in zip(values, statistics) {
        let noise = ScalingNoise(value, statistics, graph, settings: settings)
        let factors =
          correction == .awq
          ? AWQ.factors(statistics, noise, channels: value.channels)
          : SmoothQuant.factors(
            statistics, weights: value.readMagnitudes(graph), noise, exponent: recipe.smoothing)
        guard let factors else { continue }
        graph.scale(value, by: factors)
        graph.finishScaling(value, by: factors, infos)
        count += 1
      }
      return count
    default: return 0
    }
  }

  private mutating func absorbBiases(
    _ layers: Set<String>, _ source: (any CalibrationSource)?, _ report: (Double, String) throws -> Void
  ) throws -> Int {
    let values = ScalableValue.all(in: graph, infos: infos, readBy: layers).filter {
      BiasAbsorption.allows($0, graph)
    }
    let unknown = values.filter { $0.source?.layer.flatMap { graph.foldedNorms[$0.value] } == nil }
    let shown = try source.map { try channelStatistics(unknown, $0, report) } ?? []
    let statistics = Dictionary(zip(unknown.map(\.value), shown)) { first, _ in first }
    var count = 0
    for value in values {
      guard let surplus = BiasAbsorption.surplus(value, graph, statistics[value.value]),
        surplus.contains(where: { $0 > 0 })
      else { continue }
      BiasAbsorption.absorb(surplus, of: value, &graph)
      count += 1
    }
    return count
  }
}
