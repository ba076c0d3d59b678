/// Super-blocks of 256 codes for the levels of `IQ4_NL` in groups of 32:
/// `f16 d; u16 scales_h; u8 scales_l[4]; u8 q[128]`, real = d · (scale − 32) · level[q].
///
/// Of the 6-bit scale j the low 4 bits are in half j mod 2 of byte j / 2, the high 2 in scales_h at bit 2j. Every group
/// has 16 bytes of q: `Nibbles`.
package struct IQ4_XS: BlockFormat {
  package let name = "IQ4_XS"
  package let elements = 256
  package let bytes = 136
  package let uniform: (bits: Int, group: Int)? = nil
  package let hasMinimums = false

  private static let steps = CodeRange.symmetric(6)

  package init() {}

  package func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>) {
    precondition(count % 256 == 0, "\(name) holds whole blocks of 256")
    IQ4_NL.book.levels.withUnsafeBufferPointer { levels in
      for index in 0..<count / 256 {
        let block = blocks + bytes * index
        let high = UInt16(block.byte(2)) | UInt16(block.byte(3)) << 8
        for j in 0..<8 {
          let low = block.byte(4 + j / 2) >> UInt8(j % 2 * 4) & 15
          let stored = Int(low) | Int(high >> UInt16(2 * j) & 3) << 4
          let scale = block.half(0) * Float(stored - 32)
          let to = reals + 256 * index + 32 * j
          Nibbles.read(block + 8 + 16 * j) { i, code in to[i] = scale * levels[Int(code)] }
        }
      }
    }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 256 == 0, "\(name) holds whole blocks of 256")
    SuperBlockSearch.withScratch(groups: 8) { scratch in
      IQ4_NL.book.withSearch { search in
        for index in 0..<count / 256 {
          let weights = importance.map { $0 + 256 * index }
          let scale = find(row + 256 * index, weights, search, scratch)
          pack(scale: scale, scratch, into: blocks + bytes * index)
        }
      }
    }
  }

  /// Best steps of the groups, and codes; returns d.
  private func find(
    _ row: UnsafePointer<Float>, _ importance: UnsafePointer<Float>?, _ search: CodebookSearch,
    _ scratch: SuperBlockSearch.Scratch
  ) -> Float {
    let halves = HalfGrid(power: bringNearOne(row, 256, into: scratch.x))
    normalize(importance, 256, into: scratch.w)
    var extreme: Float = 0
    for j in 0..<8 {
      let group = WeightedGroup(x: scratch.x + 32 * j, w: scratch.w + 32 * j, count: 32)
      let scale = search.scale(group, margins: -0.1...0.1, starts: 5, rounds: 2)
      if scale.magnitude > extreme.magnitude { extreme = scale }
      scratch.groups[j] = SuperGroup(group: group, fit: GroupFit(scale: scale))
    }
    var scale = halves.round(extreme / Self.steps.lowest)
    var best = (scale: Float(0), error: Float.infinity)
    for _ in 0..<2 {
      var (error, square, product) = (Float(0), Float(0), Float(0))
      for j in 0..<8 {
        let of = scratch.groups[j]
        let step = Self.steps.round(of.fit.scale * reciprocal(scale))
        let sums = search.sums(of.group, inverse: reciprocal(scale * step))
        error += of.group.sumXX + scale * step * (scale * step * sums.ll - 2 * sums.lx)
        square += step * step * sums.ll
        product += step * sums.lx
        scratch.groups[j].step = step
      }
      if error < best.error {
        best = (scale, error)
        for j in 0..<8 { scratch.groups[j].bestStep = scratch.groups[j].step }
      }
      scale = halves.round(square > 0 ? product / square : 0)
    }
    for j in 0..<8 {
      search.writeCodes(
        scratch.x + 32 * j, count: 32, inverse: reciprocal(best.scale * scratch.groups[j].bestStep),
        into: scratch.codes + 32 * j)
    }
    return halves.stored(best.scale)
  }

  private func pack(
    scale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    var (low, high) = (UInt32(0), UInt16(0))
    for j in 0..<8 {
      let stored = UInt32(found.groups[j].bestStep + 32)
      low |= (stored & 15) << UInt32(4 * j)
      high |= UInt16(stored >> 4) << UInt16(2 * j)
      Nibbles.write(block + 8 + 16 * j, found.codes + 32 * j)
    }
    block.setByte(2, UInt8(high & 255))
    block.setByte(3, UInt8(high >> 8))
    block.setWord(4, low)
  }

  package func unpack(
    _ blocks: UnsafeRawPointer, count: Int, codes: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>
  ) {
    preconditionFailure("\(name) has no evenly spaced codes")
  }
}
