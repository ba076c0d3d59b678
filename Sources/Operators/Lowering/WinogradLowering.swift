import CKernels
import Graph
import Tensors

extension Product {
  /// Whether the float product over this window is faster transformed: the kernel's products are a quarter of the
  /// convolution's, but it needs channels to fill vectors, and tiles enough to pay for reading four times the weights.
  private func transforms(_ window: WindowGeometry) -> Bool {
    guard window.rank == 2, window.kernel == [3, 3], window.strides == [1, 1], window.dilations == [1, 1],
      window.padsBegin.allSatisfy({ $0 >= 0 }), shape.groups == 1, shape.kOrder == nil,
      kernels.pointee.level != CK_SCALAR
    else { return false }
    return shape.k >= 16 && shape.n >= 8 && (Self.tiles(window) >= 8 || shape.k * shape.n <= 8192)
  }

  private static func tiles(_ window: WindowGeometry) -> Int {
    window.output.reduce(1) { $0 * (($1 + 3) / 4) }
  }

  /// The float product of a 3×3 window by Winograd's transformation, or `nil` where that does not pay.
  func winogradCall(_ values: FloatWeights, _ window: WindowGeometry) -> KernelCall? {
    guard transforms(window), let operand = site.input(activation), let (lower, upper) = floatBounds else {
      return nil
    }
    let (shape, kernels) = (shape, kernels)
    let weights = PackedFloats(values, shape, for: .windows, kernels)
    let reads = floatReads(values, operand.decoded(inputLayout))
    let bias = floatBias.map { Pinned($0) }
    let perThread = aligned(kernels.pointee.scratch_bytes_3x3(shape.n, shape.k))
    let tiles = Self.tiles(window)
    // Chunks of some 250 000 products, of as nearly the same number of tiles as may be.
    let wanted = Swift.max(7, (1 << 18) / (36 * shape.k * shape.n))
    let perChunk = (tiles + Swift.max(1, tiles / wanted) - 1) / Swift.max(1, tiles / wanted)
    let chunks = (tiles + perChunk - 1) / perChunk
    let images = rows.images
    var call = KernelCall(
      "\(label) winograd f32", reads: reads.all, writes: [Form(.plain, outputLayout)],
      scratchBytes: weights.scratchBytes, scratchBytesPerThread: perThread, packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(Float.self)
      let residual = reads.residual.map { memory.reads[$0].of(Float.self) }
      let biases = reads.bias.map { memory.reads[$0].of(Float.self) } ?? bias?.of(Float.self)
      let c = memory.writes[0].of(Float.self)
      let packed = memory.scratch
      let scratch = memory.scratch + weights.scratchBytes
      return weights.phases(reads.weights.map { memory.reads[$0].of(Float.self) }, packed) + [
        Phase(
          chunks: images * chunks,
          onThread: { chunk, thread in
            let image = chunk / chunks
            let out = image * window.positions * shape.n
            var w = ck_conv3x3_f32()
            w.a = a + image * window.input.elementCount * shape.k
            (w.height, w.width, w.k) = (window.input[0], window.input[1], shape.k)
            (w.pad_top, w.pad_left) = (window.padsBegin[0], window.padsBegin[1])
            (w.out_height, w.out_width, w.n) = (window.output[0], window.output[1], shape.n)
            w.packed = weights.matrix(0, packed)
            w.bias = biases
            w.c = c + out
            w.c_stride = shape.n
            w.residual = residual.map { $0 + out }
            w.residual_stride = shape.n
            (w.lower, w.upper) = (lower, upper)
            w.scratch = scratch + thread * perThread
            let first = chunk % chunks * perChunk
            kernels.pointee.conv3x3_f32(&w, first, Swift.min(tiles, first + perChunk))
          })
      ]
    }
    let (height, width, n) = (window.output[0], window.output[1], shape.n)
    let across = (width + 3) / 4
    call.parts = OutputParts(perImage: chunks) { chunk, run in
      let first = chunk % chunks * perChunk
      for tile in first..<Swift.min(tiles, first + perChunk) {
        let (y, x) = (tile / across * 4, tile % across * 4)
        for row in y..<Swift.min(y + 4, height) {
          run(((chunk / chunks * height + row) * width + x) * n, Swift.min(4, width - x) * n)
        }
      }
    }
    return call
  }
}
