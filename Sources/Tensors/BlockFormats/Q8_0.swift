/// Blocks of 32 codes of 8 bits: `f16 d; i8 q[32]`, real = d · q.
///
/// The plain encoder is the reference's: d = max|x| / 127, q = x / d rounded, halves away from zero.
package struct Q8_0: UniformBlocks {
  package let name = "Q8_0"
  package let elements = 32
  package let bytes = 34
  package let hasMinimums = false
  let bits = 8
  let group = 32

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    for i in 0..<32 { codes[i] = block.load(fromByteOffset: 2 + i, as: Int8.self) }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % elements == 0, "\(name) holds whole blocks of \(elements)")
    for index in 0..<count / 32 {
      let (x, block) = (row + 32 * index, blocks + bytes * index)
      var largest: Float = 0
      for i in 0..<32 { largest = Swift.max(largest, x[i].magnitude) }
      let scale = largest / 127
      let inverse = reciprocal(scale)
      block.setHalf(0, scale)
      for i in 0..<32 {
        let code = (x[i] * inverse).rounded(.toNearestOrAwayFromZero)
        block.setByte(2 + i, UInt8(bitPattern: Int8(Swift.min(Swift.max(-127, code), 127))))
      }
    }
  }
}
