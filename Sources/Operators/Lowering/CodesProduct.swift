import CKernels
import Graph
import Tensors

/// A product of codes cut into chunks that a kernel computes: rows of a matrix, or 3×3 windows transformed.
struct CodesProduct {
  private enum Cut {
    case rows(ProductTiles)
    /// The second with the geometry of the window only.
    case windows(WindowTiles, ck_conv3x3_u8s8)
  }

  private let cut: Cut
  private let rows: ProductRows
  private let shape: ProductShape
  private let kernels: UnsafePointer<ck_table>
  let chunks: Int
  let scratchBytesPerThread: Int
  let parts: OutputParts?
  /// What distinguishes the kernel, for its label.
  let label: String

  /// - Parameter rows: the product's, merged or not.
  init(_ product: Product, _ weights: ProductWeights, rows: ProductRows) {
    self.rows = rows
    (shape, kernels) = (product.shape, product.kernels)
    if let window = weights.window {
      // Chunks of some 250 000 products, but not so short that many weights are read for few tiles.
      let fewest = shape.k * shape.n > 8192 ? 6 : 2
      let tiles = WindowTiles(
        window, channels: shape.n, wanted: Swift.max(fewest, (1 << 18) / (36 * shape.k * shape.n)))
      var w = ck_conv3x3_u8s8()
      (w.height, w.width) = (window.input[0], window.input[1])
      (w.pad_top, w.pad_left) = (window.padsBegin[0], window.padsBegin[1])
      (w.out_height, w.out_width) = (window.output[0], window.output[1])
      cut = .windows(tiles, w)
      chunks = rows.images * tiles.chunks
      scratchBytesPerThread = aligned(kernels.pointee.scratch_bytes_3x3_u8s8(shape.n, shape.k))
      parts = tiles.parts
      label = "\(product.label) winograd"
    } else {
      let tiles = product.tiles(1 << 20, rows)
      cut = .rows(tiles)
      chunks = tiles.chunks
      scratchBytesPerThread = 0
      parts = product.parts(tiles, rows)
      label = product.label
    }
  }

  /// The image of a chunk.
  func image(_ chunk: Int) -> Int {
    switch cut {
    case .rows(let tiles): tiles.chunk(chunk, rows: rows.rows, columns: shape.n).image
    case .windows(let tiles, _): tiles.chunk(chunk).image
    }
  }

  /// Computes a chunk of the product of its image.
  ///
  /// - Parameter scratch: `scratchBytesPerThread` of the calling thread.
  func run(_ g: ck_gemm_u8s8, _ chunk: Int, scratch: UnsafeMutableRawPointer) {
    switch cut {
    case .rows(let tiles):
      let (_, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
      withUnsafePointer(to: g) { kernels.pointee.gemm_u8s8($0, m0, m1, n0, n1) }
    case .windows(let tiles, var w):
      let (_, tiles) = tiles.chunk(chunk)
      w.product = g
      w.scratch = scratch
      kernels.pointee.conv3x3_u8s8(&w, tiles.lowerBound, tiles.upperBound)
    }
  }

  /// The outputs of a chunk, as blocks of the rows and columns of its image's product.
  func forEachBlock(_ chunk: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void) {
    switch cut {
    case .rows(let tiles):
      let (_, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
      body(m0..<m1, n0..<n1)
    case .windows(let tiles, _): tiles.forEachRun(chunk) { body($0, 0..<shape.n) }
    }
  }
}
