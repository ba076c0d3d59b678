import CKernels
import Testing

/// Values on and around the halves, where rounding shows, and values that do not fit.
private func hardValues(_ n: Int, scale: Float, _ random: inout Random) -> [Float] {
  let special: [Float] = [
    0, -0.0, .infinity, -.infinity, .nan, 3e38, -3e38, .leastNonzeroMagnitude, 2_147_483_648, -4e9,
  ]
  return (0..<n).map { i in
    switch i % 4 {
    case 0: Float(Int.random(in: -300...300, using: &random)) * scale + scale / 2
    case 1: special[Int.random(in: 0..<special.count, using: &random)]
    default: Float.random(in: -140...140, using: &random) * scale
    }
  }
}

@Suite struct CodesTests {
  @Test(arguments: levels, lengths)
  func equalScalar(level: ck_level, n: Int) {
    var random = Random(n + 1)
    let ours = table(level)
    let a = Guarded<UInt8>(random.integers(n, 0...255)), b = Guarded<UInt8>(random.integers(n, 0...255))
    let map = Guarded<UInt8>(random.integers(256, 0...255))
    func codes(_ body: (ck_table, UnsafeMutablePointer<UInt8>) -> Void) -> String? {
      let outputs = [ours, scalar].map { table in
        let y = Guarded<UInt8>(n, filledWith: 7)
        body(table, y.pointer)
        return y.values
      }
      return firstDifference(outputs[0], outputs[1])
    }
    for (scale, zero, lower, upper) in [
      (Float(0.1), Int32(128), Int32(0), Int32(255)), (0.037, 0, 0, 127), (1, 255, 20, 200),
      (1e-30, 3, 0, 255),
    ] {
      let x = Guarded(hardValues(n, scale: scale, &random))
      #expect(codes { $0.quantize_f32_u8(x.pointer, n, scale, zero, lower, upper, $1) } == nil)
    }
    #expect(codes { $0.requantize_u8(a.pointer, n, 77, 0.5, 100, 10, 240, $1) } == nil)
    #expect(codes { $0.requantize_u8(a.pointer, n, 77, 1.37, 100, 0, 255, $1) } == nil)
    #expect(codes { $0.add_u8(a.pointer, b.pointer, n, 100, 0.5, 128, 0.25, 111, 0, 255, $1) } == nil)
    #expect(codes { $0.add_u8(a.pointer, b.pointer, n, 3, 0.71, 250, 1.3, 90, 30, 220, $1) } == nil)
    #expect(codes { $0.mul_u8(a.pointer, b.pointer, n, 128, 120, 0.0078125, 128, 0, 255, $1) } == nil)
    #expect(codes { $0.mul_u8(a.pointer, b.pointer, n, 9, 200, 0.0113, 100, 5, 250, $1) } == nil)
    #expect(codes { $0.lookup_u8(a.pointer, n, map.pointer, $1) } == nil)

    let floats = [ours, scalar].map { table in
      let y = Guarded<Float>(n, filledWith: 7)
      table.dequantize_u8_f32(a.pointer, n, 0.0371, 119, y.pointer)
      return y.values
    }
    #expect(firstDifference(floats[0], floats[1]) == nil)
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func quantizesByTheFormula(level: ck_level) {
    let n = 4003, scale: Float = 0.1
    var random = Random(3)
    let values = hardValues(n, scale: scale, &random)
    var codes = [UInt8](repeating: 0, count: n)
    table(level).quantize_f32_u8(values, n, scale, 50, 10, 240, &codes)
    for (x, code) in zip(values, codes) {
      // NaN takes the lowest code; what does not fit is clamped.
      let rounded = (x / scale).rounded(.toNearestOrEven)
      let expected = x.isNaN ? 10 : min(max(rounded + 50, 10), 240)
      #expect(Float(code) == expected, "\(x)")
    }
  }

  @Test(arguments: [CK_SCALAR] + levels, lengths)
  func smallestAndLargest(level: ck_level, n: Int) {
    var random = Random(n)
    var values = random.floats(n, -5...5)
    if n > 3 { values[n / 2] = .nan }
    let x = Guarded(values)
    var low: Float = 0, high: Float = 0
    table(level).minmax_f32(x.pointer, n, &low, &high)
    let real = values.filter { !$0.isNaN }
    #expect(low == real.min() ?? .infinity)
    #expect(high == real.max() ?? -.infinity)
  }

  @Test func requantizeAndArithmeticByTheFormula() {
    let all = (0...255).map { UInt8($0) }, reversed = Array(all.reversed())
    var y = [UInt8](repeating: 0, count: 256)
    func code(_ v: Float, _ zero: Float) -> UInt8 {
      UInt8(min(max(v.rounded(.toNearestOrEven) + zero, 0), 255))
    }
    scalar.requantize_u8(all, 256, 128, 0.5, 100, 0, 255, &y)
    #expect(y == all.map { code((Float($0) - 128) * 0.5, 100) })
    scalar.add_u8(all, reversed, 256, 100, 0.5, 90, 0.75, 120, 0, 255, &y)
    #expect(y == zip(all, reversed).map { code((Float($0) - 100) * 0.5 + (Float($1) - 90) * 0.75, 120) })
    scalar.mul_u8(all, reversed, 256, 100, 90, 0.03125, 120, 0, 255, &y)
    #expect(y == zip(all, reversed).map { code((Float($0) - 100) * (Float($1) - 90) * 0.03125, 120) })
  }
}
