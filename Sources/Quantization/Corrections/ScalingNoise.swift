import Foundation
import Graph
import Operators
import Tensors

/// How much noise encoding adds to what the readers of a value give, under factors for its channels: the expected
/// square, over outputs of all readers.
///
/// Weights count as they are really rounded, each times the mean square of what it multiplies, as if channels were
/// independent; activations as uniform noise of their step.
/// - Source of the uniform noise: Widrow and Kollár, *Quantization noise*, 2008.
struct ScalingNoise {
  private let value: ScalableValue
  private let statistics: ChannelStatistics
  private let readers: [(layer: ChannelWeights, tensor: Tensor, settings: LayerSettings)]

  init(
    _ value: ScalableValue, _ statistics: ChannelStatistics, _ graph: Graph,
    settings: [String: LayerSettings]
  ) {
    self.value = value
    self.statistics = statistics
    readers = value.readers.compactMap { reader in
      guard let tensor = graph.constants[reader.value], let settings = settings[reader.node] else {
        return nil
      }
      return (reader, tensor, settings)
    }
  }

  /// The factors with the least noise; `nil` where that of none is as small.
  func best(of candidates: [[Float]]) -> [Float]? {
    var least = noise([Float](repeating: 1, count: value.channels))
    var best: [Float]?
    for factors in candidates {
      let found = noise(factors)
      if found < least { (least, best) = (found, factors) }
    }
    return best
  }

  /// Factors whose geometric mean is 1; channels without one (0) are left as they are.
  static func normalized(_ factors: [Float]) -> [Float] {
    let logarithms = factors.filter { $0 > 0 }.map { log(Double($0)) }
    guard !logarithms.isEmpty else { return factors.map { _ in 1 } }
    let mean = Float(exp(logarithms.reduce(0, +) / Double(logarithms.count)))
    return factors.map { $0 > 0 ? min(max($0 / mean, 1e-4), 1e4) : 1 }
  }

  /// - Parameter factors: what channels are divided by.
  func noise(_ factors: [Float]) -> Double {
    readers.reduce(0) { $0 + noise($1.layer, $1.tensor, $1.settings, factors) }
  }

  private func noise(
    _ layer: ChannelWeights, _ tensor: Tensor, _ settings: LayerSettings, _ factors: [Float]
  ) -> Double {
    let scaled = layer.scaled(tensor, inputs: factors)
    let encoder = WeightEncoder(
      settings: settings.weights, shape: layer.shape, channelAxis: layer.role.channelAxis,
      groupAxis: layer.role.featureAxis)
    return scaled.withElements(of: Float.self) { weights in
      guard let numbers = encoder.scales(weights) else { return .infinity }
      let rounded = decodedFloats(encoder.encode(weights, numbers))
      let step = activationStep(settings, factors)
      var (byWeights, byActivations) = (0.0, 0.0)
      layer.forEachElement { element, _, input in
        let error = Double((rounded[element] - weights[element]) / factors[input])
        byWeights += error * error * statistics.meanSquare(input)
        byActivations += Double(weights[element]) * Double(weights[element])
      }
      return byWeights + byActivations * step * step / 12
    }
  }

  /// Distance of two codes of the value as it is read; 0 where it stays float.
  private func activationStep(_ settings: LayerSettings, _ factors: [Float]) -> Double {
    guard settings.mode.isStatic || settings.mode == .dynamic else { return 0 }
    var (low, high) = (Float(0), Float(0))
    for channel in factors.indices {
      low = min(low, statistics.lowest[channel] / factors[channel])
      high = max(high, statistics.highest[channel] / factors[channel])
    }
    if settings.activations.symmetric { (low, high) = (-max(-low, high), max(-low, high)) }
    return Double(high - low) / Double(1 << settings.activations.width - 1)
  }
}
