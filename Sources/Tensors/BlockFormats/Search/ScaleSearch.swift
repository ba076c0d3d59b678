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
  /// Codes beyond the range that the extreme of a group would take, at the first start and at the last.
  let first: Float
  let last: Float
  /// Four starts each.
  let quads: Int
  let rounds: Int

  static let none = SearchEffort(first: 0, last: 0, quads: 0, rounds: 0)

  @inline(__always) func starts(_ quad: Int) -> Quad {
    let step = (last - first) / Float(4 * quads - 1)
    return first + step * (Quad(0, 1, 2, 3) + Float(4 * quad))
  }
}

/// The best of four searches at once, one in each lane.
private struct LaneFit {
  var scale = Quad.zero
  var minimum = Quad.zero
  var error = Quad(repeating: .infinity)
  var q = Quad.zero
  var qq = Quad.zero
  var qx = Quad.zero

  @inline(__always)
  mutating func keep(_ scale: Quad, _ minimum: Quad, _ error: Quad, _ s: LaneSums) {
    let better = error .< self.error
    self.scale.replace(with: scale, where: better)
    self.minimum.replace(with: minimum, where: better)
    self.error.replace(with: error, where: better)
    q.replace(with: s.q, where: better)
    qq.replace(with: s.qq, where: better)
    qx.replace(with: s.qx, where: better)
  }

  var best: GroupFit {
    var best = GroupFit()
    for lane in 0..<4 where error[lane] < best.error {
      best = GroupFit(
        scale: scale[lane], minimum: minimum[lane], error: error[lane],
        sums: CodeSums(q: q[lane], qq: qq[lane], qx: qx[lane]))
    }
    return best
  }
}

/// `CodeSums` of four searches.
private struct LaneSums {
  var q = Quad.zero
  var qq = Quad.zero
  var qx = Quad.zero
}

extension WeightedGroup {
  /// One value after the other, for four scales: no sums across lanes.
  @inline(__always)
  private func sums(inverse: Quad, minimum: Quad, _ range: CodeRange) -> LaneSums {
    var s = LaneSums()
    for i in 0..<count {
      let code = (range.clamp((x[i] - minimum) * inverse) + roundingUnit) - roundingUnit
      let weighted = w[i] * code
      s.q += weighted
      s.qq += weighted * code
      s.qx += weighted * x[i]
    }
    return s
  }

  /// The best found fit real = scale · code + minimum, codes 0…`range.highest`.
  ///
  /// - Parameter negative: whether the minimum must be at most 0, as where a format holds how far it is below.
  func affineFit(_ range: CodeRange, negative: Bool, _ effort: SearchEffort) -> GroupFit {
    let lowest = negative ? Swift.min(low, 0) : low
    let spread = high - lowest
    guard spread > 0 else { return GroupFit(scale: 0, minimum: lowest, error: 0) }
    var best = LaneFit()
    for quad in 0..<effort.quads {
      var inverse = (range.highest + effort.starts(quad)) / spread
      var minimum = Quad(repeating: lowest)
      for _ in 0..<effort.rounds {
        let s = sums(inverse: inverse, minimum: minimum, range)
        let determinant = sumW * s.qq - s.q * s.q
        var scale = (sumW * s.qx - s.q * sumX) / determinant
        minimum = (s.qq * sumX - s.q * s.qx) / determinant
        // Codes that hardly differ cannot tell scale and minimum apart.
        var fixed = determinant .<= 1e-4 * sumW * s.qq
        if negative { fixed = fixed .| (minimum .> 0) }
        minimum.replace(with: 0, where: fixed)
        scale.replace(with: s.qx / s.qq, where: fixed)
        // At the fit the normal equations hold, so the error needs no squares.
        var error = sumXX - scale * s.qx - minimum * sumX
        error.replace(with: .infinity, where: scale .<= 0)
        best.keep(scale, minimum, error, s)
        inverse = 1 / scale
      }
    }
    return best.best
  }

  /// The best found fit real = scale · code; the scale may be negative, because there is one more code below zero.
  ///
  /// The effort counts for the extreme at the lowest code; `opposite` for the extreme at the highest.
  func symmetricFit(_ range: CodeRange, _ effort: SearchEffort, opposite: SearchEffort) -> GroupFit {
    let extreme = self.extreme
    guard extreme != 0 else { return GroupFit(error: 0) }
    var best = LaneFit()
    for quad in 0..<effort.quads + opposite.quads {
      let isOpposite = quad >= effort.quads
      let code =
        isOpposite
        ? range.highest + opposite.starts(quad - effort.quads) : range.lowest - effort.starts(quad)
      var inverse = code / extreme
      for _ in 0..<(isOpposite ? opposite.rounds : effort.rounds) {
        let s = sums(inverse: inverse, minimum: .zero, range)
        let scale = s.qx / s.qq
        best.keep(scale, .zero, sumXX - scale * s.qx, s)
        inverse = 1 / scale
      }
    }
    return best.best
  }

  /// Scale and minimum of the least squares fit to codes with these sums; `nil` where there is none.
  ///
  /// Codes that hardly differ cannot tell the two apart: then the minimum is 0.
  @inline(__always)
  func fit(_ s: CodeSums, negative: Bool) -> (scale: Float, minimum: Float)? {
    let determinant = sumW * s.qq - s.q * s.q
    if determinant > 1e-4 * sumW * s.qq {
      let minimum = (s.qq * sumX - s.q * s.qx) / determinant
      if !negative || minimum <= 0 { return ((sumW * s.qx - s.q * sumX) / determinant, minimum) }
    }
    return s.qq > 0 ? (s.qx / s.qq, 0) : nil
  }
}
