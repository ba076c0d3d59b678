/// Finds scale and minimum of one block of a format that holds them as float16.
///
/// The best fit is brought to numbers that a float16 holds, the codes follow, and both are fitted anew to these codes; in
/// turn, keeping the best.
struct HalfScaleSearch: Sendable {
  let codes: CodeRange
  let hasMinimums: Bool
  let effort: SearchEffort
  /// Of symmetric formats: starts with the extreme at the highest code.
  let opposite: SearchEffort
  let rounds: Int

  /// Writes the codes, the low byte of each.
  ///
  /// - Parameter scratch: 2 · `count` floats.
  /// - Returns: scale and minimum as a file holds them.
  func find(
    _ row: UnsafePointer<Float>, importance: UnsafePointer<Float>?, count: Int,
    scratch: UnsafeMutablePointer<Float>, into codes: UnsafeMutablePointer<UInt8>
  ) -> (scale: Float, minimum: Float) {
    let halves = HalfGrid(power: bringNearOne(row, count, into: scratch))
    normalize(importance, count, into: scratch + count)
    let group = WeightedGroup(x: scratch, w: scratch + count, count: count)
    let range = self.codes
    let fit =
      hasMinimums
      ? group.affineFit(range, negative: false, effort)
      : group.symmetricFit(range, effort, opposite: opposite)
    var (scale, minimum) = (halves.round(fit.scale), halves.round(fit.minimum))
    var best = (scale: scale, minimum: minimum, error: Float.infinity)
    for round in 0..<rounds {
      let inverse = reciprocal(scale)
      let error = group.exactError(inverse: inverse, scale: scale, minimum: minimum, range)
      if error < best.error { best = (scale, minimum, error) }
      guard round + 1 < rounds else { break }
      let s = group.sums(inverse: inverse, minimum: minimum, range)
      if !hasMinimums {
        guard s.qq > 0 else { break }
        scale = halves.round(s.qx / s.qq)
      } else {
        guard let fitted = group.fit(s, negative: false) else { break }
        scale = halves.round(fitted.scale)
        minimum = halves.round((group.sumX - scale * s.q) / group.sumW)
      }
    }
    group.writeCodes(inverse: reciprocal(best.scale), minimum: best.minimum, range, into: codes)
    return (halves.stored(best.scale), halves.stored(best.minimum))
  }
}
