import CKernels
import Testing

/// 3×3 convolutions of stride 1 against every product in double.
@Suite struct Conv3x3Tests {
  struct Case: CustomTestStringConvertible, Sendable {
    var height: Int
    var width: Int
    var k: Int
    var n: Int
    var pad = 1
    var testDescription: String { "\(height)x\(width) \(k) → \(n) pad \(pad)" }
  }

  @Test(
    arguments: [CK_SCALAR] + levels,
    [
      Case(height: 8, width: 8, k: 16, n: 16), Case(height: 4, width: 4, k: 1, n: 1),
      Case(height: 5, width: 7, k: 3, n: 5), Case(height: 13, width: 13, k: 17, n: 33),
      Case(height: 6, width: 30, k: 8, n: 40, pad: 0), Case(height: 3, width: 3, k: 20, n: 9, pad: 2),
      Case(height: 1, width: 1, k: 31, n: 15), Case(height: 9, width: 5, k: 64, n: 8, pad: 0),
    ])
  func equalsEveryProduct(level: ck_level, sizes: Case) {
    let table = table(level)
    let (height, width, k, n, pad) = (sizes.height, sizes.width, sizes.k, sizes.n, sizes.pad)
    let outHeight = height + 2 * pad - 2, outWidth = width + 2 * pad - 2, outputs = outHeight * outWidth
    var random = Random(height + 3 * width + 5 * k + 7 * n)
    let image = Guarded(random.floats(height * width * k)), weights = random.floats(n * 9 * k)
    let bias = Guarded(random.floats(n)), residual = Guarded(random.floats(outputs * n))
    let packed = Guarded<UInt8>((table.packed_bytes_3x3(n, k) + 63) / 64 * 64, filledWith: 0x33)
    var matrix = [Float](repeating: 0, count: n * k)
    table.pack_3x3(n, k, weights, &matrix, packed.pointer)
    let scratch = Guarded<UInt8>((table.scratch_bytes_3x3(n, k) + 63) / 64 * 64, filledWith: 0xFF)
    let stride = n + 1
    func run(splitAt: Int) -> [Float] {
      let c = Guarded<Float>((outputs - 1) * stride + n, filledWith: 9)
      var w = ck_conv3x3_f32()
      w.a = UnsafePointer(image.pointer)
      (w.height, w.width, w.k, w.n) = (height, width, k, n)
      (w.pad_top, w.pad_left, w.out_height, w.out_width) = (pad, pad, outHeight, outWidth)
      w.packed = UnsafeRawPointer(packed.pointer)
      w.bias = UnsafePointer(bias.pointer)
      w.c = c.pointer
      w.c_stride = stride
      w.residual = UnsafePointer(residual.pointer)
      w.residual_stride = n
      (w.lower, w.upper) = (-9, 7)
      w.scratch = UnsafeMutableRawPointer(scratch.pointer)
      let tiles = (outHeight + 3) / 4 * ((outWidth + 3) / 4)
      table.conv3x3_f32(&w, 0, min(splitAt, tiles))
      table.conv3x3_f32(&w, min(splitAt, tiles), tiles)
      return withExtendedLifetime((image, packed, scratch, bias, residual)) { c.values }
    }
    let ours = run(splitAt: 0)
    #expect(ours.map(\.bitPattern) == run(splitAt: 3).map(\.bitPattern))
    var largest = 0.0, worst = 0.0
    for i in 0..<outputs {
      for j in 0..<n {
        var sum = Double(bias.pointer[j]) + Double(residual.pointer[i * n + j])
        for tap in 0..<9 {
          let y = i / outWidth + tap / 3 - pad, x = i % outWidth + tap % 3 - pad
          guard y >= 0, y < height, x >= 0, x < width else { continue }
          for channel in 0..<k {
            sum +=
              Double(image.pointer[(y * width + x) * k + channel])
              * Double(weights[(j * 9 + tap) * k + channel])
          }
        }
        largest = max(largest, abs(sum))
        worst = max(worst, abs(Double(ours[i * stride + j]) - min(max(sum, -9), 7)))
      }
    }
    #expect(worst <= 1e-4 * largest, "error \(worst) of \(largest)")
    // Nothing between the outputs.
    #expect((0..<outputs - 1).allSatisfy { ours[$0 * stride + n] == 9 })
  }
}
