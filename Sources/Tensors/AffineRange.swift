/// Scale and zero point of unsigned affine codes that cover a range of real numbers: what dynamic quantization
/// computes while the model runs.
///
/// Zero is made part of the range: scale = (highest − lowest) / (2^bits − 1), zero point = rne(−lowest / scale)
/// within the codes. A range of nothing but zero has scale 1, zero point 0. Source: ONNX DynamicQuantizeLinear.
package struct AffineRange: Sendable, Hashable {
  /// Real per code.
  package var scale: Float
  package var zeroPoint: Int32

  @inlinable
  package init(lowest: Float, highest: Float, bits: Int = 8) {
    let codes = Float((1 << bits) - 1)
    let (lower, upper) = (Swift.min(lowest, 0), Swift.max(highest, 0))
    let scale = (upper - lower) / codes
    guard scale > 0, scale.isFinite else {
      self.scale = 1
      zeroPoint = 0
      return
    }
    self.scale = scale
    zeroPoint = Int32(Swift.min(Swift.max((-lower / scale).rounded(.toNearestOrEven), 0), codes))
  }
}

/// Quantize and dequantize at once: scale · (clamp(rne(x / scale) + z) − z), for `count` neighbours.
///
/// `lowest` and `highest` are the codes minus the zero point; they must be integers below 2²² in size.
@inlinable
package func quantizeDequantize(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, scale: Float, lowest: Float,
  highest: Float
) {
  // Adding and taking away 1.5 · 2²³ rounds half to even; clamping first gives the same codes, as the bounds are
  // integers.
  let magic: Float = 12_582_912
  for i in 0..<count {
    let ratio = x[i] / scale
    let clamped = ratio < lowest ? lowest : (ratio > highest ? highest : ratio)
    y[i] = scale * ((clamped + magic) - magic)
  }
}
