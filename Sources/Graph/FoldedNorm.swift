/// A batch norm that was multiplied into the layer before it, so that training can take it out again.
///
/// The layer's own weight is what it holds divided by gain / √(variance + epsilon), channel by channel; its bias is
/// shift − mean · gain / √(variance + epsilon).
package struct FoldedNorm: Sendable, Hashable {
  /// The constant that took up mean and shift.
  package var bias: ValueName
  /// One number for each output channel of the layer, as are the next three: γ.
  package var gain: [Float]
  /// β.
  package var shift: [Float]
  /// Running mean of what the layer gives without a bias.
  package var mean: [Float]
  /// Running variance of it.
  package var variance: [Float]
  package var epsilon: Float

  package init(
    bias: ValueName, gain: [Float], shift: [Float], mean: [Float], variance: [Float], epsilon: Float
  ) {
    self.bias = bias
    self.gain = gain
    self.shift = shift
    self.mean = mean
    self.variance = variance
    self.epsilon = epsilon
  }
}
