import CKernels
import Foundation

/// Memory of one timing: 64-byte aligned, freed with it.
private final class Workspace {
  private var blocks: [UnsafeMutableRawPointer] = []
  private var state: UInt32 = 1

  deinit { blocks.forEach { $0.deallocate() } }

  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(64, count), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: Swift.max(64, count))
    blocks.append(block)
    return block
  }

  func floats(_ count: Int, _ value: (UInt32) -> Float = { Float($0 % 2001) * 1e-3 - 1 })
    -> UnsafeMutablePointer<Float>
  {
    let block = bytes(count * 4).assumingMemoryBound(to: Float.self)
    for i in 0..<count { block[i] = value(random()) }
    return block
  }

  func codes<T: FixedWidthInteger>(_ count: Int, _ range: ClosedRange<Int>) -> UnsafeMutablePointer<T> {
    let block = bytes(count * MemoryLayout<T>.stride).assumingMemoryBound(to: T.self)
    for i in 0..<count { block[i] = T(truncatingIfNeeded: range.lowerBound + Int(random()) % range.count) }
    return block
  }

  /// All but the weights and where the outputs go.
  func product(of rows: ck_rows, n: Int, output: ck_output) -> ck_gemm_u8s8 {
    var g = ck_gemm_u8s8()
    g.rows = rows
    g.n = n
    g.column_sums = UnsafePointer(codes(n, -100...100) as UnsafeMutablePointer<Int32>)
    g.output = output
    g.c_stride = n
    g.multiplier = UnsafePointer(floats(n) { _ in 1e-3 })
    g.upper = 255
    return g
  }

  private func random() -> UInt32 {
    state = state &* 1_664_525 &+ 1_013_904_223
    return state >> 8
  }

  /// Median milliseconds of `body`, called for some milliseconds at a time.
  func median(calls: Int = 1, _ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let once = Swift.max(clock.measure(body) / .milliseconds(1), 1e-5)
    let repeats = Swift.max(1, Int(4 / once))
    let times = (0..<15).map { _ in
      clock.measure { for _ in 0..<repeats { body() } } / .milliseconds(1) / Double(repeats * calls)
    }
    return times.sorted()[times.count / 2]
  }
}

extension KernelBench.Shape {
  static func offsets(size: Int, channels: Int, kernel: Int, step: Int) -> [Int32] {
    let out = (size - 1) / step + 1
    return (0..<out * out).flatMap { i in
      (0..<kernel * kernel).map { tap -> Int32 in
        let y = i / out * step + tap / kernel - kernel / 2
        let x = i % out * step + tap % kernel - kernel / 2
        return y < 0 || y >= size || x < 0 || x >= size ? -1 : Int32((y * size + x) * channels)
      }
    }
  }

  /// A product of rows, direct or through offsets; int32 sums where it is square, codes else.
  func window(
    _ kernels: ck_table, rows: Int, n: Int, taps: Int, k: Int, offsets: [Int32]?, elements: Int
  ) -> Double {
    let workspace = Workspace()
    let c = workspace.bytes(rows * n * 4)
    let padding = workspace.bytes(k * 4)
    return (offsets ?? []).withUnsafeBufferPointer { list in
      var left = ck_rows(
        a: nil, stride: k, offsets: offsets == nil ? nil : list.baseAddress, taps: taps, k: k,
        padding: padding)
      guard isInteger else {
        left.a = UnsafeRawPointer(workspace.floats(elements))
        let packed = workspace.bytes(kernels.packed_bytes_f32(n, taps, k))
        kernels.pack_f32(n, taps, k, workspace.floats(n * taps * k), packed)
        var g = ck_gemm_f32()
        g.rows = left
        g.n = n
        g.packed = UnsafeRawPointer(packed)
        g.c = c.assumingMemoryBound(to: Float.self)
        g.c_stride = n
        (g.lower, g.upper) = (-.infinity, .infinity)
        return workspace.median { kernels.gemm_f32(&g, 0, rows, 0, n) }
      }
      left.a = UnsafeRawPointer(workspace.codes(elements, 0...255) as UnsafeMutablePointer<UInt8>)
      let packed = workspace.bytes(kernels.packed_bytes_s8(n, taps, k))
      kernels.pack_s8(n, taps, k, workspace.codes(n * taps * k, -127...127), packed)
      var g = workspace.product(of: left, n: n, output: rows == n ? CK_OUT_S32 : CK_OUT_U8)
      g.packed = UnsafeRawPointer(packed)
      g.c = c
      return workspace.median { kernels.gemm_u8s8(&g, 0, rows, 0, n) }
    }
  }

  func winograd(_ kernels: ck_table, size: Int, k: Int, n: Int) -> Double {
    let workspace = Workspace()
    let tiles = ((size + 3) / 4) * ((size + 3) / 4)
    let c = workspace.bytes(size * size * n * 4)
    guard isInteger else {
      let packed = workspace.bytes(kernels.packed_bytes_3x3(n, k))
      kernels.pack_3x3(n, k, workspace.floats(n * 9 * k), workspace.floats(n * k), packed)
      var w = ck_conv3x3_f32()
      w.a = UnsafePointer(workspace.floats(size * size * k))
      (w.height, w.width, w.k, w.out_height, w.out_width, w.n) = (size, size, k, size, size, n)
      (w.pad_top, w.pad_left) = (1, 1)
      w.packed = UnsafeRawPointer(packed)
      w.c = c.assumingMemoryBound(to: Float.self)
      w.c_stride = n
      (w.lower, w.upper) = (-.infinity, .infinity)
      w.scratch = workspace.bytes(kernels.scratch_bytes_3x3(n, k))
      return workspace.median { kernels.conv3x3_f32(&w, 0, tiles) }
    }
    let packed = workspace.bytes(kernels.packed_bytes_3x3_u8s8(n, k))
    kernels.pack_3x3_u8s8(n, k, workspace.codes(n * 9 * k, -127...127), packed)
    var rows = ck_rows()
    rows.a = UnsafeRawPointer(workspace.codes(size * size * k, 0...255) as UnsafeMutablePointer<UInt8>)
    (rows.taps, rows.k) = (9, k)
    var w = ck_conv3x3_u8s8()
    w.product = workspace.product(of: rows, n: n, output: CK_OUT_U8)
    w.product.packed = UnsafeRawPointer(packed)
    w.product.c = c
    (w.height, w.width, w.out_height, w.out_width) = (size, size, size, size)
    (w.pad_top, w.pad_left) = (1, 1)
    w.scratch = workspace.bytes(kernels.scratch_bytes_3x3_u8s8(n, k))
    return workspace.median { kernels.conv3x3_u8s8(&w, 0, tiles) }
  }

  func depthwise(_ kernels: ck_table, size: Int, channels: Int, kernel: Int, step: Int) -> Double {
    let workspace = Workspace()
    let out = (size - 1) / step + 1
    let (rows, taps) = (out * out, kernel * kernel)
    let c = workspace.bytes(rows * channels * 4)
    let padding = workspace.bytes(channels * 4)
    let geometry = ck_window(
      height: size, width: size, out_width: out, kernel_height: kernel, kernel_width: kernel, step_y: step,
      step_x: step, pad_top: kernel / 2, pad_left: kernel / 2)
    let offsets = Self.offsets(size: size, channels: channels, kernel: kernel, step: step)
    return offsets.withUnsafeBufferPointer { list in
      withUnsafePointer(to: geometry) { geometry in
        guard isInteger else {
          var d = ck_depthwise_f32()
          d.a = UnsafePointer(workspace.floats(size * size * channels))
          (d.offsets, d.window, d.taps, d.channels) = (list.baseAddress, geometry, taps, channels)
          d.padding = UnsafePointer(padding.assumingMemoryBound(to: Float.self))
          d.weights = UnsafePointer(workspace.floats(taps * channels))
          d.c = c.assumingMemoryBound(to: Float.self)
          d.c_stride = channels
          (d.lower, d.upper) = (0, 6)
          return workspace.median { kernels.depthwise_f32(&d, 0, rows) }
        }
        var d = ck_depthwise_u8s8()
        d.a = UnsafePointer(workspace.codes(size * size * channels, 0...255))
        (d.offsets, d.window, d.taps, d.channels) = (list.baseAddress, geometry, taps, channels)
        d.padding = UnsafePointer(padding.assumingMemoryBound(to: UInt8.self))
        d.weights = UnsafePointer(workspace.codes(taps * channels, -127...127))
        d.column_sums = UnsafePointer(workspace.codes(channels, -100...100))
        d.output = CK_OUT_U8
        d.c = c
        d.c_stride = channels
        d.multiplier = UnsafePointer(workspace.floats(channels) { _ in 1e-3 })
        d.upper = 255
        return workspace.median { kernels.depthwise_u8s8(&d, 0, rows) }
      }
    }
  }

  /// Matrices of together some 200 MB in turn, more than any cache holds.
  func matrixVector(_ kernels: ck_table, n: Int, k: Int, bits: Int) -> Double {
    let workspace = Workspace()
    let copies = Swift.max(2, 200_000_000 / (weightBytes ?? 1))
    let c = workspace.bytes(n * 4).assumingMemoryBound(to: Float.self)
    if bits == 32 {
      let size = kernels.packed_bytes_f32(n, 1, k)
      let weights = workspace.floats(n * k)
      let packed = (0..<copies).map { _ in workspace.bytes(size) }
      for matrix in packed { kernels.pack_f32(n, 1, k, weights, matrix) }
      var g = ck_gemm_f32()
      g.rows = ck_rows(a: workspace.floats(k), stride: k, offsets: nil, taps: 1, k: k, padding: nil)
      (g.n, g.c, g.c_stride, g.lower, g.upper) = (n, c, n, -.infinity, .infinity)
      return workspace.median(calls: copies) {
        for matrix in packed {
          g.packed = UnsafeRawPointer(matrix)
          kernels.gemm_f32(&g, 0, 1, 0, n)
        }
      }
    }
    let half = 1 << (bits - 1)
    let codes: UnsafeMutablePointer<Int8> = workspace.codes(n * k, -half...half - 1)
    let scales = workspace.floats(n * (k / Self.group)) { Float($0 % 1000 + 1) * 1e-4 }
    var source = ck_wq()
    (source.n, source.taps, source.k, source.bits, source.group) = (n, 1, k, bits, Self.group)
    (source.codes, source.scales) = (UnsafePointer(codes), UnsafePointer(scales))
    source.for_bytes = isInteger ? 1 : 0
    let size = kernels.packed_bytes_wq(&source)
    let packed = (0..<copies).map { _ in workspace.bytes(size) }
    for matrix in packed { kernels.pack_wq(&source, matrix) }
    let scratch = workspace.bytes(kernels.wq_scratch_bytes(1, k))
    guard isInteger else {
      var g = ck_gemm_wq()
      g.rows = ck_rows(a: workspace.floats(k), stride: k, offsets: nil, taps: 1, k: k, padding: nil)
      (g.m, g.n, g.bits, g.group, g.c, g.c_stride) = (1, n, bits, Self.group, c, n)
      (g.lower, g.upper, g.scratch) = (-.infinity, .infinity, scratch)
      return workspace.median(calls: copies) {
        for matrix in packed {
          g.packed = UnsafeRawPointer(matrix)
          kernels.gemm_wq(&g, 0, 1, 0, n)
        }
      }
    }
    var g = ck_gemm_u8wq()
    let row: UnsafeMutablePointer<UInt8> = workspace.codes(k, 0...255)
    g.rows = ck_rows(a: row, stride: k, offsets: nil, taps: 1, k: k, padding: nil)
    (g.n, g.bits, g.group, g.a_zero, g.a_scale, g.c, g.c_stride) = (n, bits, Self.group, 120, 0.1, c, n)
    (g.lower, g.upper, g.scratch) = (-.infinity, .infinity, scratch)
    return workspace.median(calls: copies) {
      for matrix in packed {
        g.packed = UnsafeRawPointer(matrix)
        kernels.gemm_u8wq(&g, 0, 1, 0, n)
      }
    }
  }
}
