import Graph
import Operators
import Tensors
import Testing

/// Quantizing and dequantizing for every type and arrangement of scales.
struct QuantizationOperatorTests {
  static let integerTypes: [ElementType] = [.int8, .uint8, .int16, .uint16, .int4, .uint4, .int2, .uint2]
  static let floatTypes: [ElementType] = [
    .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1,
  ]

  private func codes(_ type: ElementType) -> [Int] {
    let half = 1 << (type.bits - 1)
    return type.isSignedInteger ? Array(-half..<half) : Array(0..<2 * half)
  }

  /// Every code of every integer type comes back, whatever the arrangement of scales.
  @Test(arguments: integerTypes) func everyCodeComesBack(_ type: ElementType) throws {
    let all = codes(type)
    let x = Tensor(integers: all, shape: [2, 2, all.count / 4], type: type)
    let columns = x.shape[2]
    let arrangements: [(scale: Shape, axis: Int, block: Int)] = [
      ([], 1, 0), ([2], 1, 0), ([2], -2, 0), ([columns], 2, 0), ([2, 2, (columns + 2) / 3], 2, 3),
      ([1, 2, columns], 0, 2),
    ]
    for (shape, axis, block) in arrangements {
      let count = shape.elementCount
      let scale = Tensor((0..<count).map { Float($0 + 1) / 8 }, shape: shape)
      let zero = Tensor(integers: (0..<count).map { all[$0 * 7 % all.count] }, shape: shape, type: type)
      let real = try DequantizeLinear(axis: axis, block: block).output(x, scale, zero)
      let back = try QuantizeLinear(axis: axis, block: block).output(real, scale, zero)
      #expect(back.type == type)
      #expect(back.integers == all, "scale \(shape)")
    }
  }

  @Test(arguments: floatTypes) func smallFloatsComeBack(_ type: ElementType) throws {
    let numbers = SmallFloat.decodeTable(type).filter { $0.isFinite }
    let x = Tensor(floats: numbers, shape: [numbers.count], type: type)
    let scale = Tensor(scalar: Float(0.5))
    let real = try DequantizeLinear().output(x, scale)
    #expect(real.floats == numbers.map { $0 / 2 })
    let back = try QuantizeLinear(outputType: type).output(real, scale)
    #expect(back.type == type && back.floats == numbers)
  }

  @Test(arguments: integerTypes) func beyondTheRangeIsTheEnd(_ type: ElementType) throws {
    let all = codes(type)
    let x = Tensor([-Float.infinity, -1e30, 1e30, .infinity, .nan], shape: [5])
    let zero = Tensor(integers: [1], shape: [], type: type)
    let y = try QuantizeLinear().output(x, Tensor(scalar: Float(0.1)), zero)
    #expect(y.integers == [all[0], all[0], all[all.count - 1], all[all.count - 1], 1])
  }

  /// Halves go to the even number before the zero point is added.
  @Test func halvesRoundToEven() throws {
    let x = Tensor([Float(-1.5), -0.5, 0.5, 1.5, 2.5], shape: [5])
    let y = try QuantizeLinear().output(x, Tensor(scalar: Float(1)), Tensor(scalar: UInt8(3)))
    #expect(y.integers == [1, 3, 3, 5, 5])
  }

  @Test func precisionRoundsTheQuotient() throws {
    // 2049 / 1 is 2048 in float16, so the code differs by one.
    let x = Tensor(scalar: Float(2049))
    let zero = Tensor(scalar: Int16(0))
    let wide = try QuantizeLinear().output(x, Tensor(scalar: Float(1)), zero)
    let half = try QuantizeLinear(attributes: ["precision": .int(10)]).output(
      x, Tensor(scalar: Float(1)), zero)
    #expect(wide.integers == [2049] && half.integers == [2048])
  }

  @Test func dynamicRangeHoldsZero() throws {
    for values: [Float] in [[0, 0], [1, 3], [-4, -2], [-1, 3], [2.5]] {
      let x = Tensor(values, shape: [values.count])
      let result = try DynamicQuantizeLinear().outputs([x], count: 3)
      let (scale, zero) = (result[1].floats[0], result[2].floats[0])
      for (code, value) in zip(result[0].floats, values) {
        #expect(abs((code - zero) * scale - value) <= scale / 2 * 1.001)
      }
      #expect(zero >= 0 && zero <= 255)
    }
    #expect(throws: OperatorError.self) {
      _ = try DynamicQuantizeLinear().output(Tensor([Float.infinity], shape: [1]))
    }
  }

  @Test(arguments: [2, 4, 8]) func productWithPackedWeights(_ bits: Int) throws {
    let (n, k, block) = (3, 40, 16)
    let blocks = 3
    var numbers = SeededNumbers(seed: 11)
    let highest = (1 << bits) - 1
    let codes = (0..<n * blocks * block).map { _ in Int(numbers.next() % UInt64(highest + 1)) }
    let zeros = (0..<n * blocks).map { _ in Int(numbers.next() % UInt64(highest + 1)) }
    let scales = (0..<n * blocks).map { _ in Float(numbers.uniform()) }
    func packed(_ values: [Int], rows: Int) -> Tensor {
      let perByte = 8 / bits
      let width = values.count / rows
      let bytes = (0..<rows).flatMap { row in
        stride(from: 0, to: width, by: perByte).map { start in
          (start..<min(start + perByte, width)).reduce(UInt8(0)) { (byte: UInt8, i: Int) -> UInt8 in
            byte | UInt8(values[row * width + i] << ((i - start) * bits))
          }
        }
      }
      return Tensor(bytes, shape: [rows, bytes.count / rows])
    }
    let a = numbers.tensor([2, k]).converted(to: .float32)
    let op = MatMulNBits(k: k, n: n, bits: bits, block: block)
    for hasZeros in [true, false] {
      let got = try op.output(
        a, packed(codes, rows: n * blocks), Tensor(scales, shape: [n * blocks]),
        hasZeros ? packed(zeros, rows: n) : nil)
      let values = a.doubles
      var want: [Double] = []
      for row in 0..<2 {
        for column in 0..<n {
          var sum = 0.0
          for i in 0..<k {
            let b = column * blocks + i / block
            let zero = hasZeros ? zeros[b] : 1 << (bits - 1)
            sum += values[row * k + i] * Double(codes[b * block + i % block] - zero) * Double(scales[b])
          }
          want.append(sum)
        }
      }
      #expect(distance(got, Tensor(want, shape: [2, n])) < 1e-3)
    }
  }

  @Test func matrixProductOfCodesPerRowAndColumn() throws {
    let a = Tensor([UInt8(1), 2, 3, 250, 7, 9], shape: [2, 3])
    let b = Tensor([Int8(1), -2, 3, 4, -5, 6], shape: [3, 2])
    let aZero = Tensor([UInt8(1), 5], shape: [2])
    let bZero = Tensor([Int8(1), 2], shape: [2])
    let y = try MatMulInteger().output(a, b, aZero, bZero)
    let (al, bl, az, bz) = (a.integers, b.integers, aZero.integers, bZero.integers)
    var want: [Int] = []
    for i in 0..<2 {
      for j in 0..<2 {
        var sum = 0
        for l in 0..<3 { sum += (al[i * 3 + l] - az[i]) * (bl[l * 2 + j] - bz[j]) }
        want.append(sum)
      }
    }
    #expect(y.type == .int32 && y.integers == want)
  }
}
