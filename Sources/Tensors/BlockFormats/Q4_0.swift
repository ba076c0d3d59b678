/// Blocks of 32 codes of 4 bits: `f16 d; u8 q[16]`, real = d · (q − 8).
///
/// Byte j holds code j in its low half and code j + 16 in its high half.
/// The plain encoder is the reference's: d = x of the largest magnitude / −8, q = ⌊x / d + 8.5⌋.
package struct Q4_0: UniformBlocks {
  package let name = "Q4_0"
  package let elements = 32
  package let bytes = 18
  package let hasMinimums = false
  let bits = 4
  let group = 32

  package init() {}

  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>
  ) {
    scales[0] = block.half(0)
    for j in 0..<16 {
      let byte = block.byte(2 + j)
      codes[j] = Int8(truncatingIfNeeded: byte & 15) &- 8
      codes[j + 16] = Int8(truncatingIfNeeded: byte >> 4) &- 8
    }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % elements == 0, "\(name) holds whole blocks of \(elements)")
    for index in 0..<count / 32 {
      let (x, block) = (row + 32 * index, blocks + bytes * index)
      let scale = extreme(x, 32) / -8
      let inverse = reciprocal(scale)
      block.setHalf(0, scale)
      for j in 0..<16 {
        let low = wholeCode(x[j] * inverse + 8.5, 15)
        let high = wholeCode(x[j + 16] * inverse + 8.5, 15)
        block.setByte(2 + j, low | high << 4)
      }
    }
  }
}

/// The first of the values of the largest magnitude.
func extreme(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var (extreme, largest) = (Float(0), Float(0))
  for i in 0..<count where x[i].magnitude > largest { (extreme, largest) = (x[i], x[i].magnitude) }
  return extreme
}

/// 1 / `scale`; 0 where that is no finite number, so that such blocks become zeros.
func reciprocal(_ scale: Float) -> Float {
  let inverse = 1 / scale
  return inverse.isFinite ? inverse : 0
}

/// ⌊`position`⌋ within 0…`highest`; 0 for what is no number.
func wholeCode(_ position: Float, _ highest: Float) -> UInt8 {
  UInt8(Swift.min(Swift.max(0, position), highest))
}
