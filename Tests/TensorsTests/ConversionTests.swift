import Tensors
import Testing

struct ConversionTests {
  /// Small whole numbers mean the same in every type that has them.
  @Test(arguments: ElementType.allCases, ElementType.allCases)
  func smallNumbersPassThroughEveryPair(_ from: ElementType, _ to: ElementType) {
    let values: [Float] = from == .float8e8m0 || to == .float8e8m0 ? [1, 1] : [0, 1, 1, 0, 1]
    let start = Tensor(floats: values, shape: [values.count], type: from)
    #expect(start.type == from)
    let end = start.converted(to: to)
    #expect(end.type == to)
    #expect(end.shape == start.shape)
    #expect(end.floats == values)
  }

  @Test(arguments: ElementType.allCases.filter(\.isSignedInteger))
  func negativeNumbersKeepTheirSign(_ type: ElementType) {
    let tensor = Tensor(integers: [-2, -1, 0, 1], shape: [4], type: type)
    #expect(tensor.integers == [-2, -1, 0, 1])
    #expect(tensor.converted(to: .float32).floats == [-2, -1, 0, 1])
  }

  @Test func floatsLoseTheirFractionAndIntegersTheirHighBits() {
    #expect(Tensor([Float(2.9), -2.9, 300], shape: [3]).converted(to: .int32).integers == [2, -2, 300])
    #expect(Tensor([Float(300), -1], shape: [2]).converted(to: .uint8).integers == [44, 255])
    #expect(
      Tensor([Float.nan, .infinity, -.infinity], shape: [3]).converted(to: .int64).array(of: Int64.self) == [
        0, .max, .min,
      ])
    #expect(Tensor([Int32(0x1_0005)], shape: [1]).converted(to: .int16).integers == [5])
    #expect(Tensor([UInt64.max], shape: [1]).doubles == [0x1p64])
    #expect(
      Tensor([Float(0.5), 0, .nan], shape: [3]).converted(to: .bool).array(of: Bool.self) == [
        true, false, true,
      ])
  }

  /// Every length up to three bytes, so that a partly filled last byte is seen.
  @Test(arguments: [ElementType.int4, .uint4, .int2, .uint2, .float4e2m1])
  func packedElementsKeepTheirPlaces(_ type: ElementType) {
    for count in 0...12 {
      let codes = (0..<count).map { UInt8($0 * 7 % (1 << type.bits)) }
      let packed = Tensor(words: Tensor(codes, shape: [count]), type: type)
      #expect(packed.byteCount == (count * type.bits + 7) / 8)
      #expect(packed.words.array(of: UInt8.self) == codes)
    }
  }

  @Test func lowBitsComeFirst() {
    let packed = Tensor(integers: [1, 2, 3], shape: [3], type: .uint4)
    packed.withBytes { #expect(Array($0) == [0x21, 0x03]) }
    let pairs = Tensor(integers: [1, 2, 3, 0, 1], shape: [5], type: .uint2)
    pairs.withBytes { #expect(Array($0) == [0b00_11_10_01, 0b01]) }
  }
}
