import Foundation
import Tensors

/// Makes the weights of channels with large activations large, so that rounding costs them less: channel j of what a
/// layer reads is divided by mean|x_j|^α, and its weights are multiplied, with the α of 0.05, 0.1 … 1 that has the
/// least expected noise (`ScalingNoise`).
/// - Source: Lin et al., *AWQ: activation-aware weight quantization for on-device LLM compression and acceleration*,
///   2023, equation 5; the criterion there is the error on samples, here the one of independent channels.
enum AWQ {
  static let exponents = (1...20).map { Float($0) / 20 }

  /// What to divide channels by; `nil` where the value is better left alone.
  static func factors(_ statistics: ChannelStatistics, _ noise: ScalingNoise, channels: Int) -> [Float]? {
    noise.best(
      of: exponents.map { exponent in
        ScalingNoise.normalized(
          (0..<channels).map { channel in
            let magnitude = statistics.meanMagnitude(channel)
            return magnitude > 0 ? pow(magnitude, exponent) : 0
          })
      })
  }
}
