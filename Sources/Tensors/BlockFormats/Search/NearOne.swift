/// Copies `count` values, a multiple of 4, times the power of two that brings the largest magnitude into 1…2, so that
/// their squares neither vanish nor overflow.
///
/// - Returns: the exponent of the power that undoes it.
func bringNearOne(_ row: UnsafePointer<Float>, _ count: Int, into x: UnsafeMutablePointer<Float>) -> Int {
  let (low, high) = extremes(row, count)
  let most = Swift.max(high, -low)
  let power = most > 0 && most.isFinite ? Swift.max(Int(most.exponent), -100) : 0
  let factor = Float(sign: .plus, exponent: -power, significand: 1)
  for i in 0..<count { x[i] = row[i] * factor }
  return power
}

/// Float16 numbers, seen from values that were divided by a power of two.
struct HalfGrid {
  private let up: Float
  private let down: Float

  init(power: Int) {
    up = Float(sign: .plus, exponent: power, significand: 1)
    down = Float(sign: .plus, exponent: -power, significand: 1)
  }

  /// The nearest such number; the largest where `x` lies beyond.
  func round(_ x: Float) -> Float { Float(Float16(Swift.min(Swift.max(x * up, -65504), 65504))) * down }
  /// What a file holds for it.
  func stored(_ x: Float) -> Float { x * up }
}

/// Weights divided by their mean; all 1 where there are none, or none that counts.
func normalize(_ importance: UnsafePointer<Float>?, _ count: Int, into w: UnsafeMutablePointer<Float>) {
  guard let importance else { return w.update(repeating: 1, count: count) }
  var sum: Float = 0
  for i in 0..<count { sum += importance[i] }
  let factor = Float(count) / sum
  guard factor.isFinite, factor > 0 else { return w.update(repeating: 1, count: count) }
  // A weight of nothing still prefers a near code to a far one.
  for i in 0..<count { w[i] = Swift.max(importance[i] * factor, 1e-6) }
}
