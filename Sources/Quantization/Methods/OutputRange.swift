import Execution
import Graph
import Operators
import Tensors

/// Chooses the range of the weights that share a scale by what it does to the layer's output on calibration samples.
///
/// Of the fractions 0.30, 0.31 … 1 of the whole range each channel or group takes that with the least e · H · eᵀ, where e
/// is what rounding to nearest changes in its weights and H = Σ x · xᵀ over what they are multiplied with: the squared
/// error of the output. The diagonal of H alone does not do: inputs behind a ReLU have means far from zero, so that the
/// errors of a channel add up.
/// - Source: the search for clipping thresholds of Lin et al., *AWQ: activation-aware weight quantization*, 2023, section
///   5 and its authors' program, which tries ten fractions on single rows.
extension Quantizer {
  /// Encodes the weights of one layer again, rounded to nearest in the ranges found, and its bias with them.
  ///
  /// - Parameter moments: H.
  func searchRanges(
    _ layer: LayerMatrix, _ settings: WeightSettings, _ encoded: inout EncodedGraph, _ moments: [Double]
  ) throws {
    guard let tensor = encoded.graph.constants[layer.weight] else { return }
    let encoder = WeightEncoder(
      settings: settings, shape: layer.shape, channelAxis: layer.role.channelAxis,
      groupAxis: layer.role.featureAxis)
    let error = try OutputError(
      layer, moments, cells: encoder.layout.cellOfElement, count: encoder.layout.cells, threads: threads)
    var numbers = try tensor.withElements(of: Float.self) { weights in
      let whole = WeightRanges(weights, encoder.layout)
      let base = encoder.covering(whole)
      let tries = WeightEncoder.fractions.lazy.map { encoder.numbers(base, whole, whole.shrunk(to: $0)) }
      let found = try encoder.least(tries, base) { try error.ofCells(weights, encoder, $0) }
      return settings.method == .hqq ? encoder.splitHalfQuadratically(found, weights) : found
    }
    let bias = encoded.codedBias(of: layer.node, layer.role)
    if let bias { _ = BiasEncoder.raise(&numbers, bias: bias.elements, inputScale: bias.inputScale) }
    encoded.weights[layer.weight] = tensor.withElements(of: Float.self) { encoder.encode($0, numbers) }
    if let bias {
      encoded.biases[bias.value] = BiasEncoder.encode(
        bias.elements, weightScales: numbers.scales, inputScale: bias.inputScale)
    }
  }
}

extension EncodedGraph {
  /// The bias of a static layer that is held as codes: its value, elements and the scale of the layer's input.
  func codedBias(
    of node: String, _ role: WeightRole
  ) -> (value: ValueName, elements: [Float], inputScale: Float)? {
    guard layers[node]?.mode.isStatic == true, let node = graph.nodes.first(where: { $0.name == node }),
      let index = role.bias, node.inputs.indices.contains(index), let value = node.inputs[index],
      biases[value] != nil, let elements = graph.constants[value]?.array(of: Float.self),
      let read = role.activation.flatMap({ node.inputs[$0] }), let scale = activations[read]?.scales.first
    else { return nil }
    return (value, elements, scale)
  }
}

/// The squared error of a layer's outputs, summed over all of them, that comes from each cell of its weights.
private struct OutputError {
  private let layer: LayerMatrix
  private let moments: Tensor
  private let cells: [Int]
  private let count: Int
  private let elements: [Int]
  private let program: Program

  /// - Parameters:
  ///   - cells: of each weight of the tensor, its cell.
  ///   - count: cells there are.
  init(_ layer: LayerMatrix, _ moments: [Double], cells: [Int], count: Int, threads: Int) throws {
    (self.layer, self.cells, self.count) = (layer, cells, count)
    let (groups, rows, features) = (layer.groups, layer.groupRows, layer.features)
    elements = (0..<layer.rows).flatMap { row in
      (0..<features).map { layer.element(row: row, feature: $0) }
    }
    // Cells divide every row alike: what two of them add to each other's error counts for neither.
    let own = (0..<features).map { cells[layer.element(row: 0, feature: $0)] }
    self.moments = Tensor(of: Float.self, shape: [groups, features, features]) { out in
      for place in out.indices {
        let (i, j) = (place / features % features, place % features)
        out[place] = own[i] == own[j] ? Float(moments[place]) : 0
      }
    }
    let shapes: [ValueName: Shape] = [
      "e": [groups, rows, features], "h": [groups, features, features],
    ]
    var graph = Graph()
    graph.inputs = ["e", "h"].map {
      ValueInfo(name: $0, type: .float32, dimensions: shapes[$0]?.map { .fixed($0) })
    }
    var writer = NodeWriter(fresh: FreshNames(besides: shapes.keys))
    let product = writer.add(Mul(), [writer.add(MatMul(), ["e", "h"], "product"), "e"], "parts")
    graph.outputs = [ValueInfo(name: product, type: .float32, dimensions: nil)]
    writer.finish(&graph)
    program = try compile(
      EncodedGraph(graph: graph), CompileOptions(inputShapes: shapes, threads: threads))
  }

  func ofCells(
    _ weights: UnsafeBufferPointer<Float>, _ encoder: WeightEncoder, _ numbers: WeightScales
  ) throws -> [Double] {
    var errors = [Float](repeating: 0, count: weights.count)
    errors.withUnsafeMutableBufferPointer { errors in
      encoder.forEachRounded(weights, numbers) { index, cell, steps in
        errors[index] = steps * numbers.scales[cell] - weights[index]
      }
    }
    let e = Tensor(elements.map { errors[$0] }, shape: [layer.groups, layer.groupRows, layer.features])
    var sums = [Double](repeating: 0, count: count)
    try program.load(["e": e, "h": moments])
    try program.execute()
    for parts in try program.views().values {
      parts.withElements(of: Float.self) { parts in
        for (place, part) in parts.enumerated() { sums[cells[elements[place]]] += Double(part) }
      }
    }
    return sums
  }
}
