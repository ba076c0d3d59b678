/// Blocks of 32 codes of 8 bits: `f16 d; i8 q[32]`, real = d · q.
///
/// The plain encoder is the reference's: d = max|x| / 127, q = x / d rounded, halves away from zero.
package struct Q8_0: SmallBlocks {
  package let name = "Q8_0"
  package let bytes = 34
  let bits = 8

  static let search = HalfScaleSearch(
    codes: CodeRange(lowest: -127, highest: 127), hasMinimums: false,
    effort: SearchEffort(first: 0, last: 0, starts: 1, rounds: 1), opposite: .none, rounds: 3)

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    for i in 0..<32 { codes[i] = Int8(bitPattern: block.byte(2 + i)) }
  }

  func reference(_ x: UnsafePointer<Float>, into codes: UnsafeMutablePointer<UInt8>) -> (
    scale: Float, minimum: Float
  ) {
    let (low, high) = extremes(x, 32)
    let scale = Swift.max(high, -low) / 127
    let inverse = reciprocal(scale)
    for i in stride(from: 0, to: 32, by: 4) {
      let position = Self.search.codes.clamp(x.quad(i) * inverse)
      let even = (position + roundingUnit) - roundingUnit
      // A half that went to the even code towards zero goes on, away from it.
      let rest = position - even
      let up = even.replacing(with: even + 1, where: (rest .== 0.5) .& (position .> 0))
      let away = up.replacing(with: even - 1, where: (rest .== -0.5) .& (position .< 0))
      lowBytes(away + roundingUnit, into: codes + i)
    }
    return (scale, 0)
  }

  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer
  ) {
    block.setHalf(0, scale)
    for i in 0..<32 { block.setByte(2 + i, codes[i]) }
  }
}
