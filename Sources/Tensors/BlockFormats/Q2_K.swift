/// Super-blocks of 256 codes of 2 bits in groups of 16: `u8 scales[16]; u8 q[64]; f16 d, dmin`,
/// real = d · scale · q − dmin · minimum; a byte of scales holds the scale low, the minimum high.
///
/// Code i is in byte (i / 128) · 32 + i mod 32 of q, at bit 2 · (i mod 128 / 32).
package struct Q2_K: SuperBlocks {
  package let name = "Q2_K"
  package let bytes = 84
  let bits = 2

  static let search = SuperBlockSearch(
    size: 16, codes: .affine(2), steps: .affine(4),
    effort: SearchEffort(first: -0.5, last: 1.2, starts: 6, rounds: 2), opposite: .none, hasMinimums: true,
    rounds: 4)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    let (d, dmin) = (block.half(80), block.half(82))
    for g in 0..<16 {
      let byte = block.byte(g)
      scales[g] = d * Float(byte & 15)
      minimums[g] = -(dmin * Float(byte >> 4))
    }
    for i in 0..<256 {
      let byte = block.byte(16 + i / 128 * 32 + i % 32)
      codes[i] = Int8(truncatingIfNeeded: byte >> UInt8(i % 128 / 32 * 2) & 3)
    }
  }

  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    for g in 0..<16 {
      block.setByte(g, UInt8(found.groups[g].bestStep) | UInt8(found.groups[g].bestMinimumStep) << 4)
    }
    for i in 0..<64 {
      let q = found.codes + i / 32 * 128 + i % 32
      block.setByte(16 + i, q[0] | q[32] << 2 | q[64] << 4 | q[96] << 6)
    }
    block.setHalf(80, scale)
    block.setHalf(82, minimumScale)
  }
}
