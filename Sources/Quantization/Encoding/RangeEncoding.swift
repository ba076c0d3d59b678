import Tensors

extension Encoding {
  /// The encoding of activations per tensor that covers a range.
  ///
  /// Codes are unsigned. The range is widened to hold zero, which a code represents exactly.
  /// - Affine: scale = (upper − lower) / (2^bits − 1), zero point = rne(−lower / scale).
  /// - Symmetric: scale = max(|lower|, |upper|) / (2^(bits−1) − 1), zero point 2^(bits−1), codes 1…2^bits − 1.
  /// - A range of nothing but zero has scale 1 and, affine, zero point 0.
  package static func covering(_ range: ClosedRange<Float>, bits: Int, symmetric: Bool) -> Encoding {
    let scheme = Scheme(bits: bits, symmetry: .affine, granularity: .tensor)
    let lower = min(Double(range.lowerBound), 0)
    let upper = max(Double(range.upperBound), 0)
    let highest = (Int32(1) << bits) - 1
    if symmetric {
      let middle = Int32(1) << (bits - 1)
      let scale = max(-lower, upper) / Double(middle - 1)
      return Encoding(scheme: scheme, scales: [usable(scale)], zeroPoints: [middle], codes: 1...highest)
    }
    let (scale, zero) = affine(lower, upper, highest)
    return Encoding(scheme: scheme, scales: [scale], zeroPoints: [zero])
  }

  /// Scale and zero point of codes 0…`highest` over lower…upper, which holds zero.
  static func affine(_ lower: Double, _ upper: Double, _ highest: Int32) -> (scale: Float, zero: Int32) {
    let scale = (upper - lower) / Double(highest)
    guard scale >= Double(Float.leastNormalMagnitude) else { return (1, 0) }
    let zero = (-lower / scale).rounded(.toNearestOrEven)
    return (Float(scale), Int32(min(max(zero, 0), Double(highest))))
  }

  /// A scale as float32; 1 where it is too small to divide by.
  static func usable(_ scale: Double) -> Float {
    abs(scale) >= Double(Float.leastNormalMagnitude) ? Float(scale) : 1
  }
}
