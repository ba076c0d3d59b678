import Graph
import Tensors

/// Makes the ranges of the weights on both sides of a value equal, channel by channel.
///
/// With r₁ the largest weight that gives a channel and r₂ the largest that multiplies it, the channel is divided by
/// s = √(r₁ / r₂), so that both are √(r₁ · r₂); again and again, because a layer lies on two sides, until factors stay
/// within a thousandth of 1. Through ReLU6 the bound becomes one for each channel.
/// - Source: Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019, section 4.1.
enum CrossLayerEqualization {
  static let sweeps = 50
  static let tolerance: Float = 1e-3

  /// - Parameter layers: those whose recipe asks for it; a value takes part where all layers around it do.
  /// - Returns: values whose channels were scaled.
  static func equalize(
    _ graph: inout Graph, infos: [ValueName: OperandInfo], layers: Set<String>
  ) -> Int {
    let values = ScalableValue.all(in: graph, infos: infos, readBy: layers).filter {
      $0.source?.layer.map { layers.contains($0.node) } ?? false
    }
    var total = values.map { [Float](repeating: 1, count: $0.channels) }
    for _ in 0..<sweeps {
      var largest: Float = 1
      for (index, value) in values.enumerated() {
        guard let layer = value.source?.layer else { continue }
        let given = layer.magnitudes(graph).outputs
        let factors = zip(given, value.readMagnitudes(graph)).map {
          $0 > 0 && $1 > 0 ? ($0 / $1).squareRoot() : 1
        }
        graph.scale(value, by: factors)
        for channel in factors.indices {
          total[index][channel] *= factors[channel]
          largest = max(largest, factors[channel], 1 / factors[channel])
        }
      }
      if largest < 1 + tolerance { break }
    }
    for (value, factors) in zip(values, total) { graph.finishScaling(value, by: factors, infos) }
    return values.count
  }
}
