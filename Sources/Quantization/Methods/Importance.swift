import Graph
import Operators
import Tensors

/// Encodes blocks so that the layer's output on the calibration samples changes least, as far as that goes feature by
/// feature: the squared error of a weight counts the mean square of what it is multiplied with.
///
/// - Source: llama.cpp's `imatrix`, whose sums are these.
extension Quantizer {
  /// Encodes the weights of one layer again.
  func encodeByImportance(
    _ layer: LayerMatrix, _ settings: WeightSettings, _ graph: Graph, _ stream: SampleStream,
    _ encoded: inout EncodedGraph, _ report: (Double) throws -> Void
  ) throws {
    guard let format = settings.format.flatMap(BlockFormats.named),
      let tensor = encoded.graph.constants[layer.weight]
    else { return }
    let importance = try meanSquares(layer, graph, stream, report)
    // What is never anything but zero leaves nothing to weigh by.
    let weighs = importance.contains { $0 > 0 }
    encoded.weights[layer.weight] = EncodedTensor(
      finite: tensor, format: format, importance: weighs ? importance : nil, threads: threads)
  }

  /// The mean of x² over what a product multiplies its weights with, by input feature.
  ///
  /// - Errors: `QuantizationError` where its inputs are not finite.
  private func meanSquares(
    _ layer: LayerMatrix, _ graph: Graph, _ stream: SampleStream, _ report: (Double) throws -> Void
  ) throws -> [Float] {
    guard let node = graph.nodes.first(where: { $0.name == layer.node }),
      let input = layer.role.activation.flatMap({ node.inputs[$0] })
    else { throw QuantizationError("layer \"\(layer.node)\" is not in its simulation") }
    var writer = NodeWriter(for: graph)
    let name = layer.patches(of: input, node.op, &writer)
    var graph = graph
    graph.constants.merge(writer.constants) { $1 }
    var sums = [Double](repeating: 0, count: layer.features)
    var rows = 0
    try stream.forEachBatch(graph, writer.nodes, outputs: [name]) { batch, values in
      values[name]?.withElements(of: Float.self) { elements in
        rows += elements.count / layer.features
        for start in stride(from: 0, to: elements.count, by: layer.features) {
          for feature in 0..<layer.features {
            let x = Double(elements[start + feature])
            sums[feature] += x * x
          }
        }
      }
      try report(Double(batch + 1) / Double(stream.batches.count))
    }
    guard sums.allSatisfy(\.isFinite) else {
      throw QuantizationError("layer \"\(layer.node)\": its inputs hold NaN or infinity")
    }
    return sums.map { Float($0 / Double(max(rows, 1))) }
  }
}
