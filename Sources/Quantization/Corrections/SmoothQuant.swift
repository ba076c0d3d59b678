import Foundation
import Tensors

/// Moves what is hard to encode from activations with outlying channels to weights: channel j is divided by
/// max|x_j|^α / max|w_j|^(1 − α).
///
/// Without a given α the one of 0, 0.1 … 1 with the least expected noise (`ScalingNoise`) is taken for each value, or
/// none where nothing is better than to leave it. Unlike cross-layer equalization it goes by what samples show.
/// - Source: Xiao et al., *SmoothQuant: accurate and efficient post-training quantization for large language models*,
///   2022, equation 4.
enum SmoothQuant {
  static let exponents = (0...10).map { Float($0) / 10 }

  /// What to divide channels by; `nil` where the value is better left alone.
  static func factors(
    _ statistics: ChannelStatistics, _ noise: ScalingNoise, exponent: Float?
  ) -> [Float]? {
    let weights = noise.weightMagnitudes
    func factors(_ exponent: Float) -> [Float] {
      normalized(
        weights.indices.map { channel in
          let activation = statistics.largest(channel)
          guard activation > 0, weights[channel] > 0 else { return 0 }
          return pow(activation, exponent) / pow(weights[channel], 1 - exponent)
        })
    }
    if let exponent { return factors(exponent) }
    return best(of: exponents.map(factors), noise)
  }

  /// The factors with the least noise; `nil` where that of none is as small.
  static func best(of candidates: [[Float]], _ noise: ScalingNoise) -> [Float]? {
    guard let count = candidates.first?.count else { return nil }
    var least = noise.noise([Float](repeating: 1, count: count))
    var best: [Float]?
    for factors in candidates {
      let found = noise.noise(factors)
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
}
