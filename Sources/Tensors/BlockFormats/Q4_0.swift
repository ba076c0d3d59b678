/// Blocks of 32 codes of 4 bits: `f16 d; u8 q[16]`, real = d · (q − 8).
///
/// Codes: `Nibbles`.
package struct Q4_0: SmallBlocks {
  package let name = "Q4_0"
  package let bytes = 18
  let bits = 4

  static let search = HalfScaleSearch(
    codes: .symmetric(4), hasMinimums: false,
    effort: SearchEffort(first: -0.9, last: 0.9, starts: 7, rounds: 2),
    opposite: SearchEffort(first: -0.3, last: 0.6, starts: 4, rounds: 2), rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    Nibbles.read(block + 2) { i, code in codes[i] = Int8(truncatingIfNeeded: code) &- 8 }
  }

  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    Nibbles.write(block + 2) { codes[$0] &+ 8 }
  }
}
