import Execution
import Graph
import Operators
import Tensors

/// Gives normalised layers the mean and variance back that rounding took from them.
///
/// Layer by layer, the calibration samples go through the quantized network and through the float one. What differs in
/// mean and variance of a layer's output moves the running statistics of its batch norm, which is folded in again with
/// the same γ and β: the factor γ / √(σ² + ε) goes into the scale of each channel, the mean into the bias; codes stay as
/// they are. Statistics of the samples alone would do without the float network, but a few hundred samples know them
/// less well than training did (ResNet-20 W4A8 loses two points so).
///
/// Where channels share a scale the bias alone changes. Layers so treated take no bias correction: their means are right.
/// - Source: Sun et al., *Hybrid 8-bit floating point (HFP8) training and inference for deep neural networks*, 2019
///   (batch-norm re-tuning); Hubara et al., *Improving post training neural quantization: layer-wise calibration and
///   integer programming*, 2020 (batch-norm tuning).
extension Quantizer {
  /// - Returns: the layers whose means are now right.
  /// - Errors: `QuantizationError` where a layer asks for it and there are no samples.
  func reEstimateNorms(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, _ source: (any CalibrationSource)?,
    _ report: (Double, String) throws -> Void
  ) throws -> Set<String> {
    let wanted = Set(
      resolution.layers.filter { recipe.corrects($0.effective, by: .batchNormReEstimation) }.map(\.node))
    let layers = try encoded.correctedLayers(wanted).compactMap { layer -> (CorrectedLayer, FoldedNorm)? in
      guard let node = graph.nodes.first(where: { $0.name == layer.node }),
        let norm = node.inputs.lazy.compactMap({ $0.flatMap { graph.foldedNorms[$0] } }).first,
        norm.gain.count == layer.channels
      else { return nil }
      return (layer, norm)
    }
    guard !layers.isEmpty else { return [] }
    let source = try samples(source, for: "batch-norm-re-estimation", instead: "leave it out")
    var simulation = try simulated(encoded)
    func streamed(_ graph: Graph) throws -> SampleStream {
      try SampleStream(
        graph, infos: infos, source: source, samples: recipe.calibration.samples,
        batch: Calibrator.largestBatch, threads: threads)
    }
    var (stream, floatStream) = (try streamed(simulation), try streamed(graph))
    for (index, (layer, norm)) in layers.enumerated() {
      try report(
        Double(index) / Double(layers.count),
        "re-estimating batch norm: layer \(index + 1) of \(layers.count)")
      guard let place = simulation.nodes.firstIndex(where: { $0.name == layer.node }),
        let floatPlace = graph.nodes.firstIndex(where: { $0.name == layer.node })
      else { continue }
      try stream.advance(simulation, to: place)
      try floatStream.advance(graph, to: floatPlace)
      encoded.normalize(
        layer, norm, try outputMoments(layer, simulation.nodes[place], simulation, stream),
        float: try outputMoments(layer, graph.nodes[floatPlace], graph, floatStream))
      let codes = simulation.nodes[place].inputs
      simulation.constants[codes[layer.role.input] ?? ""] = encoded.decodedConstant(layer.weight, infos)
      if let bias = layer.role.bias.flatMap({ codes.indices.contains($0) ? codes[$0] : nil }),
        let own = encoded.graph.nodes.first(where: { $0.name == layer.node })?.inputs[layer.role.bias ?? 0]
      {
        simulation.constants[bias] = encoded.decodedConstant(own, infos) ?? encoded.graph.constants[own]
      }
    }
    return Set(layers.map(\.0.node))
  }

  /// Mean and variance of each output channel over samples and positions.
  private func outputMoments(
    _ layer: CorrectedLayer, _ node: Node, _ simulation: Graph, _ stream: SampleStream
  ) throws -> [(mean: Double, variance: Double)] {
    guard let output = node.outputs[0] else { return [] }
    var sums = [(count: Double, sum: Double, squares: Double)](repeating: (0, 0, 0), count: layer.channels)
    try stream.forEachBatch(simulation, [node], outputs: [output]) { _, values in
      guard let value = values[output] else { return }
      let run = value.shape.dropFirst(2).reduce(1, *)
      value.withElements(of: Float.self) { elements in
        for start in stride(from: 0, to: elements.count, by: Swift.max(run, 1)) {
          var (sum, squares) = (0.0, 0.0)
          for element in elements[start..<start + run] {
            sum += Double(element)
            squares += Double(element) * Double(element)
          }
          let channel = start / run % layer.channels
          sums[channel].count += Double(run)
          sums[channel].sum += sum
          sums[channel].squares += squares
        }
      }
    }
    return sums.map { count, sum, squares in
      let mean = sum / Swift.max(count, 1)
      return (mean, Swift.max(squares / Swift.max(count, 1) - mean * mean, 0))
    }
  }
}

extension EncodedGraph {
  /// Folds a norm in again whose statistics moved from those of the float network to those seen now.
  fileprivate mutating func normalize(
    _ layer: CorrectedLayer, _ norm: FoldedNorm, _ seen: [(mean: Double, variance: Double)],
    float: [(mean: Double, variance: Double)]
  ) {
    guard let node = graph.nodes.first(where: { $0.name == layer.node }), let index = layer.role.bias,
      node.inputs.indices.contains(index), let name = node.inputs[index],
      let bias = graph.constants[name]?.array(of: Float.self), seen.count == bias.count,
      float.count == bias.count, var encoding = weights[layer.weight]?.encoding
    else { return }
    // What was seen has the bias that codes hold.
    let held = decodedConstant(name, [:])?.array(of: Float.self) ?? bias
    let perChannel = encoding.channelAxis == layer.role.channelAxis
    var ratios = [Double](repeating: 1, count: bias.count)
    var shifts = [Float](repeating: 0, count: bias.count)
    for channel in bias.indices {
      let variance = Double(norm.variance[channel])
      if perChannel, seen[channel].variance > 0, float[channel].variance > 0 {
        let moved = variance * seen[channel].variance / float[channel].variance
        ratios[channel] =
          ((variance + Double(norm.epsilon)) / (moved + Double(norm.epsilon))).squareRoot()
      }
      // Without its bias the layer gives mean − bias.
      let product = (seen[channel].mean - Double(held[channel])) * ratios[channel]
      shifts[channel] = Float(Double(bias[channel]) - (float[channel].mean - product))
    }
    if perChannel { encoding.multiply(by: ratios, like: graph.constants[layer.weight]?.shape ?? []) }
    weights[layer.weight] = weights[layer.weight].map {
      EncodedTensor(codes: $0.codes, encoding: encoding)
    }
    correct(layer, by: shifts)
  }
}

extension Encoding {
  /// Scales of channels times factors; the channels of a transposed convolution's groups, which share scales, take that of
  /// the first.
  fileprivate mutating func multiply(by factors: [Double], like shape: Shape) {
    guard let axis = channelAxis, shape.indices.contains(axis) else { return }
    var sizes = shape
    if case .group(let size) = scheme.granularity, let groupAxis {
      sizes[groupAxis] = (sizes[groupAxis] + size - 1) / size
    } else {
      sizes = [shape[axis]]
    }
    let run = scheme.granularity == .channel ? 1 : sizes.dropFirst(axis + 1).reduce(1, *)
    let channels = shape[axis]
    for cell in scales.indices { scales[cell] *= Float(factors[cell / run % channels]) }
  }
}
