import Graph
import Quantization

/// How far one layer is quantized.
package struct Width: Sendable, Hashable, Codable {
  /// `nil` leaves the weights in float32.
  package var weightBits: Int?
  /// `nil` leaves the activations in float32.
  package var activationBits: Int?

  package init(weightBits: Int?, activationBits: Int?) {
    self.weightBits = weightBits
    self.activationBits = activationBits
  }

  /// As layers write their widths: `W4A8`, `W4`, `A8`.
  package var text: String {
    (weightBits.map { "W\($0)" } ?? "") + (activationBits.map { "A\($0)" } ?? "")
  }
}

extension Width {
  /// The option that says so: static where activations are quantized, else of the weights alone.
  package var option: LayerOption {
    LayerOption(
      mode: activationBits == nil ? .weightOnly : .static, weightBits: weightBits,
      activationBits: activationBits)
  }
}
