import CKernels
import Graph
import Tensors

/// The outputs of a 3×3 window cut into tiles of 4×4, numbered row by row, and an image's tiles into chunks.
struct WindowTiles {
  private let height: Int
  private let width: Int
  private let channels: Int
  private let count: Int
  private let perChunk: Int
  /// Chunks of an image.
  let chunks: Int

  /// - Parameters:
  ///   - channels: of the output.
  ///   - wanted: the fewest tiles of a chunk, where there are so many.
  init(_ window: WindowGeometry, channels: Int, wanted: Int) {
    (height, width) = (window.output[0], window.output[1])
    self.channels = channels
    count = Self.count(window)
    // As nearly the same number as may be.
    let parts = Swift.max(1, count / Swift.max(1, wanted))
    perChunk = (count + parts - 1) / parts
    chunks = (count + perChunk - 1) / perChunk
  }

  static func count(_ window: WindowGeometry) -> Int {
    window.output.reduce(1) { $0 * (($1 + 3) / 4) }
  }

  /// The image of a chunk, and its tiles there.
  func chunk(_ index: Int) -> (image: Int, tiles: Range<Int>) {
    let first = index % chunks * perChunk
    return (index / chunks, first..<Swift.min(count, first + perChunk))
  }

  /// What chunks write.
  var parts: OutputParts {
    OutputParts(perImage: chunks) { index, run in
      let first = chunk(index).image * height * width
      forEachRun(index) { run((first + $0.lowerBound) * channels, $0.count * channels) }
    }
  }

  /// The outputs of a chunk, counted in its image, as runs of neighbours.
  func forEachRun(_ index: Int, _ body: (Range<Int>) -> Void) {
    let across = (width + 3) / 4
    for tile in chunk(index).tiles {
      let (y, x) = (tile / across * 4, tile % across * 4)
      for row in y..<Swift.min(y + 4, height) {
        body(row * width + x..<row * width + Swift.min(x + 4, width))
      }
    }
  }
}

extension Product {
  /// The window where its product could be computed by the transformed kernels, in floats or codes.
  private var transformable: WindowGeometry? {
    guard let window, window.rank == 2, window.kernel == [3, 3], window.strides == [1, 1],
      window.dilations == [1, 1], window.padsBegin.allSatisfy({ $0 >= 0 }), shape.groups == 1,
      shape.kOrder == nil, kernels.pointee.level != CK_SCALAR
    else { return nil }
    return window
  }

  /// The window where the float product is faster transformed: the kernel's products are a quarter of the
  /// convolution's, but it needs channels to fill vectors, and tiles enough to pay for reading four times the weights.
  private var floatWindow: WindowGeometry? {
    guard let window = transformable, shape.k >= 16, shape.n >= 8 else { return nil }
    return WindowTiles.count(window) >= 8 || shape.k * shape.n <= 8192 ? window : nil
  }

  /// The window where the product of codes is faster transformed, at levels that can: with few channels, most of the
  /// work is in the transformation of the image.
  var codesWindow: WindowGeometry? {
    guard kernels.pointee.conv3x3_u8s8 != nil, let window = transformable, shape.n >= 8 else { return nil }
    return WindowTiles.count(window) >= (shape.k >= 16 ? 1 : 16) ? window : nil
  }

  /// The float product of a 3×3 window by Winograd's transformation, or `nil` where that does not pay.
  func winogradCall(_ values: FloatWeights) -> KernelCall? {
    guard let window = floatWindow, let operand = site.input(activation), let (lower, upper) = floatBounds
    else { return nil }
    let (shape, kernels) = (shape, kernels)
    let weights = PackedFloats(values, shape, for: .windows, kernels)
    let reads = floatReads(values, operand.decoded(inputLayout))
    let bias = floatBias.map { Pinned($0) }
    let perThread = aligned(kernels.pointee.scratch_bytes_3x3(shape.n, shape.k))
    // Chunks of some 250 000 products.
    let tiles = WindowTiles(
      window, channels: shape.n, wanted: Swift.max(7, (1 << 18) / (36 * shape.k * shape.n)))
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
          chunks: images * tiles.chunks,
          onThread: { chunk, thread in
            let (image, tiles) = tiles.chunk(chunk)
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
            kernels.pointee.conv3x3_f32(&w, tiles.lowerBound, tiles.upperBound)
          })
      ]
    }
    call.parts = tiles.parts
    return call
  }
}
