/// Blocks of 32 codes of 5 bits: `f16 d; u8 qh[4]; u8 q[16]`, real = d · (q − 16).
///
/// Low 4 bits of q: `Nibbles`; bit i of the 32 of qh is the fifth bit of code i.
package struct Q5_0: SmallBlocks {
  package let name = "Q5_0"
  package let bytes = 22
  let bits = 5

  static let search = HalfScaleSearch(
    codes: .symmetric(5), hasMinimums: false,
    effort: SearchEffort(first: -0.9, last: 0.9, starts: 7, rounds: 2),
    opposite: SearchEffort(first: -0.3, last: 0.6, starts: 4, rounds: 2), rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    let fifths = block.word(2)
    Nibbles.read(block + 6) { i, low in
      let fifth = UInt8(truncatingIfNeeded: fifths >> UInt32(i)) & 1
      codes[i] = Int8(truncatingIfNeeded: low | fifth << 4) &- 16
    }
  }

  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    var fifths: UInt32 = 0
    for i in 0..<32 { fifths |= UInt32((codes[i] &+ 16) >> 4) << UInt32(i) }
    block.setWord(2, fifths)
    Nibbles.write(block + 6) { codes[$0] }
  }
}
