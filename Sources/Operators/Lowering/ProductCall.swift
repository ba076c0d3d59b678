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
    // A whole number of the tiles of every level (14 and 6 rows).
    let wanted = (Swift.max(1, macsPerChunk / perRow) + 41) / 42 * 42
    rowTile = Swift.max(1, Swift.min(rows.rows, wanted))
    rowTiles = (rows.rows + rowTile - 1) / rowTile
    images = rows.images
    columnTile = shape.n
    let macs = rowTile * perRow
    if shape.groups == 1, images * rowTiles < 4, macs > 2 * macsPerChunk {
      let block = Swift.max(1, columnBlock)
      let parts = Swift.min(8, macs / macsPerChunk)
      columnTile = (shape.n / parts + block - 1) / block * block
      columnTile = Swift.max(block, columnTile)
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
  /// Factor on the product (Gemm's alpha).
  var alpha: Float = 1
  var inputLayout: Layout
  var outputLayout: Layout
  var label: String

  private var kernels: UnsafePointer<ck_table> { site.kernels }
  private var channels: Int { shape.groups * shape.n }

  /// The call in the site's mode, or `nil` where no kernel fits.
  func lower() throws -> KernelCall? {
    guard let operand = site.input(activation), let weights = site.input(weight) else { return nil }
    guard let encoded = weights.encoded, alpha == 1 else {
      return weights.encoded == nil ? floatCall(weights.info.constant.map(floats)) : nil
    }
    switch site.layer.mode {
    case .float:
      return floatCall(weights.info.constant.map(floats))
    case .static, .qat:
      guard let codes = operand.codes else { return weightOnlyCall(encoded) }
      if let packed = ProductWeights.codes(encoded, shape, kernels) { return codesCall(packed, codes) }
      if site.epilogue.residual == nil, let packed = ProductWeights.grouped(encoded, shape, kernels) {
        return groupedCodesCall(packed, codes)
      }
      return floatCall(decodedFloats(encoded))
    case .dynamic:
      guard operand.info.type == .float32 else { return nil }
      if let packed = ProductWeights.codes(encoded, shape, kernels) { return dynamicCall(packed) }
      guard site.epilogue.residual == nil else { return nil }
      return ProductWeights.grouped(encoded, shape, kernels).flatMap(dynamicCall)
    case .weightOnly:
      return weightOnlyCall(encoded)
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

  /// Bounds of the fused clamp in float, or `nil` when a clamp sits between the node and a residual.
  private var floatBounds: (Float, Float)? {
    guard let residual = site.epilogue.residual else { return (site.epilogue.lower, site.epilogue.upper) }
    guard residual.branch == nil, site.epilogue.lower == -.infinity, site.epilogue.upper == .infinity else {
      return nil
    }
    return (residual.lower, residual.upper)
  }

  private func reads(_ form: Form) -> [KernelCall.Read] {
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

  private func tiles(_ macs: Int, _ rows: ProductRows) -> ProductTiles {
    ProductTiles(rows, shape, macsPerChunk: macs, columnBlock: kernels.pointee.column_block)
  }

  // MARK: float

  private func floatCall(_ values: [Float]?) -> KernelCall? {
    guard let values, let operand = site.input(activation), operand.info.type == .float32,
      let (lower, upper) = floatBounds
    else { return nil }
    let weights = ProductWeights.float(values, shape, scale: alpha, kernels)
    let rows = rows.merged
    let tiles = tiles(1 << 20, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned(byteCount: shape.k * 4)
    let (shape, kernels, channels) = (shape, kernels, channels)
    return KernelCall(
      "\(label) f32", reads: reads(operand.decoded(inputLayout)), writes: [Form(.plain, outputLayout)],
      packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(Float.self)
      let residual = memory.reads.count > 1 ? memory.reads[1].of(Float.self) : nil
      let c = memory.writes[0].of(Float.self)
      return [
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
            g.packed = UnsafeRawPointer(weights.packed[group].address)
            g.bias = bias.map { $0.of(Float.self) + group * shape.n }
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
  }

  // MARK: weight-only

  private func weightOnlyCall(_ encoded: EncodedTensor) -> KernelCall? {
    guard let weights = ProductWeights.grouped(encoded, shape, kernels),
      case .grouped(let bits, let group) = weights.kind
    else { return floatCall(decodedFloats(encoded)) }
    guard let operand = site.input(activation), operand.info.type == .float32,
      let (lower, upper) = floatBounds
    else { return nil }
    let rows = rows.merged
    let tiles = tiles(1 << 20, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned(byteCount: shape.k * 4)
    let perChunk = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    let (shape, kernels, channels) = (shape, kernels, channels)
    return KernelCall(
      "\(label) f32×w\(bits)", reads: reads(operand.decoded(inputLayout)),
      writes: [Form(.plain, outputLayout)], scratchBytes: perChunk * tiles.chunks,
      packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(Float.self)
      let residual = memory.reads.count > 1 ? memory.reads[1].of(Float.self) : nil
      let c = memory.writes[0].of(Float.self)
      let scratch = memory.scratch
      return [
        Phase(chunks: tiles.chunks) { chunk in
          let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
          for index in 0..<shape.groups {
            let out = image * rows.rows * channels + index * shape.n
            var g = ck_gemm_wq()
            g.rows = ck_rows(
              a: a + (image * rows.imageElements + index * rows.groupElements), stride: rows.stride,
              offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
              padding: padding.address)
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
            g.scratch = scratch + chunk * perChunk
            kernels.pointee.gemm_wq(&g, m0, m1, n0, n1)
          }
        }
      ]
    }
  }

  // MARK: static

  private func codesCall(_ weights: ProductWeights, _ input: ByteCodes) -> KernelCall? {
    guard case .codes(let sums, let scales, let zeros) = weights.kind,
      let epilogue = CodesEpilogue(
        site: site, scales: scales, input: input, floatBias: floatBias, hasBias: bias != nil)
    else { return nil }
    let rows = rows.merged
    let tiles = tiles(1 << 22, rows)
    let padding = Pinned([UInt8](repeating: UInt8(input.zero), count: shape.k))
    let (shape, kernels, channels) = (shape, kernels, channels)
    return KernelCall(
      "\(label) u8s8", reads: reads(Form(.codes(input), inputLayout)),
      writes: [Form(epilogue.form, outputLayout)], packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(UInt8.self)
      let residual = memory.reads.count > 1 ? memory.reads[1] : nil
      let c = memory.writes[0]
      return [
        Phase(chunks: tiles.chunks) { chunk in
          let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
          for group in 0..<shape.groups {
            let out = image * rows.rows * channels + group * shape.n
            var g = epilogue.gemm(firstChannel: group * shape.n, c: c, residual: residual, offset: out)
            g.rows = ck_rows(
              a: a + (image * rows.imageElements + group * rows.groupElements), stride: rows.stride,
              offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
              padding: padding.address)
            g.n = shape.n
            g.packed = UnsafeRawPointer(weights.packed[group].address)
            g.column_sums = sums.of(Int32.self) + group * shape.n
            g.a_zero = input.zero
            g.b_zero = zeros.map { $0.of(Int32.self) + group * shape.n }
            g.c_stride = channels
            g.residual_stride = channels
            kernels.pointee.gemm_u8s8(&g, m0, m1, n0, n1)
          }
        }
      ]
    }
  }

  private func groupedCodesCall(_ weights: ProductWeights, _ input: ByteCodes) -> KernelCall? {
    guard case .grouped(let bits, let group) = weights.kind else { return nil }
    let rows = rows.merged
    let tiles = tiles(1 << 21, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned([UInt8](repeating: UInt8(input.zero), count: shape.k))
    let perChunk = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    let (shape, kernels, channels, epilogue) = (shape, kernels, channels, site.epilogue)
    return KernelCall(
      "\(label) u8×w\(bits)", reads: reads(Form(.codes(input), inputLayout)),
      writes: [Form(.plain, outputLayout)], scratchBytes: perChunk * tiles.chunks,
      packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(UInt8.self)
      let c = memory.writes[0].of(Float.self)
      let scratch = memory.scratch
      return [
        Phase(chunks: tiles.chunks) { chunk in
          let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
          for index in 0..<shape.groups {
            var g = ck_gemm_u8wq()
            g.rows = ck_rows(
              a: a + (image * rows.imageElements + index * rows.groupElements), stride: rows.stride,
              offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
              padding: padding.address)
            g.n = shape.n
            g.packed = UnsafeRawPointer(weights.packed[index].address)
            g.bits = bits
            g.group = group
            g.a_zero = input.zero
            g.a_scale = input.scale
            g.bias_f = bias.map { $0.of(Float.self) + index * shape.n }
            g.c = c + (image * rows.rows * channels + index * shape.n)
            g.c_stride = channels
            g.lower = epilogue.lower
            g.upper = epilogue.upper
            g.scratch = scratch + chunk * perChunk
            kernels.pointee.gemm_u8wq(&g, m0, m1, n0, n1)
          }
        }
      ]
    }
  }

  // MARK: dynamic

  private func dynamicCall(_ weights: ProductWeights) -> KernelCall? {
    guard let (lower, upper) = floatBounds else { return nil }
    let mode = site.layer.sharing(isImage: outputLayout == .channelsLast)
    let byRow = mode == .token || (mode == .sample && rows.rows == 1 && rows.offsets == nil)
    guard !byRow || (rows.offsets == nil && outputLayout == .rowMajor) else { return nil }
    var rows = rows
    if byRow { rows = rows.merged }
    let encoder = DynamicEncoder(
      ranges: byRow ? rows.rows * rows.images : (mode == .tensor ? 1 : rows.images),
      elements: byRow ? rows.stride : (mode == .tensor ? rows.images : 1) * rows.imageElements,
      padding: rows.offsets == nil ? 0 : shape.k, bits: site.layer.dynamicBits, kernels: kernels)
    let tiles = tiles(1 << 21, rows)
    let bias = floatBias.map { Pinned($0) }
    var perChunk = 0
    if case .grouped = weights.kind {
      perChunk = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    }
    let multipliers: Pinned? = if case .codes(_, let scales, _) = weights.kind { Pinned(scales) } else { nil }
    let (shape, kernels, channels) = (shape, kernels, channels)
    return KernelCall(
      "\(label) dynamic", reads: reads(Form(.plain, inputLayout)), writes: [Form(.plain, outputLayout)],
      scratchBytes: encoder.bytes + perChunk * tiles.chunks, packedBytes: weights.packedBytes
    ) { [rows] memory in
      let residual = memory.reads.count > 1 ? memory.reads[1].of(Float.self) : nil
      let c = memory.writes[0].of(Float.self)
      let encoded = encoder.memory(memory.scratch)
      let scratch = memory.scratch + encoder.bytes
      return encoder.phases(memory.reads[0].of(Float.self), encoded) + [
        Phase(chunks: tiles.chunks) { chunk in
          let (image, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
          let range = byRow ? 0 : Swift.min(image, encoder.ranges - 1)
          let rowRange = byRow ? image * rows.rows : 0
          for group in 0..<shape.groups {
            let out = image * rows.rows * channels + group * shape.n
            let left = ck_rows(
              a: encoded.codes + (image * rows.imageElements + group * rows.groupElements),
              stride: rows.stride,
              offsets: rows.offsets?.of(Int32.self), taps: shape.taps, k: shape.k,
              padding: encoded.padding + range * encoder.padding)
            switch weights.kind {
            case .codes(let sums, _, let zeros):
              var g = ck_gemm_u8s8()
              g.rows = left
              g.n = shape.n
              g.packed = UnsafeRawPointer(weights.packed[group].address)
              g.column_sums = sums.of(Int32.self) + group * shape.n
              g.a_zero = encoded.zeros[range]
              g.a_zeros = byRow ? UnsafePointer(encoded.zeros + rowRange) : nil
              g.b_zero = zeros.map { $0.of(Int32.self) + group * shape.n }
              g.output = CK_OUT_F32
              g.c = UnsafeMutableRawPointer(c + out)
              g.c_stride = channels
              g.multiplier = multipliers.map { $0.of(Float.self) + group * shape.n }
              g.bias_f = bias.map { $0.of(Float.self) + group * shape.n }
              g.a_scale = encoded.scales[range]
              g.a_scales = byRow ? UnsafePointer(encoded.scales + rowRange) : nil
              g.residual_f = residual.map { $0 + out }
              g.residual_stride = channels
              g.lower_f = lower
              g.upper_f = upper
              kernels.pointee.gemm_u8s8(&g, m0, m1, n0, n1)
            case .grouped(let bits, let size):
              var g = ck_gemm_u8wq()
              g.rows = left
              g.n = shape.n
              g.packed = UnsafeRawPointer(weights.packed[group].address)
              g.bits = bits
              g.group = size
              g.a_zero = encoded.zeros[range]
              g.a_zeros = byRow ? UnsafePointer(encoded.zeros + rowRange) : nil
              g.a_scale = encoded.scales[range]
              g.a_scales = byRow ? UnsafePointer(encoded.scales + rowRange) : nil
              g.bias_f = bias.map { $0.of(Float.self) + group * shape.n }
              g.c = c + out
              g.c_stride = channels
              g.lower = lower
              g.upper = upper
              g.scratch = scratch + chunk * perChunk
              kernels.pointee.gemm_u8wq(&g, m0, m1, n0, n1)
            case .float: break
            }
          }
        }
      ]
    }
  }
}
