/// Super-blocks of 256 codes of 4 bits in groups of 32: `f16 d, dmin; u8 scales[12]; u8 q[128]`,
/// real = d · scale · q − dmin · minimum.
///
/// Each 32 bytes of q hold two groups, in their low and high halves. Scales and minimums: `SixBitPairs`.
package struct Q4_K: SuperBlocks {
  package let name = "Q4_K"
  package let bytes = 144
  let bits = 4

  static let search = SuperBlockSearch(
    size: 32, codes: .affine(4), steps: .affine(6),
    effort: SearchEffort(first: -0.7, last: 1.5, starts: 6, rounds: 2), opposite: .none, hasMinimums: true,
    rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    SixBitPairs.unpack(block, scales: scales, minimums: minimums)
    for i in 0..<128 {
      let byte = block.byte(16 + i)
      let low = i / 32 * 64 + i % 32
      codes[low] = Int8(truncatingIfNeeded: byte & 15)
      codes[low + 32] = Int8(truncatingIfNeeded: byte >> 4)
    }
  }

  func pack(
    scale: Float, minimumScale: Float, _ found: SuperBlockSearch.Scratch, into block: UnsafeMutableRawPointer
  ) {
    SixBitPairs.pack(scale: scale, minimumScale: minimumScale, found.groups, into: block)
    for i in 0..<128 {
      let low = i / 32 * 64 + i % 32
      block.setByte(16 + i, found.codes[low] | found.codes[low + 32] << 4)
    }
  }
}
