import CKernels
import Graph
import Tensors

extension Product {
  /// Elements from which on a matrix is not packed ahead: with less, packing costs little memory.
  private static let large = 1 << 18
  /// Rows up to which the matrix is read where it lies, and from which on packing it in every run costs little.
  private static let (few, many) = (32, 128)

  /// A large constant matrix `[n, k]`, read where it lies: a packed copy beside a mapped file would double the memory of
  /// a language model, and again for every program of it.
  ///
  /// Few rows are dot products; for many, each chunk of columns is packed into scratch memory first.
  func unpackedCall() -> KernelCall? {
    guard shape.groups == 1, shape.taps == 1, shape.kStride == 1, shape.nStride == shape.k, shape.first == 0,
      shape.kOrder == nil, outputLayout == .rowMajor, shape.n * shape.k >= Self.large, alpha == 1,
      computedBias == nil, stem == nil,
      window == nil, rows.offsets == nil, let operand = site.input(activation), operand.info.type == .float32,
      let matrix = site.input(weight), matrix.info.constant?.type == .float32,
      matrix.encoded == nil || site.layer.mode == .float, let (lower, upper) = floatBounds
    else { return nil }
    let rows = rows.merged
    guard rows.images == 1, rows.rows <= Self.few || rows.rows >= Self.many else { return nil }
    let isFew = rows.rows <= Self.few
    // Several panels of columns, so that the rows are not read again for each.
    let block = isFew ? 4 : 4 * kernels.pointee.column_block
    let wanted = (1 << 20) / Swift.max(1, rows.rows * shape.k)
    let columns = Swift.max(1, wanted / block) * block
    let bias = floatBias.map { Pinned($0) }
    let reads = reads(operand.decoded(inputLayout))
    let perThread = isFew ? 0 : aligned(kernels.pointee.packed_bytes_f32(columns, 1, shape.k))
    let (shape, kernels) = (shape, kernels)
    return KernelCall(
      "\(label) f32 unpacked", reads: reads + [KernelCall.Read(.input(weight), Form())],
      writes: [Form(.plain, outputLayout)], scratchBytesPerThread: perThread
    ) { memory in
      let (a, c) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      let residual = memory.reads.count > 2 ? memory.reads[1].of(Float.self) : nil
      let b = memory.reads[memory.reads.count - 1].of(Float.self)
      return [
        Phase(
          chunks: (shape.n + columns - 1) / columns,
          onThread: { chunk, thread in
            let first = chunk * columns
            let count = Swift.min(columns, shape.n - first)
            var g = ck_gemm_f32()
            g.rows = ck_rows(a: a, stride: rows.stride, offsets: nil, taps: 1, k: shape.k, padding: nil)
            g.n = count
            g.packed = UnsafeRawPointer(b + first * shape.k)
            g.bias = bias.map { $0.of(Float.self) + first }
            g.c = c + first
            g.c_stride = shape.n
            g.residual = residual.map { $0 + first }
            g.residual_stride = shape.n
            g.lower = lower
            g.upper = upper
            if isFew {
              kernels.pointee.rows_f32(&g, 0, rows.rows, 0, count)
            } else {
              let packed = memory.scratch + thread * perThread
              kernels.pointee.pack_f32(count, 1, shape.k, b + first * shape.k, packed)
              g.packed = UnsafeRawPointer(packed)
              kernels.pointee.gemm_f32(&g, 0, rows.rows, 0, count)
            }
          })
      ]
    }
  }
}
