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
  ///
  /// - Parameter weights: by channel the largest that multiplies it.
  static func factors(
    _ statistics: ChannelStatistics, weights: [Float], _ noise: ScalingNoise, exponent: Float?
  ) -> [Float]? {
    func factors(_ exponent: Float) -> [Float] {
      ScalingNoise.normalized(
        weights.indices.map { channel in
          let activation = statistics.largest(channel)
          guard activation > 0, weights[channel] > 0 else { return 0 }
          return pow(activation, exponent) / pow(weights[channel], 1 - exponent)
        })
    }
    if let exponent { return factors(exponent) }
    return noise.best(of: exponents.map(factors))
  }
}
