import CKernels
import Foundation
import Workflows

/// Times single kernels on the shapes that matter: large square products, layers of well-known networks, and the
/// matrix–vector products of a language model writing.
///
/// One thread, weights packed beforehand, what a kernel does with its activations included.
package enum KernelBench {
  package struct Row: Sendable, Codable {
    package var name: String
    /// Median of one call.
    package var ms: Double
    /// 10⁹ operations per second, two for each multiply–add of the product asked for, however few are really done.
    package var gops: Double
    /// Bytes of weights read, 10⁹ per second; only where the weights come from memory each time.
    package var gbs: Double?
    /// Of the arithmetic peak, or of the speed of memory where `gbs` is given.
    package var fraction: Double
  }

  /// Runs all of them for a few seconds.
  package static func measure(_ peaks: Peaks) -> [Row] {
    let kernels = ck_best().pointee
    return Shape.all.filter { $0.exists(kernels) }.map { shape in
      let ms = shape.time(kernels)
      let gops = shape.operations / ms * 1e-6
      let peak = shape.isInteger ? peaks.int8.oneThreadGops : peaks.float32.oneThreadGops
      if let bytes = shape.weightBytes {
        let gbs = Double(bytes) / ms * 1e-6
        return Row(
          name: shape.name, ms: ms, gops: gops, gbs: gbs,
          fraction: gbs / (peaks.memory.last?.oneThreadGbs ?? gbs))
      }
      return Row(name: shape.name, ms: ms, gops: gops, gbs: nil, fraction: gops / peak)
    }
  }

  static func text(_ rows: [Row]) -> String {
    TextTable.text(
      header: ["kernel", "µs", "GOP/s", "GB/s", "% of peak or memory"],
      rows: rows.map { row in
        [
          row.name, String(format: "%.1f", row.ms * 1e3), String(format: "%.1f", row.gops),
          row.gbs.map { String(format: "%.1f", $0) } ?? "-", String(format: "%.0f", row.fraction * 100),
        ]
      }, leftColumns: 1)
  }
}

extension KernelBench {
  /// A kernel and the sizes it runs on.
  struct Shape {
    enum Kind {
      /// m × k by k × n.
      case product(m: Int, n: Int, k: Int)
      /// Windows on an image of `size` × `size` pixels, padded by half a window; `k` input and `n` output channels.
      case convolution(size: Int, k: Int, n: Int, kernel: Int)
      case winograd(size: Int, k: Int, n: Int)
      case depthwise(size: Int, channels: Int, kernel: Int, step: Int)
      /// 1 × k by k × n, over so many matrices in turn that each comes from memory; bits 32 for float weights.
      case matrixVector(n: Int, k: Int, bits: Int)
    }

    var kind: Kind
    /// Activations are uint8, else float32.
    var isInteger: Bool

    static let all: [Shape] =
      [512, 1024].flatMap { size in
        [false, true].map { Shape(kind: .product(m: size, n: size, k: size), isInteger: $0) }
      }
      + [
        Kind.product(m: 64, n: 1536, k: 384), .product(m: 3136, n: 144, k: 24),
        .product(m: 196, n: 64, k: 384),
        .convolution(size: 32, k: 16, n: 16, kernel: 3), .convolution(size: 8, k: 64, n: 64, kernel: 3),
        .convolution(size: 55, k: 16, n: 64, kernel: 3),
        .depthwise(size: 112, channels: 8, kernel: 3, step: 1),
        .depthwise(size: 112, channels: 96, kernel: 3, step: 2),
        .depthwise(size: 14, channels: 576, kernel: 3, step: 1),
        .depthwise(size: 14, channels: 120, kernel: 5, step: 1),
      ].flatMap { kind in [false, true].map { Shape(kind: kind, isInteger: $0) } }
      + [
        Kind.winograd(size: 32, k: 16, n: 16), .winograd(size: 8, k: 64, n: 64),
        .winograd(size: 55, k: 16, n: 64),
      ].flatMap { kind in [false, true].map { Shape(kind: kind, isInteger: $0) } }
      + [Shape(kind: .matrixVector(n: 4096, k: 4096, bits: 32), isInteger: false)]
      + [8, 4, 2].flatMap { bits in
        [false, true].map { Shape(kind: .matrixVector(n: 4096, k: 4096, bits: bits), isInteger: $0) }
      }

    static let group = 32

    /// Whether there is a kernel of its own for this.
    func exists(_ kernels: ck_table) -> Bool {
      guard isInteger, case .winograd = kind else { return true }
      return kernels.conv3x3_u8s8 != nil
    }

    var name: String {
      let activations = isInteger ? "u8" : "f32"
      switch kind {
      case .product(let m, let n, let k): return "gemm \(activations) \(m)×\(n)×\(k)"
      case .convolution(let size, let k, let n, let kernel):
        return "conv \(activations) \(kernel)×\(kernel) \(size)×\(size) \(k) → \(n)"
      case .winograd(let size, let k, let n):
        return "conv winograd \(activations) 3×3 \(size)×\(size) \(k) → \(n)"
      case .depthwise(let size, let channels, let kernel, let step):
        return "depthwise \(activations) \(kernel)×\(kernel) \(size)×\(size)×\(channels) step \(step)"
      case .matrixVector(let n, let k, let bits):
        return bits == 32
          ? "matrix–vector f32 \(n)×\(k)"
          : "matrix–vector \(activations)×int\(bits) group \(Self.group) \(n)×\(k)"
      }
    }

    var operations: Double {
      switch kind {
      case .product(let m, let n, let k): return 2 * Double(m * n * k)
      case .convolution(let size, let k, let n, let kernel):
        return 2 * Double(size * size * k * n * kernel * kernel)
      case .winograd(let size, let k, let n): return 18 * Double(size * size * k * n)
      case .depthwise(let size, let channels, let kernel, let step):
        let out = (size - 1) / step + 1
        return 2 * Double(out * out * channels * kernel * kernel)
      case .matrixVector(let n, let k, _): return 2 * Double(n * k)
      }
    }

    /// What one call must read of weights: codes and scales.
    var weightBytes: Int? {
      guard case .matrixVector(let n, let k, let bits) = kind else { return nil }
      return n * k * bits / 8 + (bits == 32 ? 0 : n * (k / Self.group) * 4)
    }

    /// Median milliseconds of a call.
    func time(_ kernels: ck_table) -> Double {
      switch kind {
      case .product(let m, let n, let k):
        return window(kernels, rows: m, n: n, taps: 1, k: k, offsets: nil, elements: m * k)
      case .convolution(let size, let k, let n, let kernel):
        let offsets = Self.offsets(size: size, channels: k, kernel: kernel, step: 1)
        return window(
          kernels, rows: size * size, n: n, taps: kernel * kernel, k: k, offsets: offsets,
          elements: size * size * k)
      case .winograd(let size, let k, let n): return winograd(kernels, size: size, k: k, n: n)
      case .depthwise(let size, let channels, let kernel, let step):
        return depthwise(kernels, size: size, channels: channels, kernel: kernel, step: step)
      case .matrixVector(let n, let k, let bits): return matrixVector(kernels, n: n, k: k, bits: bits)
      }
    }
  }
}
