/// Super-blocks of 256 codes of 3 bits in groups of 16: `u8 qh[32]; u8 q[64]; u8 scales[12]; f16 d`,
/// real = d · (scale − 32) · (q − 4).
///
/// Low 2 bits as in `Q2_K`; bit i / 32 of qh[i mod 32] is the third bit of code i. Of the 6-bit scale j the low 4 bits
/// are in byte j mod 8, low half for j < 8, and the high 2 in byte 8 + j mod 4 at bit 2 · (j / 4).
package struct Q3_K: SuperBlocks {
  package let name = "Q3_K"
  package let bytes = 110
  let bits = 3

  static let search = SuperBlockSearch(
    size: 16, codes: .symmetric(3), steps: .symmetric(6),
    effort: SearchEffort(first: -0.9, last: 0.9, starts: 7, rounds: 2),
    opposite: SearchEffort(first: -0.3, last: 0.6, starts: 4, rounds: 2), hasMinimums: false, rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    let d = block.half(108)
    for j in 0..<16 {
      let low = block.byte(96 + j % 8) >> UInt8(j / 8 * 4) & 15
      let high = block.byte(104 + j % 4) >> UInt8(j / 4 * 2) & 3
      scales[j] = d * Float(Int(low | high << 4) - 32)
    }
    for i in 0..<256 {
      let low = block.byte(32 + i / 128 * 32 + i % 32) >> UInt8(i % 128 / 32 * 2) & 3
      let third = block.byte(i % 32) >> UInt8(i / 32) & 1
      codes[i] = Int8(truncatingIfNeeded: low | third << 2) &- 4
    }
  }

  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    for i in 0..<32 {
      var third: UInt8 = 0
      for g in 0..<8 { third |= ((found.codes[32 * g + i] &+ 4) >> 2) << UInt8(g) }
      block.setByte(i, third)
    }
    for i in 0..<64 {
      // Adding 4 leaves the low two bits as they are.
      let q = found.codes + i / 32 * 128 + i % 32
      block.setByte(32 + i, q[0] & 3 | (q[32] & 3) << 2 | (q[64] & 3) << 4 | q[96] << 6)
    }
    let steps = found.groups
    func stored(_ j: Int) -> UInt8 { UInt8(steps[j].bestStep + 32) }
    for j in 0..<8 { block.setByte(96 + j, stored(j) & 15 | stored(j + 8) << 4) }
    for j in 0..<4 {
      let high = stored(j) >> 4 | (stored(j + 4) >> 4) << 2 | (stored(j + 8) >> 4) << 4
      block.setByte(104 + j, high | (stored(j + 12) >> 4) << 6)
    }
    block.setHalf(108, scale)
  }
}
