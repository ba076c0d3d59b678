import Graph
import Tensors

/// A layer as a whole recipe has it: what of a network's recipe reaches the layer.
package struct PlannedLayer: Sendable, Hashable {
  package var layer: ResolvedLayer
  /// The effective settings, with activations as the value it reads is encoded (an edge has the widest encoding that any
  /// static reader asks), and with the corrections that count for it, but for those that
  /// reshape the network around it.
  package var settings: LayerSettings
  /// The activation it reads; `nil` where it multiplies none.
  package var input: ValueName?
  /// The value whose range is that of the input: the input itself, or what it takes its elements from; `nil` where the
  /// layer does not read codes that calibration encodes.
  package var root: ValueName?
}

extension Recipe {
  /// The layers with weights under this recipe, in the order of the nodes.
  package func planned(_ graph: Graph, infos: [ValueName: OperandInfo]) -> [PlannedLayer] {
    let (resolution, placement) = resolveAndPlace(graph, infos: infos)
    let nodes = Dictionary(graph.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return resolution.layers.filter { $0.kind == .weighted }.map { layer in
      var planned = PlannedLayer(layer: layer, settings: layer.effective)
      planned.settings.corrections = (layer.effective.corrections ?? corrections).filter { !$0.reshapesGraph }
      if let activation = layer.weights.lazy.compactMap(\.role.activation).first {
        planned.input = nodes[layer.node]?.inputs[activation]
      }
      guard layer.effective.mode.isStatic, let root = planned.input.flatMap({ placement.roots[$0] }),
        let request = placement.requests[root]
      else { return planned }
      planned.root = root
      planned.settings.activations.bits = request.bits
      planned.settings.activations.symmetric = request.symmetric
      planned.settings.activations.reducedRange = request.reducedRange
      planned.settings.activations.observer = request.observer
      return planned
    }
  }

  /// What a graph's constants would take under this recipe, which neither scales nor codes change: nothing is
  /// calibrated.
  package func sizes(_ graph: Graph, infos: [ValueName: OperandInfo], threads: Int) throws -> Sizes {
    var plain = self
    plain.defaults.weights.scale = .max  // not searched, which takes time
    for index in plain.rules.indices { plain.rules[index].change.weights.scale = nil }
    var quantizer = Quantizer(graph: graph, infos: infos, recipe: plain, threads: threads)
    quantizer.measuresOnly = true
    let (resolution, placement) = plain.resolveAndPlace(graph, infos: infos)
    var encoded = EncodedGraph(graph: graph)
    for (value, root) in placement.roots {
      encoded.activations[value] = placement.requests[root]?.encoding(0...1)
    }
    var warnings: [String] = []
    try quantizer.encodeWeights(&encoded, resolution, placement, &warnings)
    try quantizer.addCorrectedBiases(&encoded, resolution)
    return Sizes(encoded, infos: infos)
  }
}

extension PlannedLayer {
  /// The recipe that gives this layer, cut out of its network, what it has there.
  package func recipe(samples: Int) -> Recipe {
    let activations = settings.activations
    return Recipe(
      name: layer.node, defaults: settings,
      inputs: InputSettings(
        bits: activations.bits, symmetric: activations.symmetric, observer: activations.observer),
      calibration: CalibrationSettings(samples: samples), corrections: settings.corrections ?? [])
  }
}
