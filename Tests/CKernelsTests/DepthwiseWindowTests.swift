import CKernels
import Testing

/// Windows on an image, with the offsets that say the same.
struct WindowCase: CustomTestStringConvertible, Sendable {
  var window: ck_window
  var rows: Int
  var testDescription: String {
    "\(window.height)x\(window.width) window \(window.kernel_height)x\(window.kernel_width) "
      + "step \(window.step_y),\(window.step_x) pad \(window.pad_top),\(window.pad_left)"
  }

  init(_ height: Int, _ width: Int, kernel: (Int, Int), step: (Int, Int) = (1, 1), pad: (Int, Int) = (0, 0)) {
    let outWidth = (width + 2 * pad.1 - kernel.1) / step.1 + 1
    rows = ((height + 2 * pad.0 - kernel.0) / step.0 + 1) * outWidth
    window = ck_window(
      height: height, width: width, out_width: outWidth, kernel_height: kernel.0, kernel_width: kernel.1,
      step_y: step.0, step_x: step.1, pad_top: pad.0, pad_left: pad.1)
  }

  func offsets(channels: Int) -> [Int32] {
    (0..<rows).flatMap { row in
      (0..<window.kernel_height * window.kernel_width).map { tap -> Int32 in
        let y = row / window.out_width * window.step_y + tap / window.kernel_width - window.pad_top
        let x = row % window.out_width * window.step_x + tap % window.kernel_width - window.pad_left
        guard y >= 0, y < window.height, x >= 0, x < window.width else { return -1 }
        return Int32((y * window.width + x) * channels)
      }
    }
  }
}

private let cases = [
  WindowCase(6, 7, kernel: (3, 3), pad: (1, 1)),
  WindowCase(5, 70, kernel: (3, 3), pad: (1, 1)),
  WindowCase(9, 9, kernel: (3, 3), step: (2, 2), pad: (1, 1)),
  WindowCase(8, 8, kernel: (3, 3), step: (2, 2), pad: (0, 0)),
  WindowCase(9, 11, kernel: (5, 5), pad: (2, 2)),
  WindowCase(9, 41, kernel: (5, 5), step: (2, 2), pad: (2, 2)),
  WindowCase(3, 3, kernel: (7, 7), pad: (6, 6)),
  WindowCase(4, 5, kernel: (1, 2), step: (1, 3)),
  WindowCase(2, 2, kernel: (3, 3), pad: (3, 3)),
  WindowCase(1, 30, kernel: (1, 3), pad: (0, 1)),
]
private let channelCounts = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 32, 33, 48, 63, 64, 65, 80, 130]

/// The kernels that go row by row of an image, against the scalar ones that follow the offsets.
@Suite struct DepthwiseWindowTests {
  @Test(arguments: levels, cases)
  func floatEqualsScalar(level: ck_level, sizes: WindowCase) {
    for channels in channelCounts {
      for gap in [0, 1] {
        let taps = sizes.window.kernel_height * sizes.window.kernel_width, m = sizes.rows
        var random = Random(channels + 3 * taps + gap)
        let image = Guarded(random.floats(sizes.window.height * sizes.window.width * channels))
        let offsets = Guarded(sizes.offsets(channels: channels))
        let padding = Guarded<Float>(channels, filledWith: 0)
        let weights = Guarded(random.floats(taps * channels)), bias = Guarded(random.floats(channels))
        let residual = Guarded(random.floats(m * channels))
        func run(_ table: ck_table) -> [Float] {
          let c = Guarded<Float>((m - 1) * (channels + gap) + channels, filledWith: 9)
          withUnsafePointer(to: sizes.window) { window in
            var d = ck_depthwise_f32()
            d.a = UnsafePointer(image.pointer)
            d.offsets = UnsafePointer(offsets.pointer)
            d.window = window
            d.taps = taps
            d.channels = channels
            d.padding = UnsafePointer(padding.pointer)
            d.weights = UnsafePointer(weights.pointer)
            d.bias = UnsafePointer(bias.pointer)
            d.c = c.pointer
            d.c_stride = channels + gap
            if channels % 2 == 0 {
              d.residual = UnsafePointer(residual.pointer)
              d.residual_stride = channels
            }
            d.lower = -1.5
            d.upper = 1.25
            table.depthwise_f32(&d, 0, m / 3)
            table.depthwise_f32(&d, m / 3, m)
          }
          return withExtendedLifetime((image, offsets, padding, weights, bias, residual)) { c.values }
        }
        let tolerance = 1e-6 * Float(taps + 2)
        let difference = firstDifference(run(table(level)), run(scalar)) { _ in tolerance }
        #expect(difference == nil, "\(channels) channels")
      }
    }
  }

  @Test(arguments: levels, cases)
  func codesEqualScalar(level: ck_level, sizes: WindowCase) {
    for channels in channelCounts {
      for gap in [0, 1] {
        let taps = sizes.window.kernel_height * sizes.window.kernel_width, m = sizes.rows
        var random = Random(channels + 5 * taps + gap)
        let image = Guarded<UInt8>(
          random.integers(sizes.window.height * sizes.window.width * channels, 0...255))
        let offsets = Guarded(sizes.offsets(channels: channels))
        let padding = Guarded<UInt8>(channels, filledWith: 131)
        let w: [Int8] = random.integers(taps * channels, -128...127)
        let weights = Guarded(w)
        let sums = Guarded(
          (0..<channels).map { ch in (0..<taps).reduce(Int32(0)) { $0 + Int32(w[$1 * channels + ch]) } })
        let bias = Guarded(random.integers(channels, Int32(-900)...900))
        let biasF = Guarded(random.floats(channels))
        let multiplier = Guarded(random.floats(channels, 0.001...0.02))
        func run<C: BitwiseCopyable>(_ table: ck_table, _ output: ck_output, fill: C) -> [C] {
          let c = Guarded<C>((m - 1) * (channels + gap) + channels, filledWith: fill)
          withUnsafePointer(to: sizes.window) { window in
            var d = ck_depthwise_u8s8()
            d.a = UnsafePointer(image.pointer)
            d.offsets = UnsafePointer(offsets.pointer)
            d.window = window
            d.taps = taps
            d.channels = channels
            d.padding = UnsafePointer(padding.pointer)
            d.weights = UnsafePointer(weights.pointer)
            d.column_sums = UnsafePointer(sums.pointer)
            d.a_zero = 131
            d.output = output
            d.c = UnsafeMutableRawPointer(c.pointer)
            d.c_stride = channels + gap
            d.bias = UnsafePointer(bias.pointer)
            d.multiplier = UnsafePointer(multiplier.pointer)
            d.bias_f = channels % 2 == 0 ? UnsafePointer(biasF.pointer) : nil
            d.a_scale = 0.37
            d.lower_f = -40
            d.upper_f = 50
            d.zero = 20
            d.lower = 3
            d.upper = 250
            table.depthwise_u8s8(&d, 0, m / 3)
            table.depthwise_u8s8(&d, m / 3, m)
          }
          return withExtendedLifetime(
            (image, offsets, padding, weights, sums, bias, biasF, multiplier)
          ) { c.values }
        }
        #expect(
          run(table(level), CK_OUT_U8, fill: UInt8(9)) == run(scalar, CK_OUT_U8, fill: UInt8(9)),
          "\(channels) channels")
        #expect(
          run(table(level), CK_OUT_F32, fill: Float(9)) == run(scalar, CK_OUT_F32, fill: Float(9)),
          "\(channels) channels")
      }
    }
  }
}
