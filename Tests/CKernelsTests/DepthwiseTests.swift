import CKernels
import Testing

private let shapes: [Sizes] =
  [1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 130].map {
    Sizes(m: 7, n: $0, taps: 9, k: $0, indirect: true)
  }
  + [1, 2, 4, 5, 25, 49, 64, 65, 100].map { Sizes(m: 5, n: 20, taps: $0, k: 20, indirect: true) }
  + [0, 1, 2, 3, 4, 5, 13].map { Sizes(m: $0, n: 64, taps: 9, k: 64, indirect: true) }

@Suite struct DepthwiseTests {
  @Test(arguments: levels, shapes)
  func floatEqualsScalar(level: ck_level, sizes: Sizes) {
    let (m, channels, taps) = (sizes.m, sizes.k, sizes.taps)
    var random = Random(channels + 3 * taps)
    let source = RowSource<Float>(m: m, taps: taps, k: channels, indirect: true, padding: 0, random: &random)
    {
      $1.floats($0)
    }
    let weights = Guarded(random.floats(taps * channels))
    let bias = Guarded(random.floats(channels)), residual = Guarded(random.floats(m * channels))
    func run(_ table: ck_table, extras: Bool) -> [Float] {
      let c = Guarded<Float>(max(0, (m - 1) * (channels + 1) + channels), filledWith: 9)
      var d = ck_depthwise_f32()
      d.a = UnsafePointer(source.a.pointer)
      d.offsets = source.rows.offsets
      d.taps = taps
      d.channels = channels
      d.padding = UnsafePointer(source.padding.pointer)
      d.weights = UnsafePointer(weights.pointer)
      d.c = c.pointer
      d.c_stride = channels + 1
      d.lower = extras ? -1.5 : -.infinity
      d.upper = extras ? 1.25 : .infinity
      if extras {
        d.bias = UnsafePointer(bias.pointer)
        d.residual = UnsafePointer(residual.pointer)
        d.residual_stride = channels
      }
      table.depthwise_f32(&d, 0, m / 2)
      table.depthwise_f32(&d, m / 2, m)
      return withExtendedLifetime((weights, bias, residual)) { c.values }
    }
    for extras in [false, true] {
      let tolerance = 1e-6 * Float(taps + 2)
      #expect(
        firstDifference(run(table(level), extras: extras), run(scalar, extras: extras)) { _ in tolerance }
          == nil)
    }
  }

  @Test(arguments: levels, shapes)
  func codesEqualScalar(level: ck_level, sizes: Sizes) {
    let (m, channels, taps) = (sizes.m, sizes.k, sizes.taps)
    var random = Random(channels + 5 * taps)
    let source = RowSource<UInt8>(
      m: m, taps: taps, k: channels, indirect: true, padding: 131, random: &random
    ) {
      $1.integers($0, 0...255)
    }
    let w: [Int8] = random.integers(taps * channels, -128...127)
    let weights = Guarded(w)
    let sums = Guarded(
      (0..<channels).map { ch in (0..<taps).reduce(Int32(0)) { $0 + Int32(w[$1 * channels + ch]) } })
    let bZero = Guarded(random.integers(channels, Int32(-128)...127))
    let bias = Guarded(random.integers(channels, Int32(-900)...900)), biasF = Guarded(random.floats(channels))
    let typical = 100 / (74 * 74 * Float(taps).squareRoot())
    let multiplier = Guarded(random.floats(channels, 0.5 * typical...2 * typical))
    let residual = Guarded<UInt8>(random.integers(m * channels, 0...255))

    func run<C: BitwiseCopyable>(
      _ table: ck_table, _ output: ck_output, affine: Bool, residual added: Bool, bias biased: Bool, fill: C
    ) -> [C] {
      let c = Guarded<C>(max(0, (m - 1) * (channels + 1) + channels), filledWith: fill)
      var d = ck_depthwise_u8s8()
      d.a = UnsafePointer(source.a.pointer)
      d.offsets = source.rows.offsets
      d.taps = taps
      d.channels = channels
      d.padding = UnsafePointer(source.padding.pointer)
      d.weights = UnsafePointer(weights.pointer)
      d.column_sums = UnsafePointer(sums.pointer)
      d.b_zero = affine ? UnsafePointer(bZero.pointer) : nil
      d.a_zero = 131
      d.output = output
      d.c = UnsafeMutableRawPointer(c.pointer)
      d.c_stride = channels + 1
      d.bias = biased ? UnsafePointer(bias.pointer) : nil
      d.multiplier = UnsafePointer(multiplier.pointer)
      d.bias_f = biased ? UnsafePointer(biasF.pointer) : nil
      d.a_scale = 0.7
      d.lower_f = -50
      d.upper_f = 60
      d.zero = 110
      d.lower = 3
      d.upper = 250
      d.residual = added ? UnsafePointer(residual.pointer) : nil
      d.residual_stride = channels
      d.r_zero = 99
      d.branch_multiplier = 0.9
      d.r_multiplier = 0.6
      d.sum_zero = 120
      d.sum_lower = 0
      d.sum_upper = 255
      table.depthwise_u8s8(&d, 0, m / 2)
      table.depthwise_u8s8(&d, m / 2, m)
      return withExtendedLifetime((weights, sums, bZero, bias, biasF, multiplier, residual)) { c.values }
    }
    for affine in [false, true] {
      for extra in [false, true] {
        let codes = [table(level), scalar].map {
          run($0, CK_OUT_U8, affine: affine, residual: extra, bias: !extra, fill: UInt8(1))
        }
        #expect(firstDifference(codes[0], codes[1]) == nil)
        let floats = [table(level), scalar].map {
          run($0, CK_OUT_F32, affine: affine, residual: false, bias: extra, fill: Float(1))
        }
        #expect(firstDifference(floats[0], floats[1]) == nil)
      }
    }
  }

  @Test func scalarByHand() {
    // Two channels; taps at pixels 0 and 1, and one outside.
    let x: [UInt8] = [10, 20, 30, 40], padding: [UInt8] = [5, 5], w: [Int8] = [1, 2, -3, 4, 100, 100]
    let offsets: [Int32] = [0, 2, -1], sums: [Int32] = [98, 106]
    var c: [Float] = [0, 0]
    x.withUnsafeBufferPointer { x in
      padding.withUnsafeBufferPointer { padding in
        w.withUnsafeBufferPointer { w in
          offsets.withUnsafeBufferPointer { offsets in
            sums.withUnsafeBufferPointer { sums in
              c.withUnsafeMutableBufferPointer { c in
                [Float(0.5), 2].withUnsafeBufferPointer { multiplier in
                  var d = ck_depthwise_u8s8()
                  d.a = x.baseAddress
                  d.offsets = offsets.baseAddress
                  d.taps = 3
                  d.channels = 2
                  d.padding = padding.baseAddress
                  d.weights = w.baseAddress
                  d.column_sums = sums.baseAddress
                  d.a_zero = 5
                  d.output = CK_OUT_F32
                  d.c = UnsafeMutableRawPointer(c.baseAddress)
                  d.c_stride = 2
                  d.multiplier = multiplier.baseAddress
                  d.a_scale = 1
                  d.lower_f = -.infinity
                  d.upper_f = .infinity
                  scalar.depthwise_u8s8(&d, 0, 1)
                }
              }
            }
          }
        }
      }
    }
    // 1·5 − 3·25 = −70, half of it; 2·15 + 4·35 = 170, twice it.
    #expect(c == [-35, 340])
  }
}
