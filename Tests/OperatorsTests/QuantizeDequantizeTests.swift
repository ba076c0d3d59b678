import Graph
import Operators
import Tensors
import Testing

struct QuantizeDequantizeTests {
  static let encodings: [Encoding] = [
    Encoding(
      scheme: Scheme(bits: 8, symmetry: .affine, granularity: .tensor), scales: [0.1], zeroPoints: [7]),
    Encoding(
      scheme: Scheme(bits: 4, symmetry: .symmetric, granularity: .channel), channelAxis: 0,
      scales: [0.1, 0.2, 0.3],
      zeroPoints: [0, 0, 0]),
    Encoding(
      scheme: Scheme(bits: 3, symmetry: .affine, granularity: .channel), channelAxis: 2,
      scales: [0.5, 0.7], zeroPoints: [1, 4]),
    // Groups of 2 along 5 features, the last one short, in each of 3 channels and 2 taps.
    Encoding(
      scheme: Scheme(bits: 4, symmetry: .symmetric, granularity: .group(2)), channelAxis: 0, groupAxis: 1,
      scales: (0..<18).map { 0.05 * Float($0 + 1) }, zeroPoints: [Int32](repeating: 0, count: 18)),
    Encoding(
      scheme: Scheme(bits: 2, symmetry: .affine, granularity: .group(4)), channelAxis: 2, groupAxis: 0,
      scales: (0..<10).map { 0.3 + 0.1 * Float($0) }, zeroPoints: (0..<10).map { $0 % 3 }),
    Encoding(
      scheme: Scheme(bits: 8, symmetry: .affine, granularity: .tensor), scales: [0.1], zeroPoints: [64],
      codes: 0...127),
  ]

  /// Against the definition, element by element.
  @Test(arguments: encodings)
  func isTheDefinition(_ encoding: Encoding) throws {
    let shape = [3, 5, 2]
    let values = (0..<30).map { Float(($0 * 37) % 61 - 30) / 7 }
    let x = floats(values, shape)
    let y = try QuantizeDequantize(encoding: encoding).evaluate(
      [x], outputs: 1, context: EvaluationContext())[0]
    let scaleShape = EncodedTensor.scaleShape(of: shape, encoding: encoding)
    let strides = scaleShape.rowMajorStrides
    for (position, value) in values.enumerated() {
      let index = [position / 10, position / 2 % 5, position % 2]
      var k = 0
      for axis in 0..<3 {
        var i = scaleShape[axis] == 1 ? 0 : index[axis]
        if case .group(let size) = encoding.scheme.granularity, axis == encoding.groupAxis {
          i = index[axis] / size
        }
        k += i * strides[axis]
      }
      #expect(y.floats[position] == encoding.real(encoding.code(value, at: k), at: k))
    }
  }

  @Test(arguments: encodings)
  func attributesHoldTheEncoding(_ encoding: Encoding) throws {
    let again = try QuantizeDequantize(attributes: QuantizeDequantize(encoding: encoding).attributes)
    #expect(again.encoding == encoding)
  }

  @Test func anEncodingThatDoesNotFitIsAnError() {
    let op = QuantizeDequantize(encoding: Self.encodings[1])
    #expect(throws: OperatorError.self) {
      try op.evaluate([floats([1, 2], [2, 1])], outputs: 1, context: EvaluationContext())
    }
    #expect(throws: OperatorError.self) {
      try QuantizeDequantize(attributes: ["scales": .floats([0]), "bits": .int(8), "codes": .ints([0, 255])])
    }
  }

  /// Rows, samples and whole tensors, each with the range of its own elements; errors below half a step.
  @Test(arguments: [LayerEncoding.DynamicActivation.sample, .token, .tensor], [4, 8])
  func dynamicRangesCoverTheirElements(_ sharing: LayerEncoding.DynamicActivation, _ bits: Int) throws {
    let values: [Float] = (0..<24).map { i in
      let base = Float((i * 17) % 29 - 9)
      return base * Float(i / 6 + 1) / 8
    }
    let op = DynamicQuantizeDequantize(sharing: sharing, bits: bits)
    let x = floats(values, [2, 3, 4])
    let y = try op.evaluate([x], outputs: 1, context: EvaluationContext())[0].floats
    let size = sharing == .sample ? 12 : (sharing == .token ? 4 : 24)
    for start in Swift.stride(from: 0, to: 24, by: size) {
      let part = values[start..<start + size]
      let range = AffineRange(lowest: part.min() ?? 0, highest: part.max() ?? 0, bits: bits)
      let encoding = Encoding(
        scheme: Scheme(bits: bits, symmetry: .affine, granularity: .tensor), scales: [range.scale],
        zeroPoints: [range.zeroPoint])
      for i in start..<start + size {
        #expect(y[i] == encoding.real(encoding.code(values[i])))
        #expect((y[i] - values[i]).magnitude <= range.scale * 1.0001)
      }
    }
  }
}
