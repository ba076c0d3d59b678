/// Sixteen levels, ascending, that stand for a code each.
struct Codebook: Sendable {
  let levels: [Float]
  /// Halfway between two levels; a value on it belongs to the lower one.
  let thresholds: [Float]

  init(_ levels: [Float]) {
    self.levels = levels
    thresholds = zip(levels, levels.dropFirst()).map { Float((Double($0) + Double($1)) / 2) }
  }

  func withSearch(_ body: (CodebookSearch) -> Void) {
    let steps = zip(levels, levels.dropFirst()).map { $1 - $0 }
    thresholds.withUnsafeBufferPointer { thresholds in
      steps.withUnsafeBufferPointer { steps in
        guard let t = thresholds.baseAddress, let s = steps.baseAddress else { return }
        body(CodebookSearch(thresholds: t, steps: s, lowest: levels[0], highest: levels[15]))
      }
    }
  }
}

/// Finds the scale of real = scale · level for a group.
struct CodebookSearch {
  let thresholds: UnsafePointer<Float>
  let steps: UnsafePointer<Float>
  let lowest: Float
  let highest: Float

  /// Indices of the nearest levels.
  func writeCodes(
    _ x: UnsafePointer<Float>, count: Int, inverse: Float, into codes: UnsafeMutablePointer<UInt8>
  ) {
    for i in stride(from: 0, to: count, by: 4) {
      let t = x.quad(i) * inverse
      var code = Quad(repeating: roundingUnit)
      for k in 0..<15 { code.replace(with: code + 1, where: t .> thresholds[k]) }
      lowBytes(code, into: codes + i)
    }
  }

  /// Σ w·l² and Σ w·l·x of the nearest levels l.
  func sums(_ group: WeightedGroup, inverse: Float) -> (ll: Float, lx: Float) {
    var (ll, lx) = (Quad.zero, Quad.zero)
    for i in stride(from: 0, to: group.count, by: 4) {
      let v = group.x.quad(i)
      let t = v * inverse
      var level = Quad(repeating: lowest)
      for k in 0..<15 {
        level += Quad.zero.replacing(with: Quad(repeating: steps[k]), where: t .> thresholds[k])
      }
      let weighted = group.w.quad(i) * level
      ll += weighted * level
      lx += weighted * v
    }
    return (ll.total, lx.total)
  }

  /// Σ w·(x − scale · l)².
  func error(_ group: WeightedGroup, inverse: Float, scale: Float) -> Float {
    let s = sums(group, inverse: inverse)
    return group.sumXX + scale * (scale * s.ll - 2 * s.lx)
  }

  /// The best found scale: starts with the extreme value on a level at either end, more or less.
  ///
  /// - Parameter margins: what the extreme exceeds that level by, as a share of it.
  func scale(_ group: WeightedGroup, margins: ClosedRange<Float>, starts: Int, rounds: Int) -> Float {
    var best = (scale: Float(0), error: Float.infinity)
    let extreme = group.extreme
    guard extreme != 0 else { return 0 }
    for k in 0..<2 * starts {
      let share = Float(k / 2) / Float(starts - 1)
      let margin = 1 + margins.lowerBound + (margins.upperBound - margins.lowerBound) * share
      var inverse = (k % 2 == 0 ? lowest : highest) * margin / extreme
      for _ in 0..<rounds {
        let s = sums(group, inverse: inverse)
        guard s.ll > 0 else { break }
        let scale = s.lx / s.ll
        let error = group.sumXX - scale * s.lx
        if error < best.error { best = (scale, error) }
        guard scale != 0 else { break }
        inverse = 1 / scale
      }
    }
    return best.scale
  }
}
