/// Blocks of 32 codes of 4 bits: `f16 d, m; u8 q[16]`, real = d · q + m.
///
/// Codes: `Nibbles`.
package struct Q4_1: SmallBlocks {
  package let name = "Q4_1"
  package let bytes = 20
  let bits = 4

  static let search = HalfScaleSearch(
    codes: .affine(4), hasMinimums: true,
    effort: SearchEffort(first: -0.7, last: 1.5, starts: 6, rounds: 2), opposite: .none, rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    minimums[0] = block.half(2)
    Nibbles.read(block + 4) { i, code in codes[i] = Int8(truncatingIfNeeded: code) }
  }

  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    block.setHalf(2, minimum)
    Nibbles.write(block + 4) { codes[$0] }
  }
}
