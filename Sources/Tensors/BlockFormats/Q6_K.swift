/// Super-blocks of 256 codes of 6 bits in groups of 16: `u8 ql[128]; u8 qh[64]; i8 scales[16]; f16 d`,
/// real = d · scale · (q − 32).
///
/// Of code i in a half of 128, the low 4 bits are in byte i mod 64 of 64 in ql, low half for i < 64, and the high 2 in
/// byte i mod 32 of 32 in qh at bit 2 · (i / 32).
package struct Q6_K: SuperBlocks {
  package let name = "Q6_K"
  package let bytes = 210
  let bits = 6

  static let search = SuperBlockSearch(
    size: 16, codes: .symmetric(6), steps: .symmetric(8),
    effort: SearchEffort(first: -0.9, last: 0.9, starts: 5, rounds: 1),
    opposite: SearchEffort(first: -0.3, last: 0.6, starts: 3, rounds: 1), hasMinimums: false, rounds: 2)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    let d = block.half(208)
    for g in 0..<16 { scales[g] = d * Float(Int8(bitPattern: block.byte(192 + g))) }
    for half in 0..<2 {
      for i in 0..<32 {
        let (first, second) = (block.byte(64 * half + i), block.byte(64 * half + 32 + i))
        let high = block.byte(128 + 32 * half + i)
        let q = codes + 128 * half + i
        q[0] = Int8(truncatingIfNeeded: first & 15 | (high & 3) << 4) &- 32
        q[32] = Int8(truncatingIfNeeded: second & 15 | (high >> 2 & 3) << 4) &- 32
        q[64] = Int8(truncatingIfNeeded: first >> 4 | (high >> 4 & 3) << 4) &- 32
        q[96] = Int8(truncatingIfNeeded: second >> 4 | (high >> 6) << 4) &- 32
      }
    }
  }

  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    for half in 0..<2 {
      for i in 0..<32 {
        let q = found.codes + 128 * half + i
        let (a, b, c, d) = (q[0] &+ 32, q[32] &+ 32, q[64] &+ 32, q[96] &+ 32)
        block.setByte(64 * half + i, a & 15 | c << 4)
        block.setByte(64 * half + 32 + i, b & 15 | d << 4)
        block.setByte(128 + 32 * half + i, a >> 4 | (b >> 4) << 2 | (c >> 4) << 4 | (d >> 4) << 6)
      }
    }
    for g in 0..<16 { block.setByte(192 + g, UInt8(bitPattern: Int8(found.groups[g].bestStep))) }
    block.setHalf(208, scale)
  }
}
