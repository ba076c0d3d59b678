/// Fields of a block: little-endian, at any address.
extension UnsafeRawPointer {
  func byte(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

  func half(_ offset: Int) -> Float {
    Float(Float16(bitPattern: UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
  }

  func word(_ offset: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}

extension UnsafeMutableRawPointer {
  func setByte(_ offset: Int, _ value: UInt8) {
    storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }

  /// Stores the float16 nearest to `value`, the largest one where it lies beyond, and returns what was stored.
  @discardableResult
  func setHalf(_ offset: Int, _ value: Float) -> Float {
    let half = Float16(Swift.min(Swift.max(value, -65504), 65504))
    storeBytes(of: half.bitPattern.littleEndian, toByteOffset: offset, as: UInt16.self)
    return Float(half)
  }

  func setWord(_ offset: Int, _ value: UInt32) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
  }
}

/// 1 / `scale`; 0 where that is no finite number, so that what has no scale becomes code 0.
@inline(__always)
func reciprocal(_ scale: Float) -> Float {
  let inverse = 1 / scale
  return inverse.isFinite ? inverse : 0
}
