import Execution
import Graph
import Operators
import Tensors

/// Takes out of biases what rounding the weights adds to a layer's output on average: b − mean((ŵ − w) · x) for each
/// output channel, over samples and positions, with x as the quantized network gives it.
///
/// Only the layer's own error is corrected. Moving its output to the float network's mean would also correct what
/// layers before it do, which they do to themselves already.
/// - Source: Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019, section 4.2.
extension Quantizer {
  /// Corrects the layers whose corrections say so; a layer without a bias gets one.
  ///
  /// - Parameter done: layers whose means are right.
  /// - Errors: `QuantizationError` where a layer is to be corrected and there are no samples.
  func correctBiases(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, besides done: Set<String>,
    _ source: (any CalibrationSource)?, _ report: (Double, String) throws -> Void
  ) throws {
    let layers = try layersToCorrect(encoded, resolution).filter { !done.contains($0.node) }
    guard !layers.isEmpty else { return }
    let source = try samples(source, for: "bias-correction", instead: "leave it out")
    let means = try shifts(layers, encoded, source, report)
    for (layer, mean) in zip(layers, means) { encoded.correct(layer, by: mean) }
  }

  /// Gives biases to the layers that correcting gives one, and changes none.
  func addCorrectedBiases(_ encoded: inout EncodedGraph, _ resolution: Resolution) throws {
    for layer in try layersToCorrect(encoded, resolution) {
      encoded.correct(layer, by: [Float](repeating: 0, count: layer.channels))
    }
  }

  private func layersToCorrect(
    _ encoded: EncodedGraph, _ resolution: Resolution
  ) throws -> [CorrectedLayer] {
    try encoded.correctedLayers(
      Set(resolution.layers.filter { recipe.corrects($0.effective, by: .biasCorrection) }.map(\.node)))
  }

  /// The mean of (ŵ − w) · x, by layer and output channel.
  private func shifts(
    _ layers: [CorrectedLayer], _ encoded: EncodedGraph, _ source: any CalibrationSource,
    _ report: (Double, String) throws -> Void
  ) throws -> [[Float]] {
    var graph = try simulated(encoded)
    var writer = NodeWriter(for: graph)
    var known = infos
    var names: [ValueName] = []
    for layer in layers {
      let shift = try layer.shift(in: graph, encoded, &writer)
      names.append(shift)
      known[shift] = known[layer.output]
    }
    writer.finish(&graph)
    var sums = layers.map { [Double](repeating: 0, count: $0.channels) }
    var seen = 0
    try Calibrator(graph: graph, infos: known, threads: threads, prepare: prepare).forEachBatch(
      of: names, source: source, samples: recipe.calibration.samples
    ) { values, range, count in
      for (index, value) in values.enumerated() {
        value?.withElements(of: Float.self) { elements in
          for (place, element) in elements.enumerated() {
            sums[index][place % layers[index].channels] += Double(element)
          }
        }
      }
      seen += range.count
      try report(Double(seen) / Double(count), "correcting biases: sample \(range.upperBound) of \(count)")
    }
    return sums.map { $0.map { Float($0 / Double(seen)) } }
  }
}

/// A layer whose bias takes a correction.
struct CorrectedLayer {
  var node: String
  var weight: ValueName
  var role: WeightRole
  var channels: Int
  /// What the layer gives.
  var output: ValueName

  /// Adds the mean of (ŵ − w) · x over the positions of a sample: `[samples, channels]`.
  ///
  /// - Parameters:
  ///   - simulation: the quantized network.
  ///   - input: x; `nil` for what the layer reads there.
  func shift(
    in simulation: Graph, of input: ValueName? = nil, _ encoded: EncodedGraph, _ writer: inout NodeWriter
  ) throws -> ValueName {
    guard let node = simulation.nodes.first(where: { [name = self.node] in $0.name == name }),
      let rounded = node.inputs[role.input],
      let codes = simulation.constants[rounded], let float = encoded.graph.constants[weight]
    else { throw QuantizationError("layer \"\(node)\" is not in its simulation") }
    let error = zip(codes.array(of: Float.self), float.array(of: Float.self)).map { $0 - $1 }
    var inputs = node.inputs
    inputs[role.input] = writer.constant(Tensor(error, shape: float.shape), "\(weight).error")
    if let bias = role.bias, inputs.indices.contains(bias) { inputs[bias] = nil }
    if let input, let activation = role.activation { inputs[activation] = input }
    let shift = writer.add(node.op, inputs, "\(output).shift")
    // Channels are on axis 1; what is behind them is positions. A layer has as many axes as its weight.
    let positions = Array(2..<Swift.max(2, float.shape.count))
    guard !positions.isEmpty else { return shift }
    let axes = writer.constant(Tensor(integers: positions, shape: [positions.count]), "\(output).axes")
    return writer.add(
      ReduceMean(options: ReductionOptions(keepsAxes: false)), [shift, axes], "\(output).mean")
  }
}

extension EncodedGraph {
  /// The layers named that have, or can have, a bias of one element for each output channel.
  func correctedLayers(_ wanted: Set<String>) throws -> [CorrectedLayer] {
    guard !wanted.isEmpty else { return [] }
    let infos = try graph.infer()
    var result: [CorrectedLayer] = []
    for node in graph.nodes where wanted.contains(node.name) {
      guard let op = node.op as? any WeightedOperator else { continue }
      let roles = op.weightRoles(node.inputs.map { $0.flatMap { infos[$0] } })
      for role in roles {
        guard let index = role.bias, let weight = node.inputs[role.input], weights[weight] != nil,
          let output = node.outputs[0], let shape = graph.constants[weight]?.shape, role.activation != nil
        else { continue }
        let groups = role.channelAxis == 0 ? 1 : node.op.attributes.int("group") ?? 1
        let channels = shape[role.channelAxis] * groups
        if node.inputs.indices.contains(index), let bias = node.inputs[index] {
          guard graph.constants[bias]?.count == channels else { continue }
        }
        result.append(
          CorrectedLayer(
            node: node.name, weight: weight, role: role, channels: channels, output: output))
      }
    }
    return result
  }

  /// Subtracts a shift from a layer's bias, and encodes it again where it is held as codes.
  mutating func correct(_ layer: CorrectedLayer, by shift: [Float]) {
    guard let index = layer.role.bias, let place = graph.nodes.firstIndex(where: { $0.name == layer.node })
    else { return }
    var fresh = FreshNames(in: graph)
    let node = graph.nodes[place]
    let old = node.inputs.indices.contains(index) ? node.inputs[index] : nil
    let name = fresh(old.map { "\($0)@\(layer.node)" } ?? "\(layer.weight).bias")
    let values = old.flatMap { graph.constants[$0]?.array(of: Float.self) }
    let corrected = shift.indices.map { (values?[$0] ?? 0) - shift[$0] }
    while graph.nodes[place].inputs.count <= index { graph.nodes[place].inputs.append(nil) }
    graph.nodes[place].inputs[index] = name
    graph.constants[name] = Tensor(corrected, shape: [corrected.count])
    let wasCoded = old.map { biases[$0] != nil }
    if let old, !graph.nodes.contains(where: { $0.inputs.contains(old) }) {
      graph.constants[old] = nil
      biases[old] = nil
    }
    guard layers[layer.node]?.mode.isStatic == true, let encoding = weights[layer.weight]?.encoding,
      wasCoded ?? encoding.scheme.granularity.hasOneScalePerChannel,
      let read = layer.role.activation.flatMap({ node.inputs[$0] }),
      let scale = activations[read]?.scales.first
    else { return }
    biases[name] = BiasEncoder.encode(corrected, weightScales: encoding.scales, inputScale: scale)
  }
}

extension Scheme.Granularity {
  /// Or one for all: what the int32 codes of a bias can follow.
  var hasOneScalePerChannel: Bool {
    if case .group = self { return false }
    return true
  }
}
