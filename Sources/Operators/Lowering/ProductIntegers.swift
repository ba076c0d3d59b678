import CKernels
import Graph
import Tensors

// Products of rows of codes.
extension Product {
  // MARK: static

  func codesCall(_ weights: ProductWeights, _ input: ByteCodes) -> KernelCall? {
    guard case .codes(let sums, let scales, let zeros) = weights.kind,
      let epilogue = CodesEpilogue(
        site: site, scales: scales, input: input, floatBias: floatBias, hasBias: bias != nil)
    else { return nil }
    let rows = rows.merged
    let product = CodesProduct(self, weights, rows: rows)
    let padding = Pinned([UInt8](repeating: UInt8(input.zero), count: shape.k))
    let (shape, kernels, channels, stem) = (shape, kernels, channels, stem)
    let imageBytes = aligned(stem.map { $0.images * $0.elements } ?? 0)
    return KernelCall(
      "\(product.label) u8s8", reads: reads(Form(.codes(input), inputLayout)),
      writes: [Form(epilogue.form, outputLayout)], scratchBytes: imageBytes,
      scratchBytesPerThread: product.scratchBytesPerThread, packedBytes: weights.packedBytes
    ) { memory in
      let a = stem == nil ? memory.reads[0].of(UInt8.self) : UnsafePointer(memory.scratch.of(UInt8.self))
      let layOut = stem.map {
        $0.phase(memory.reads[0].of(UInt8.self), memory.scratch.of(UInt8.self), kernels) { _ in
          UInt8(input.zero)
        }
      }
      let residual = memory.reads.count > 1 ? memory.reads[1] : nil
      let c = memory.writes[0]
      let scratch = memory.scratch + imageBytes
      return (layOut.map { [$0] } ?? []) + [
        Phase(
          chunks: product.chunks,
          onThread: { chunk, thread in
            let image = product.image(chunk)
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
              product.run(g, chunk, scratch: scratch + thread * product.scratchBytesPerThread)
              guard epilogue.hasCaps else { continue }
              product.forEachBlock(chunk) { rows, columns in
                epilogue.cap(
                  c + (out + rows.lowerBound * channels + columns.lowerBound), rows: rows.count,
                  stride: channels, firstChannel: group * shape.n + columns.lowerBound,
                  channels: columns.count, kernels)
              }
            }
          })
      ]
    }
  }

  func groupedCodesCall(_ weights: ProductWeights, _ input: ByteCodes) -> KernelCall? {
    guard case .grouped(let bits, let group) = weights.kind, site.epilogue.channelUpper == nil else {
      return nil
    }
    let rows = rows.merged
    let tiles = tiles(1 << 20, rows)
    let bias = floatBias.map { Pinned($0) }
    let padding = Pinned([UInt8](repeating: UInt8(input.zero), count: shape.k))
    let perThread = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    let (shape, kernels, channels, epilogue) = (shape, kernels, channels, site.epilogue)
    return KernelCall(
      "\(label) u8×w\(bits)", reads: reads(Form(.codes(input), inputLayout)),
      writes: [Form(.plain, outputLayout)], scratchBytesPerThread: perThread,
      packedBytes: weights.packedBytes
    ) { memory in
      let a = memory.reads[0].of(UInt8.self)
      let c = memory.writes[0].of(Float.self)
      let scratch = memory.scratch
      return [
        Phase(
          chunks: tiles.chunks,
          onThread: { chunk, thread in
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
              g.scratch = scratch + thread * perThread
              kernels.pointee.gemm_u8wq(&g, m0, m1, n0, n1)
            }
          })
      ]
    }
  }

  // MARK: dynamic

  func dynamicCall(_ weights: ProductWeights) -> KernelCall? {
    guard let (lower, upper) = floatBounds else { return nil }
    let mode = site.layer.sharing(isImage: outputLayout == .channelsLast)
    // A sample of one row is a token. Tokens of images are no rows here.
    let byRow = rows.offsets == nil && (mode == .token || (mode == .sample && rows.rows == 1))
    guard mode != .token || (byRow && outputLayout == .rowMajor) else { return nil }
    var rows = rows
    if byRow { rows = rows.merged }
    let known =
      byRow ? nil : DynamicEncoder.known(site.input(activation), images: rows.images, whole: mode == .tensor)
    let encoder = DynamicEncoder(
      ranges: byRow ? rows.rows * rows.images : (mode == .tensor ? 1 : rows.images),
      elements: byRow
        ? rows.stride : (mode == .tensor ? rows.images : 1) * (stem?.sourceElements ?? rows.imageElements),
      padding: rows.offsets == nil || stem != nil ? 0 : shape.k, bits: site.layer.dynamicBits,
      kernels: kernels, known: known)
    let tiles = tiles(1 << 20, rows)
    let bias = floatBias.map { Pinned($0) }
    let product = CodesProduct(self, weights, rows: rows)
    var perThread = product.scratchBytesPerThread
    if case .grouped = weights.kind {
      perThread = aligned(kernels.pointee.wq_scratch_bytes(shape.taps, shape.k))
    }
    let multipliers: Pinned? = if case .codes(_, let scales, _) = weights.kind { Pinned(scales) } else { nil }
    let (shape, kernels, channels, stem) = (shape, kernels, channels, stem)
    let imageBytes = stem.map { aligned($0.images * $0.elements) } ?? 0
    var call = KernelCall(
      "\(product.label) dynamic",
      reads: reads(Form(.plain, inputLayout))
        + (known == nil ? [] : [KernelCall.Read(.extremes(activation), Form())]),
      writes: [Form(.plain, outputLayout)],
      scratchBytes: encoder.bytes + imageBytes, scratchBytesPerThread: perThread,
      packedBytes: weights.packedBytes
    ) { [rows] memory in
      let extremes = known == nil ? nil : memory.reads.last?.of(Float.self)
      let residual = memory.reads.count > (known == nil ? 1 : 2) ? memory.reads[1].of(Float.self) : nil
      let c = memory.writes[0].of(Float.self)
      let encoded = encoder.memory(memory.scratch)
      let laidOut = (memory.scratch + encoder.bytes).of(UInt8.self)
      let scratch = memory.scratch + encoder.bytes + imageBytes
      let codes = stem == nil ? encoded.codes : laidOut
      let layOut = stem.map {
        $0.phase(UnsafePointer(encoded.codes), laidOut, kernels) { image in
          UInt8(encoded.zeros[Swift.min(image, encoder.ranges - 1)])
        }
      }
      return encoder.phases(memory.reads[0].of(Float.self), encoded, extremes: extremes)
        + (layOut.map { [$0] } ?? []) + [
          Phase(
            chunks: product.chunks,
            onThread: { chunk, thread in
              let image = product.image(chunk)
              let range = byRow ? 0 : Swift.min(image, encoder.ranges - 1)
              let rowRange = byRow ? image * rows.rows : 0
              for group in 0..<shape.groups {
                let out = image * rows.rows * channels + group * shape.n
                let left = ck_rows(
                  a: codes + (image * rows.imageElements + group * rows.groupElements),
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
                  product.run(g, chunk, scratch: scratch + thread * perThread)
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
                  g.scratch = scratch + thread * perThread
                  let (_, m0, m1, n0, n1) = tiles.chunk(chunk, rows: rows.rows, columns: shape.n)
                  kernels.pointee.gemm_u8wq(&g, m0, m1, n0, n1)
                }
              }
            })
        ]
    }
    call.parts = product.parts
    return call
  }
}
