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
    withScratch { weights, codes in
      for index in 0..<count / 32 {
        let (x, block) = (row + 32 * index, blocks + bytes * index)
        let (low, high) = extremes(x, 32)
        let largest = Swift.max(high, -low)
        let power = largest > 0 && largest.isFinite ? log2f(largest).rounded(.down) : -125
        var exponent = Swift.min(Swift.max(Int(power) - 2 + 127, 0), 254)
        if let importance {
          normalize(importance + 32 * index, 32, into: weights)
          exponent = best(of: Swift.max(exponent - 1, 0)...Swift.min(exponent + 1, 254), x, weights)
        }
        block.setByte(0, UInt8(exponent))
        let inverse = 1 / Self.scale(exponent)
        for i in stride(from: 0, to: 32, by: 4) {
          let t = x.quad(i) * inverse
          let near = Self.nearest(t)
          // Of zero there is no negative one.
          let signed = near.code.replacing(
            with: near.code + 8, where: (t .< 0) .& (near.code .> roundingUnit))
          lowBytes(signed, into: codes + i)
        }
        Nibbles.write(block + 1, codes)
      }
    }
  }

  private func withScratch(_ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { weights in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { codes in
        if let weights = weights.baseAddress, let codes = codes.baseAddress { body(weights, codes) }
      }
    }
  }

  /// Value and code, on top of the rounding unit, that are nearest to |t|; of two, the smaller.
  @inline(__always)
  private static func nearest(_ t: Quad) -> (value: Quad, code: Quad) {
    let magnitude = t.greater(-t)
    var (value, code) = (Quad.zero, Quad(repeating: roundingUnit))
    func pass(_ threshold: Float, _ step: Float) {
      let beyond = magnitude .> threshold
      value.replace(with: value + step, where: beyond)
      code.replace(with: code + 1, where: beyond)
    }
    pass(0.25, 0.5)
    pass(0.75, 0.5)
    pass(1.25, 0.5)
    pass(1.75, 0.5)
    pass(2.5, 1)
    pass(3.5, 1)
    pass(5, 2)
    return (value, code)
  }

  /// The exponent of the least weighted error.
  private func best(
    of exponents: ClosedRange<Int>, _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>
  ) -> Int {
    var best = (exponent: exponents.lowerBound, error: Float.infinity)
    for exponent in exponents {
      let inverse = 1 / Self.scale(exponent)
      var sum = Quad.zero
      for i in stride(from: 0, to: 32, by: 4) {
        let t = x.quad(i) * inverse
        let rest = t.greater(-t) - Self.nearest(t).value
        sum += weights.quad(i) * rest * rest
      }
      // In units of the scale, the squares of which differ by four from one exponent to the next.
      let error = sum.total * Float(1 << (2 * (exponent - exponents.lowerBound)))
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
