/// How Q4_K and Q5_K begin: `f16 d, dmin; u8 scales[12]`, eight pairs of 6-bit scales and minimums.
///
/// Bytes 0…3 and 4…7 hold the first four scales and minimums in their low 6 bits; bytes 8…11 the low 4 bits of the last
/// four (scale low, minimum high), whose top 2 bits are the top 2 bits of bytes 0…3 and 4…7.
enum SixBitPairs {
  /// Scales d · scale and minimums −dmin · minimum of the eight groups.
  static func unpack(
    _ block: UnsafeRawPointer, scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>
  ) {
    let (d, dmin) = (block.half(0), block.half(2))
    for j in 0..<4 {
      let (first, second, both) = (block.byte(4 + j), block.byte(8 + j), block.byte(12 + j))
      scales[j] = d * Float(first & 63)
      minimums[j] = -(dmin * Float(second & 63))
      scales[j + 4] = d * Float(both & 15 | (first >> 6) << 4)
      minimums[j + 4] = -(dmin * Float(both >> 4 | (second >> 6) << 4))
    }
  }

  static func pack(
    scale: Float, minimumScale: Float, _ groups: UnsafePointer<SuperGroup>,
    into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    block.setHalf(2, minimumScale)
    for j in 0..<4 {
      let (near, far) = (groups[j], groups[j + 4])
      let (scale, minimum) = (UInt8(far.bestStep), UInt8(far.bestMinimumStep))
      block.setByte(4 + j, UInt8(near.bestStep) | (scale >> 4) << 6)
      block.setByte(8 + j, UInt8(near.bestMinimumStep) | (minimum >> 4) << 6)
      block.setByte(12 + j, scale & 15 | (minimum & 15) << 4)
    }
  }
}
