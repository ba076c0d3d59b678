/// Sixteen bytes of 4-bit codes: byte j holds code j in its low half and code j + 16 in its high half.
enum Nibbles {
  @inline(__always)
  static func read(_ bytes: UnsafeRawPointer, _ body: (_ code: Int, UInt8) -> Void) {
    for j in 0..<16 {
      let byte = bytes.byte(j)
      body(j, byte & 15)
      body(j + 16, byte >> 4)
    }
  }

  /// The low halves of `codes`; where `signed`, plus 8.
  @inline(__always)
  static func write(_ bytes: UnsafeMutableRawPointer, _ codes: UnsafePointer<UInt8>, signed: Bool = false) {
    let flipped = signed ? Eight(repeating: 8) : .zero
    for j in stride(from: 0, to: 16, by: 8) {
      let (low, high) = (eight(codes, j) ^ flipped, eight(codes, j + 16) ^ flipped)
      setEight(bytes, j, low & 15 | high &<< 4)
    }
  }
}

/// Eight codes at once, for packing.
typealias Eight = SIMD8<UInt8>

@inline(__always)
func eight(_ codes: UnsafePointer<UInt8>, _ i: Int) -> Eight {
  UnsafeRawPointer(codes + i).loadUnaligned(as: Eight.self)
}

@inline(__always)
func setEight(_ bytes: UnsafeMutableRawPointer, _ offset: Int, _ value: Eight) {
  (bytes + offset).storeBytes(of: value, as: Eight.self)
}
