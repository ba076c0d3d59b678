import Glibc

/// Blocks of 32 floats of 4 bits (E2M1) under one power of two (E8M0): `u8 e; u8 q[16]`, real = 2^(e − 127) · value[q].
///
/// Codes: `Nibbles`. The plain encoder is the reference's: e = ⌊log2 max|x|⌋ − 2 + 127, and of two nearest values the
/// smaller. Source: OCP Microscaling Formats specification 1.0; llama.cpp.
package struct MXFP4: BlockFormat {
  package let name = "MXFP4"
  package let elements = 32
  package let bytes = 17
  package let uniform: (bits: Int, group: Int)? = nil
  package let hasMinimums = false

  private static let values = SmallFloat.decodeTable(.float4e2m1)
  private static let thresholds: SIMD8<Float> = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, .infinity]

  package init() {}

  private static func scale(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent - 127, significand: 1)
  }

  package func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>) {
    precondition(count % 32 == 0, "\(name) holds whole blocks of 32")
    Self.values.withUnsafeBufferPointer { values in
      for index in 0..<count / 32 {
        let (block, to) = (blocks + bytes * index, reals + 32 * index)
        let scale = Self.scale(Int(block.byte(0)))
        // The published table holds no −0.
        Nibbles.read(block + 1) { i, code in to[i] = code == 8 ? 0 : scale * values[Int(code)] }
      }
    }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 32 == 0, "\(name) holds whole blocks of 32")
    for index in 0..<count / 32 {
      let (x, block) = (row + 32 * index, blocks + bytes * index)
      let (low, high) = extremes(x, 32)
      let largest = Swift.max(high, -low)
      let power = largest > 0 && largest.isFinite ? log2f(largest).rounded(.down) : -125
      var exponent = Swift.min(Swift.max(Int(power) - 2 + 127, 0), 254)
      if let weights = importance.map({ $0 + 32 * index }) {
        exponent = best(of: Swift.max(exponent - 1, 0)...Swift.min(exponent + 1, 254), x, weights)
      }
      block.setByte(0, UInt8(exponent))
      let inverse = 1 / Self.scale(exponent)
      Nibbles.write(block + 1) { Self.code(x[$0] * inverse) }
    }
  }

  @inline(__always)
  private static func code(_ t: Float) -> UInt8 {
    var code: UInt8 = 0
    for k in 0..<7 where t.magnitude > thresholds[k] { code += 1 }
    return t < 0 && code > 0 ? code | 8 : code
  }

  /// The exponent of the least weighted error.
  private func best(
    of exponents: ClosedRange<Int>, _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>
  ) -> Int {
    var best = (exponent: exponents.lowerBound, error: Double.infinity)
    for exponent in exponents {
      let (scale, inverse) = (Self.scale(exponent), 1 / Self.scale(exponent))
      var error = 0.0
      for i in 0..<32 {
        let rest = Double(x[i] - scale * Self.values[Int(Self.code(x[i] * inverse))])
        error += Double(weights[i]) * rest * rest
      }
      if error < best.error { best = (exponent, error) }
    }
    return best.exponent
  }

  package func unpack(
    _ blocks: UnsafeRawPointer, count: Int, codes: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>
  ) {
    preconditionFailure("\(name) has no evenly spaced codes")
  }
}
