/// Super-blocks of 256 codes of 5 bits in groups of 32: `f16 d, dmin; u8 scales[12]; u8 qh[32]; u8 q[128]`,
/// real = d · scale · q − dmin · minimum.
///
/// Low 4 bits as in `Q4_K`; bit g of qh[i] is the fifth bit of code i of group g. Scales and minimums: `SixBitPairs`.
package struct Q5_K: SuperBlocks {
  package let name = "Q5_K"
  package let bytes = 176
  let bits = 5

  static let search = SuperBlockSearch(
    size: 32, codes: .affine(5), steps: .affine(6),
    effort: SearchEffort(first: -0.7, last: 1.5, starts: 6, rounds: 2), opposite: .none, hasMinimums: true,
    rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    SixBitPairs.unpack(block, scales: scales, minimums: minimums)
    for i in 0..<32 {
      let high = block.byte(16 + i)
      for pair in 0..<4 {
        let byte = block.byte(48 + 32 * pair + i)
        let fifths = high >> UInt8(2 * pair)
        codes[64 * pair + i] = Int8(truncatingIfNeeded: byte & 15 | (fifths & 1) << 4)
        codes[64 * pair + 32 + i] = Int8(truncatingIfNeeded: byte >> 4 | (fifths & 2) << 3)
      }
    }
  }

  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    SixBitPairs.pack(scale: scale, minimumScale: minimumScale, found.groups, into: block)
    for i in 0..<32 {
      var high: UInt8 = 0
      for pair in 0..<4 {
        let (low, next) = (found.codes[64 * pair + i], found.codes[64 * pair + 32 + i])
        block.setByte(48 + 32 * pair + i, low & 15 | next << 4)
        high |= (low >> 4 | (next >> 4) << 1) << UInt8(2 * pair)
      }
      block.setByte(16 + i, high)
    }
  }
}
