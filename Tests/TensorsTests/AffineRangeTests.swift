import Tensors
import Testing

struct AffineRangeTests {
  /// The worked example of ONNX DynamicQuantizeLinear.
  @Test func agreesWithDynamicQuantizeLinear() {
    let range = AffineRange(lowest: -3, highest: 2)
    #expect(abs(range.scale - 0.0196078438) < 1e-9)
    #expect(range.zeroPoint == 153)
  }

  @Test func zeroIsAlwaysACode() {
    #expect(AffineRange(lowest: 1, highest: 5) == AffineRange(lowest: 0, highest: 5))
    #expect(AffineRange(lowest: -5, highest: -1).zeroPoint == 255)
    let nothing = AffineRange(lowest: 0, highest: 0)
    #expect(nothing.scale == 1 && nothing.zeroPoint == 0)
  }

  /// The quick loop against the definition, for every 8-bit code and the points between.
  @Test func quantizeDequantizeIsTheDefinition() {
    let encoding = Encoding(
      scheme: Scheme(bits: 8, symmetry: .affine, granularity: .tensor), scales: [0.37], zeroPoints: [101])
    let values = (-2000...2000).map { Float($0) * 0.37 / 8 } + [.infinity, -.infinity, 1e30]
    var results = [Float](repeating: 0, count: values.count)
    values.withUnsafeBufferPointer { x in
      results.withUnsafeMutableBufferPointer { y in
        if let x = x.baseAddress, let y = y.baseAddress {
          quantizeDequantize(x, y, count: values.count, scale: 0.37, lowest: -101, highest: 154)
        }
      }
    }
    for (x, y) in zip(values, results) { #expect(y == encoding.real(encoding.code(x))) }
  }

  /// The first numbers of NumPy's RandomState(0).random_sample().
  @Test func mersenneTwisterAgreesWithNumPy() {
    var random = MersenneTwister(seed: 0)
    let numbers = (0..<4).map { _ in random.uniform() }
    let expected = [0.5488135039273248, 0.7151893663724195, 0.6027633760716439, 0.5448831829968969]
    #expect(numbers == expected)
  }
}
