/// Scale and minimum of a group, with the sums of the codes they were fitted to.
struct GroupFit {
  var scale: Float = 0
  var minimum: Float = 0
  var error: Float = .infinity
  var sums = CodeSums()
}

/// How many scales to start from, and how often each is fitted anew to the codes it gives.
///
/// From every start the codes are rounded, then scale and minimum are the least squares fit to these codes
/// (Lloyd's two steps in turn), which never raises the error.
struct SearchEffort: Sendable {
  /// Codes beyond the range that the extremes of a group would take: first start, last start, their number.
  var first: Float
  var last: Float
  var starts: Int
  var rounds: Int

  static let none = SearchEffort(first: 0, last: 0, starts: 0, rounds: 0)

  @inline(__always) func start(_ k: Int) -> Float {
    starts > 1 ? first + (last - first) * Float(k) / Float(starts - 1) : first
  }
}

extension WeightedGroup {
  /// The best found fit real = scale · code + minimum, codes 0…`range.highest`.
  ///
  /// - Parameter negative: whether the minimum must be at most 0, as where a format holds how far it is below.
  func affineFit(_ range: CodeRange, negative: Bool, _ effort: SearchEffort) -> GroupFit {
    let lowest = negative ? Swift.min(low, 0) : low
    let spread = high - lowest
    var best = GroupFit()
    guard spread > 0 else {
      best.minimum = lowest
      best.error = 0
      return best
    }
    for k in 0..<effort.starts {
      var (inverse, minimum) = ((range.highest + effort.start(k)) / spread, lowest)
      for _ in 0..<effort.rounds {
        let s = sums(inverse: inverse, minimum: minimum, range)
        let determinant = sumW * s.qq - s.q * s.q
        guard determinant > 0 else { break }
        var scale = (sumW * s.qx - s.q * sumX) / determinant
        minimum = (s.qq * sumX - s.q * s.qx) / determinant
        if negative, minimum > 0 { (scale, minimum) = (s.qx / s.qq, 0) }
        guard scale > 0 else { break }
        // At the fit the normal equations hold, so the error needs no squares.
        let error = sumXX - scale * s.qx - minimum * sumX
        if error < best.error { best = GroupFit(scale: scale, minimum: minimum, error: error, sums: s) }
        inverse = 1 / scale
      }
    }
    return best
  }

  /// The best found fit real = scale · code; the scale may be negative, because there is one more code below zero.
  ///
  /// The effort counts for the extreme at the lowest code; `opposite` for the extreme at the highest.
  func symmetricFit(_ range: CodeRange, _ effort: SearchEffort, opposite: SearchEffort) -> GroupFit {
    var best = GroupFit()
    let extreme = self.extreme
    guard extreme != 0 else {
      best.error = 0
      return best
    }
    for k in 0..<effort.starts + opposite.starts {
      let code =
        k < effort.starts
        ? range.lowest - effort.start(k) : range.highest + opposite.start(k - effort.starts)
      var inverse = code / extreme
      for _ in 0..<effort.rounds {
        let s = sums(inverse: inverse, minimum: 0, range)
        guard s.qq > 0 else { break }
        let scale = s.qx / s.qq
        let error = sumXX - scale * s.qx
        if error < best.error { best = GroupFit(scale: scale, minimum: 0, error: error, sums: s) }
        guard scale != 0 else { break }
        inverse = 1 / scale
      }
    }
    return best
  }
}
