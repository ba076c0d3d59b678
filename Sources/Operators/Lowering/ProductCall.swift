import CKernels
import Graph
import Tensors

/// The left operand of a matrix product with constant weights: `images` times `rows` rows of inputs.
struct ProductRows {
  var images: Int
  /// Rows of one image.
  var rows: Int
  /// Elements of one image.
  var imageElements: Int
  /// Elements between neighbouring rows; used when there are no offsets.
  var stride: Int
  /// Offsets of each row's taps, for windows.
  var offsets: Pinned?
  /// Elements between the inputs of neighbouring groups.
  var groupElements = 0

  /// The same rows as one image where nothing lies between images.
  var merged: ProductRows {
    guard offsets == nil, imageElements == rows * stride else { return self }
    return ProductRows(
      images: 1, rows: images * rows, imageElements: images * imageElements, stride: stride, offsets: nil,
      groupElements: groupElements)
  }
}

/// How a product is cut into chunks: by image, rows and columns, the same for any number of threads.
struct ProductTiles {
  var rowTile: Int
  var rowTiles: Int
  var columnTile: Int
  var columnTiles: Int
  var images: Int

  init(_ rows: ProductRows, _ shape: ProductShape, macsPerChunk: Int, columnBlock: Int) {
    let perRow = Swift.max(1, shape.macsPerRow)
    // Rows are cut first, into nearly equal parts of whole tiles of the widest levels (14 rows), but not so short that
    // weights are read again for few of them; then columns.
    let parts = rows.rows * perRow / Swift.max(1, macsPerChunk)
    let rowParts = Swift.max(1, Swift.min(parts, rows.rows / 56))
    let wanted = ((rows.rows + rowParts - 1) / rowParts + 13) / 14 * 14
    rowTile = Swift.max(1, Swift.min(rows.rows, wanted))
    rowTiles = (rows.rows + rowTile - 1) / rowTile
    images = rows.images
    columnTile = shape.n
    let macs = rowTile * perRow
    if shape.groups == 1, macs > 2 * macsPerChunk {
      let block = Swift.max(1, columnBlock)
      let parts = Swift.min(8, macs / macsPerChunk)
      columnTile = Swift.max(block, (shape.n / parts + block - 1) / block * block)
    }
    columnTiles = Swift.max(1, (shape.n + columnTile - 1) / Swift.max(1, columnTile))
  }

  var chunks: Int { images * rowTiles * columnTiles }

  /// Image, rows and columns of a chunk.
  func chunk(_ index: Int, rows: Int, columns: Int) -> (image: Int, m0: Int, m1: Int, n0: Int, n1: Int) {
    let column = index % columnTiles
    let row = index / columnTiles % rowTiles
    return (
      index / columnTiles / rowTiles, row * rowTile, Swift.min(rows, (row + 1) * rowTile),
      column * columnTile,
      Swift.min(columns, (column + 1) * columnTile)
    )
  }
}

/// The product of a node: rows, weights and what the node adds, in the mode it computes in.
struct Product {
  var site: LoweringSite
  var rows: ProductRows
  var shape: ProductShape
  /// Index of the rows among the node's inputs, and of the weights.
  var activation: Int
  var weight: Int
  /// The node's own bias as float, one per output of all groups.
  var bias: [Float]?
  /// Index among the node's inputs of a bias that an earlier step computes.
  var computedBias: Int?
  /// Factor on the product (Gemm's alpha).
  var alpha: Float = 1
  var inputLayout: Layout
  var outputLayout: Layout
  var label: String
  /// Set where the rows are windows of an image that the step itself lays out first.
  var stem: StemImage?
  /// The window the rows are of, where they are windows of an image with its channels last.
  var window: WindowGeometry?

  var kernels: UnsafePointer<ck_table> { site.kernels }
  var channels: Int { shape.groups * shape.n }

  /// The call in the site's mode, or `nil` where no kernel fits.
  func lower() throws -> KernelCall? {
    guard let operand = site.input(activation), let weights = site.input(weight) else { return nil }
    if stem != nil { return stemCall(operand, weights) }
    if let call = unpackedCall() { return call }
    guard let encoded = weights.encoded, alpha == 1 else {
      return weights.encoded == nil ? floatCall(ownWeights) : nil
    }
    switch site.layer.mode {
    case .float:
      return floatCall(ownWeights)
    case .static, .qat:
      guard let codes = operand.codes else { return weightOnlyCall(encoded) }
      if let packed = ProductWeights.codes(encoded, self) { return codesCall(packed, codes) }
      if site.epilogue.residual == nil,
        let packed = ProductWeights.grouped(encoded, shape, kernels, forBytes: true)
      {
        return groupedCodesCall(packed, codes)
      }
      return floatCall(.known(decodedFloats(encoded)))
    case .dynamic:
      guard operand.info.type == .float32 else { return nil }
      if let packed = ProductWeights.codes(encoded, self) { return dynamicCall(packed) }
      guard site.epilogue.residual == nil else { return nil }
      return ProductWeights.grouped(encoded, shape, kernels, forBytes: true).flatMap(dynamicCall)
    case .weightOnly:
      // A convolution reads its weights for every pixel: decoding them once is faster than in every run, and lets the
      // float kernels transform them. Products of tokens are bound by the weights they read, and keep them small.
      return window == nil ? weightOnlyCall(encoded) : floatCall(.known(decodedFloats(encoded)))
    }
  }

  private var ownWeights: FloatWeights {
    site.input(weight)?.info.constant.map { .known(floats($0)) } ?? .computed
  }

  /// The calls in which the step itself lays out the image.
  private func stemCall(_ operand: LoweringSite.Operand, _ weights: LoweringSite.Operand) -> KernelCall? {
    guard let encoded = weights.encoded, site.layer.mode != .float else {
      return floatCall(ownWeights)
    }
    switch site.layer.mode {
    case .static, .qat:
      guard let codes = operand.codes else { return nil }
      return ProductWeights.codes(encoded, self).flatMap { codesCall($0, codes) }
    case .dynamic:
      return ProductWeights.codes(encoded, self).flatMap(dynamicCall)
    case .weightOnly: return floatCall(.known(decodedFloats(encoded)))
    case .float: return nil
    }
  }

  /// The bias as float: the node's (or its int32 bias decoded) and the fused one.
  var floatBias: [Float]? {
    var sum = bias
    if let encoded = site.encodedBias {
      sum = zip(encoded.codes.array(of: Int32.self), encoded.scales).map { Float($0) * $1 }
    }
    guard let fused = site.epilogue.bias else { return sum }
    guard let own = sum else { return fused }
    return zip(own, fused).map { $0 + $1 }
  }

  /// Bounds of the fused clamp in float, or `nil` when a clamp sits between the node and a residual or
  /// channels have bounds of their own.
  var floatBounds: (Float, Float)? {
    guard site.epilogue.channelUpper == nil else { return nil }
    guard let residual = site.epilogue.residual else { return (site.epilogue.lower, site.epilogue.upper) }
    guard residual.branch == nil, site.epilogue.lower == -.infinity, site.epilogue.upper == .infinity else {
      return nil
    }
    return (residual.lower, residual.upper)
  }

  func reads(_ form: Form) -> [KernelCall.Read] {
    var reads = [KernelCall.Read(.input(activation), form)]
    if let residual = site.epilogue.residual {
      reads.append(
        KernelCall.Read(
          .residual,
          residual.branch == nil
            ? residual.operand.decoded(outputLayout)
            : Form(residual.operand.codes.map { .codes($0) } ?? .plain, outputLayout)))
    }
    return reads
  }

  /// Where a float call finds what it reads beside the rows.
  struct FloatReads {
    var all: [KernelCall.Read]
    var residual: Int?
    var weights: Int?
    var bias: Int?
  }

  func floatReads(_ weights: FloatWeights, _ form: Form) -> FloatReads {
    var result = FloatReads(all: reads(form))
    if result.all.count > 1 { result.residual = 1 }
    if case .computed = weights {
      result.weights = result.all.count
      result.all.append(KernelCall.Read(.input(weight), Form()))
    }
    if let computedBias {
      result.bias = result.all.count
      result.all.append(KernelCall.Read(.input(computedBias), Form()))
    }
    return result
  }

  func tiles(_ macs: Int, _ rows: ProductRows) -> ProductTiles {
    ProductTiles(rows, shape, macsPerChunk: macs, columnBlock: kernels.pointee.column_block)
  }

  /// What chunks write, where each is one run of elements of one image of the batch.
  func parts(_ tiles: ProductTiles, _ rows: ProductRows) -> OutputParts? {
    guard site.outputs.first?.shape?.first == tiles.images, tiles.columnTiles == 1 else { return nil }
    let (columns, channels) = (shape.n, channels)
    return OutputParts(perImage: tiles.rowTiles) { chunk, run in
      let (image, m0, m1, _, _) = tiles.chunk(chunk, rows: rows.rows, columns: columns)
      run((image * rows.rows + m0) * channels, (m1 - m0) * channels)
    }
  }

  // MARK: float

  private func floatCall(_ values: FloatWeights) -> KernelCall? {
    guard let operand = site.input(activation), operand.info.type == .float32,
      let (lower, upper) = floatBounds, computedBias == nil || site.epilogue.bias == nil
    else { return nil }
    if let call = winogradCall(values) { return call }
    let weights = PackedFloats(values, shape, for: .gemm, scale: alpha, kernels)
    let rows = rows.merged
    let tiles = tiles(1 << 19, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned(byteCount: shape.k * 4)
    let reads = floatReads(values, operand.decoded(inputLayout))
    let imageBytes = aligned(stem.map { $0.images * $0.elements * 4 } ?? 0)
    let (shape, kernels, channels, stem) = (shape, kernels, channels, stem)
    var call = KernelCall(
      "\(label) f32", reads: reads.all, writes: [Form(.plain, outputLayout)],
      scratchBytes: imageBytes + weights.scratchBytes, packedBytes: weights.packedBytes
    ) { memory in
      let a = stem == nil ? memory.reads[0].of(Float.self) : UnsafePointer(memory.scratch.of(Float.self))
      let layOut = stem.map {
        $0.phase(memory.reads[0].of(Float.self), memory.scratch.of(Float.self), kernels) { _ in 0 }
      }
      let residual = reads.residual.map { memory.reads[$0].of(Float.self) }
      let biases = reads.bias.map { memory.reads[$0].of(Float.self) } ?? bias?.of(Float.self)
      let packed = memory.scratch + imageBytes
      let c = memory.writes[0].of(Float.self)
      let packing = weights.phases(reads.weights.map { memory.reads[$0].of(Float.self) }, packed)
      return (layOut.map { [$0] } ?? []) + packing + [
        Phase(chunks: tiles.chunks) { chunk in
          let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
          for group in 0..<shape.groups {
            let out = image * rows.rows * channels + group * shape.n
            var g = ck_gemm_f32()
            g.rows = ck_rows(
              a: a + (image * rows.imageElements + group * rows.groupElements), stride: rows.stride,
              offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
              padding: padding.address)
            g.n = shape.n
            g.packed = weights.matrix(group, packed)
            g.bias = biases.map { $0 + group * shape.n }
            g.c = c + out
            g.c_stride = channels
            g.residual = residual.map { $0 + out }
            g.residual_stride = channels
            g.lower = lower
            g.upper = upper
            kernels.pointee.gemm_f32(&g, m0, m1, n0, n1)
          }
        }
      ]
    }
    call.parts = parts(tiles, rows)
    return call
  }

  // MARK: weight-only

  private func weightOnlyCall(_ encoded: EncodedTensor) -> KernelCall? {
    guard let weights = ProductWeights.grouped(encoded, shape, kernels, forBytes: false),
      case .grouped(let bits, let group) = weights.kind
    else { return floatCall(.known(decodedFloats(encoded))) }
    guard let operand = site.input(activation), operand.info.type == .float32,
      let (lower, upper) = floatBounds
    else { return nil }
    let rows = rows.merged
    // What a chunk of few rows does to these first should be little beside its columns.
    let tiles = tiles(rows.rows <= 4 ? 1 << 20 : 1 << 19, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned(byteCount: shape.k * 4)
    let perThread = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    let (shape, kernels, channels) = (shape, kernels, channels)
    return KernelCall(
      "\(label) f32×w\(bits)", reads: reads(operand.decoded(inputLayout)),
      writes: [Form(.plain, outputLayout)], scratchBytesPerThread: perThread,
      packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(Float.self)
      let residual = memory.reads.count > 1 ? memory.reads[1].of(Float.self) : nil
      let c = memory.writes[0].of(Float.self)
      let scratch = memory.scratch
      return [
        Phase(
          chunks: tiles.chunks,
          onThread: { chunk, thread in
            let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
            for index in 0..<shape.groups {
              let out = image * rows.rows * channels + index * shape.n
              var g = ck_gemm_wq()
              g.rows = ck_rows(
                a: a + (image * rows.imageElements + index * rows.groupElements), stride: rows.stride,
                offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
                padding: padding.address)
              g.m = rows.rows
              g.n = shape.n
              g.packed = UnsafeRawPointer(weights.packed[index].address)
              g.bits = bits
              g.group = group
              g.bias = bias.map { $0.of(Float.self) + index * shape.n }
              g.c = c + out
              g.c_stride = channels
              g.residual = residual.map { $0 + out }
              g.residual_stride = channels
              g.lower = lower
              g.upper = upper
              g.scratch = scratch + thread * perThread
              kernels.pointee.gemm_wq(&g, m0, m1, n0, n1)
            }
          })
      ]
    }
  }
}
