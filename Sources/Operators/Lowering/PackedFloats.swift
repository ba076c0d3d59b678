import CKernels
import Graph
import Tensors

/// The float weights of a product, known when it is lowered or computed by an earlier step of the program.
enum FloatWeights {
  case known([Float])
  case computed
}

/// Float weights as a kernel wants them: packed once where they are known, in every run where they are computed.
struct PackedFloats {
  enum Kernel {
    case gemm
    /// `conv3x3_f32`.
    case windows
  }

  private let kernel: Kernel
  private let shape: ProductShape
  private let scale: Float
  private let kernels: UnsafePointer<ck_table>
  private let known: [Pinned]
  private let matrixBytes: Int
  private let denseBytes: Int

  init(
    _ weights: FloatWeights, _ shape: ProductShape, for kernel: Kernel, scale: Float = 1,
    _ kernels: UnsafePointer<ck_table>
  ) {
    self.kernel = kernel
    self.shape = shape
    self.scale = scale
    self.kernels = kernels
    matrixBytes = aligned(
      kernel == .gemm
        ? kernels.pointee.packed_bytes_f32(shape.n, shape.taps, shape.k)
        : kernels.pointee.packed_bytes_3x3(shape.n, shape.k))
    // Behind the dense weights, what packing windows works in.
    denseBytes = aligned((shape.n * shape.taps * shape.k + (kernel == .windows ? shape.n * shape.k : 0)) * 4)
    guard case .known(let values) = weights else {
      known = []
      return
    }
    let dense = Pinned(byteCount: denseBytes)
    let bytes = matrixBytes
    let packed = (0..<shape.groups).map { _ in Pinned(byteCount: bytes) }
    known = packed
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      for group in 0..<shape.groups { pack(base, group, dense.address, packed[group].address) }
    }
  }

  var packedBytes: Int { known.reduce(0) { $0 + $1.byteCount } }

  /// Scratch memory of weights that are computed.
  var scratchBytes: Int { known.isEmpty ? shape.groups * (matrixBytes + denseBytes) : 0 }

  /// The work of packing computed weights.
  func phases(_ weights: UnsafePointer<Float>?, _ scratch: UnsafeMutableRawPointer) -> [Phase] {
    guard known.isEmpty, let weights else { return [] }
    return [
      Phase(chunks: shape.groups) { group in
        let matrix = scratch + group * (matrixBytes + denseBytes)
        pack(weights, group, matrix + matrixBytes, matrix)
      }
    ]
  }

  /// The packed matrix of a group.
  func matrix(_ group: Int, _ scratch: UnsafeMutableRawPointer) -> UnsafeRawPointer {
    UnsafeRawPointer(known.isEmpty ? scratch + group * (matrixBytes + denseBytes) : known[group].address)
  }

  private func pack(
    _ weights: UnsafePointer<Float>, _ group: Int, _ work: UnsafeMutableRawPointer,
    _ matrix: UnsafeMutableRawPointer
  ) {
    let dense = work.of(Float.self)
    let count = shape.n * shape.taps * shape.k
    shape.gather(weights, group, into: dense)
    if scale != 1 { kernels.pointee.mul_scalar_f32(dense, scale, count, dense) }
    switch kernel {
    case .gemm: kernels.pointee.pack_f32(shape.n, shape.taps, shape.k, dense, matrix)
    case .windows: kernels.pointee.pack_3x3(shape.n, shape.k, dense, dense + count, matrix)
    }
  }
}
