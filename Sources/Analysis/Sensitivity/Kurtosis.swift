import Graph
import Tensors
import Workflows

/// How heavy the tails of weights are: the ranking of layers that needs neither data nor a run.
///
/// A grid of codes that has to reach a few far values is coarse for all the others, so layers with heavy tails tend to
/// lose most. It knows nothing of what the rest of the network does with the error, and is an estimate of the order
/// only.
/// - Source: Shkolnik et al., *Robust quantization: one model to rule them all*, 2020, which trains towards the 1.8 of
///   the uniform distribution.
package enum Kurtosis {
  /// m₄ / m₂² about the mean: 1.8 for uniform values, 3 for normal ones; `nil` for fewer than two values, or where all
  /// are equal or one is not finite.
  package static func of(_ values: UnsafeBufferPointer<Float>) -> Double? {
    guard values.count > 1 else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0.0) { $0 + Double($1) } / count
    var second = 0.0
    var fourth = 0.0
    for value in values {
      let square = (Double(value) - mean) * (Double(value) - mean)
      second += square
      fourth += square * square
    }
    guard second > 0, fourth.isFinite else { return nil }
    return count * fourth / (second * second)
  }

  /// Of each layer's weights, by layer name.
  package static func layers(of model: Model) -> [String: Double] {
    var result: [String: Double] = [:]
    for layer in model.layers {
      guard let weight = layer.weight, let tensor = model.graph.constants[weight], tensor.type == .float32
      else { continue }
      result[layer.name] = tensor.withElements(of: Float.self) { of($0) }
    }
    return result
  }
}
