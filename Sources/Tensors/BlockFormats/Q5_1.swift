/// Blocks of 32 codes of 5 bits: `f16 d, m; u8 qh[4]; u8 q[16]`, real = d · q + m.
///
/// Low 4 bits of q: `Nibbles`; bit i of the 32 of qh is the fifth bit of code i.
package struct Q5_1: SmallBlocks {
  package let name = "Q5_1"
  package let bytes = 24
  let bits = 5

  static let search = HalfScaleSearch(
    codes: .affine(5), hasMinimums: true,
    effort: SearchEffort(first: -0.7, last: 1.5, starts: 6, rounds: 2), opposite: .none, rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    minimums[0] = block.half(2)
    let fifths = block.word(4)
    Nibbles.read(block + 8) { i, low in
      let fifth = UInt8(truncatingIfNeeded: fifths >> UInt32(i)) & 1
      codes[i] = Int8(truncatingIfNeeded: low | fifth << 4)
    }
  }

  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    block.setHalf(2, minimum)
    var fifths: UInt32 = 0
    for i in 0..<32 { fifths |= UInt32(codes[i] >> 4) << UInt32(i) }
    block.setWord(4, fifths)
    Nibbles.write(block + 8) { codes[$0] }
  }
}
