import Graph
import Operators
import Tensors

/// Takes what a channel is always above 0, in front of a ReLU that it never reaches, out of the bias before and puts it
/// into the biases behind, so that the range left to encode is smaller.
///
/// A channel is taken to stay above β − 3γ of the batch norm that was folded into it, or without one above what
/// calibration samples show. Only through ReLU or nothing, and only into layers that read no padding: there the
/// function stays what it is wherever the channel stays above.
/// - Source: Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019, section
///   4.1.3.
enum BiasAbsorption {
  /// A value that a bias in front of can be taken out of.
  static func allows(_ value: ScalableValue, _ graph: Graph) -> Bool {
    guard let source = value.source, let layer = source.layer, source.clips.isEmpty,
      let index = layer.role.bias,
      source.constants.map(\.node) == [layer.node], source.constants[0].input == index
    else { return false }
    let passage = graph.nodes.filter { source.passage.contains($0.name) }
    return passage.allSatisfy { $0.op is Relu }
      && value.readers.allSatisfy { !$0.isPadded && $0.role.bias != nil }
  }

  /// By channel what it always has above 0.
  static func surplus(_ value: ScalableValue, _ graph: Graph, _ statistics: ChannelStatistics?) -> [Float]? {
    if let layer = value.source?.layer, let norm = graph.foldedNorms[layer.value] {
      return zip(norm.shift, norm.gain).map { max(0, $0 - 3 * abs($1)) }
    }
    return statistics.map { $0.lowest.map { $0.isFinite ? max(0, $0) : 0 } }
  }

  static func absorb(_ surplus: [Float], of value: ScalableValue, _ graph: inout Graph) {
    guard let place = value.source?.constants.first, surplus.contains(where: { $0 > 0 }) else { return }
    graph.rewrite(constantOf: place.node, place.input) { bias in
      Tensor(zip(bias.array(of: Float.self), surplus).map { $0 - $1 }, shape: bias.shape)
    }
    if let weight = value.source?.layer?.value, var norm = graph.foldedNorms[weight] {
      norm.shift = zip(norm.shift, surplus).map { $0 - $1 }
      graph.foldedNorms[weight] = norm
    }
    for reader in value.readers {
      guard let index = reader.role.bias, let weights = graph.constants[reader.value] else { continue }
      var shift = [Float](repeating: 0, count: reader.outputs)
      weights.withElements(of: Float.self) { weights in
        reader.forEachElement { element, output, input in shift[output] += weights[element] * surplus[input] }
      }
      graph.addBias(shift, to: reader.node, index)
      if var norm = graph.foldedNorms[reader.value] {
        // What the norm was given without a bias shifts with what the layer reads.
        let factors = zip(norm.gain, norm.variance).map { $0 / ($1 + norm.epsilon).squareRoot() }
        norm.mean = norm.mean.indices.map {
          factors[$0] == 0 ? norm.mean[$0] : norm.mean[$0] - shift[$0] / factors[$0]
        }
        graph.foldedNorms[reader.value] = norm
      }
    }
  }
}

extension Graph {
  /// Adds to the bias of a layer, which gets one where it has none.
  fileprivate mutating func addBias(_ shift: [Float], to node: String, _ index: Int) {
    guard let place = nodes.firstIndex(where: { $0.name == node }) else { return }
    while nodes[place].inputs.count <= index { nodes[place].inputs.append(nil) }
    if nodes[place].inputs[index] == nil {
      var fresh = FreshNames(in: self)
      let name = fresh("\(node).bias")
      constants[name] = Tensor(shift, shape: [shift.count])
      nodes[place].inputs[index] = name
      return
    }
    rewrite(constantOf: node, index) { bias in
      Tensor(zip(bias.array(of: Float.self), shift).map { $0 + $1 }, shape: bias.shape)
    }
  }
}
