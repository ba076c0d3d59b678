/// One group of a super-block while its numbers are sought: the best fit so far and the whole numbers that stand for it.
struct SuperGroup {
  var group: WeightedGroup
  var fit: GroupFit
  /// Scale in steps of the super-block's scale, minimum in steps of its own.
  var step: Float = 0
  var minimumStep: Float = 0
  var bestStep: Float = 0
  var bestMinimumStep: Float = 0
}

/// Finds the numbers of super-blocks: groups whose scales and minimums are themselves whole numbers of steps.
///
/// real = scale · step · code − minimumScale · minimumStep. First every group is fitted alone. Then the groups' numbers
/// are rounded to steps, their codes follow, and the two scales are the least squares fit to all that; in turn, keeping
/// the best. The values are brought near 1 by a power of two first, so that squares neither vanish nor overflow.
struct SuperBlockSearch: Sendable {
  let size: Int
  let codes: CodeRange
  let steps: CodeRange
  let effort: SearchEffort
  /// Of symmetric formats: starts with the extreme at the highest code.
  let opposite: SearchEffort
  let hasMinimums: Bool
  /// How often the two scales are fitted anew.
  let rounds: Int

  /// 256 values, their weights and their codes.
  struct Scratch {
    let x: UnsafeMutablePointer<Float>
    let w: UnsafeMutablePointer<Float>
    let codes: UnsafeMutablePointer<UInt8>
    let groups: UnsafeMutablePointer<SuperGroup>
  }

  static func withScratch(groups count: Int, _ body: (Scratch) -> Void) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 512) { floats in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { codes in
        withUnsafeTemporaryAllocation(of: SuperGroup.self, capacity: count) { groups in
          guard let x = floats.baseAddress, let codes = codes.baseAddress, let groups = groups.baseAddress
          else { return }
          body(Scratch(x: x, w: x + 256, codes: codes, groups: groups))
        }
      }
    }
  }

  /// Fills `scratch` for 256 values: best steps of every group, and codes.
  ///
  /// - Returns: the two scales, numbers that a float16 holds.
  func find(_ row: UnsafePointer<Float>, importance: UnsafePointer<Float>?, _ scratch: Scratch) -> (
    scale: Float, minimumScale: Float
  ) {
    let count = 256 / size
    let power = bringNearOne(row, 256, into: scratch.x)
    normalize(importance, 256, into: scratch.w)
    let halves = HalfGrid(power: power)
    for g in 0..<count {
      let group = WeightedGroup(x: scratch.x + g * size, w: scratch.w + g * size, count: size)
      let fit =
        hasMinimums
        ? group.affineFit(codes, negative: true, effort)
        : group.symmetricFit(codes, effort, opposite: opposite)
      scratch.groups[g] = SuperGroup(group: group, fit: fit)
    }
    var (scale, minimumScale) = firstScales(scratch, count, halves)
    var best = (scale: Float(0), minimumScale: Float(0), error: Float.infinity)
    for round in 0..<rounds {
      var error: Float = 0
      for g in 0..<count {
        settle(&scratch.groups[g], scale, minimumScale)
        error += scratch.groups[g].fit.error
      }
      if error < best.error {
        best = (scale, minimumScale, error)
        for g in 0..<count {
          scratch.groups[g].bestStep = scratch.groups[g].step
          scratch.groups[g].bestMinimumStep = scratch.groups[g].minimumStep
        }
      }
      if round + 1 < rounds { (scale, minimumScale) = refit(scratch, count, halves) }
    }
    for g in 0..<count {
      let of = scratch.groups[g]
      of.group.writeCodes(
        inverse: reciprocal(best.scale * of.bestStep), minimum: -best.minimumScale * of.bestMinimumStep,
        codes, into: scratch.codes + g * size)
    }
    return (halves.stored(best.scale), halves.stored(best.minimumScale))
  }

  /// Scales whose highest steps reach the largest scale and minimum of a group.
  private func firstScales(_ scratch: Scratch, _ count: Int, _ halves: HalfGrid) -> (Float, Float) {
    var (extreme, minimum) = (Float(0), Float(0))
    for g in 0..<count {
      let fit = scratch.groups[g].fit
      if fit.scale.magnitude > extreme.magnitude { extreme = fit.scale }
      minimum = Swift.max(minimum, -fit.minimum)
    }
    let first = steps.lowest < 0 ? extreme / steps.lowest : extreme / steps.highest
    return (halves.round(first), halves.round(minimum / steps.highest))
  }

  /// The whole numbers of one group under these scales, and the codes that follow.
  private func settle(_ of: inout SuperGroup, _ scale: Float, _ minimumScale: Float) {
    let group = of.group
    let sums = of.fit.sums
    let middle = of.fit.scale * reciprocal(scale)
    var best = Float.infinity
    for near in 0..<2 {
      let step = steps.round(near == 0 ? middle.rounded(.down) : middle.rounded(.up))
      let real = scale * step
      let wanted = group.sumW > 0 ? (group.sumX - real * sums.q) / group.sumW : 0
      let minimumStep = hasMinimums ? steps.round(-wanted * reciprocal(minimumScale)) : 0
      let error = group.error(sums, scale: real, minimum: -minimumScale * minimumStep)
      if error < best { (best, of.step, of.minimumStep) = (error, step, minimumStep) }
    }
    let (real, minimum) = (scale * of.step, -minimumScale * of.minimumStep)
    of.fit.sums = group.sums(inverse: reciprocal(real), minimum: minimum, codes)
    of.fit.error = group.error(of.fit.sums, scale: real, minimum: minimum)
    // What the next scales would like of this group.
    let s = of.fit.sums
    if !hasMinimums {
      if s.qq > 0 { of.fit.scale = s.qx / s.qq }
    } else if let fitted = group.fit(s, negative: true) {
      of.fit.scale = fitted.scale
    }
  }

  /// The two scales that fit all codes and steps best.
  private func refit(_ scratch: Scratch, _ count: Int, _ halves: HalfGrid) -> (Float, Float) {
    var (ss, sm, mm, sx, mx) = (Float(0), Float(0), Float(0), Float(0), Float(0))
    for g in 0..<count {
      let of = scratch.groups[g]
      ss += of.step * of.step * of.fit.sums.qq
      sm -= of.step * of.minimumStep * of.fit.sums.q
      mm += of.minimumStep * of.minimumStep * of.group.sumW
      sx += of.step * of.fit.sums.qx
      mx -= of.minimumStep * of.group.sumX
    }
    let determinant = ss * mm - sm * sm
    if hasMinimums, determinant > 0 {
      return (
        halves.round((mm * sx - sm * mx) / determinant), halves.round((ss * mx - sm * sx) / determinant)
      )
    }
    return (halves.round(ss > 0 ? sx / ss : 0), halves.round(mm > 0 ? mx / mm : 0))
  }
}

/// A uniform format of super-blocks: the search finds the numbers, the format packs them.
protocol SuperBlocks: UniformBlocks {
  static var search: SuperBlockSearch { get }

  /// Writes a block from `found.codes` (whole numbers, the low byte of each) and the groups' best steps.
  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch,
    into block: UnsafeMutableRawPointer)
}

extension SuperBlocks {
  package var elements: Int { 256 }
  package var hasMinimums: Bool { Self.search.hasMinimums }
  var group: Int { Self.search.size }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 256 == 0, "\(name) holds whole blocks of 256")
    let search = Self.search
    SuperBlockSearch.withScratch(groups: 256 / search.size) { scratch in
      for block in 0..<count / 256 {
        let weights = importance.map { $0 + 256 * block }
        let scales = search.find(row + 256 * block, importance: weights, scratch)
        pack(
          scale: scales.scale, minimumScale: scales.minimumScale, scratch, into: blocks + block * bytes)
      }
    }
  }
}
