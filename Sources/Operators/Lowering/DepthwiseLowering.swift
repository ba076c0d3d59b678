import CKernels
import Graph
import Tensors

/// A depthwise convolution with one filter per channel.
struct DepthwiseCall {
  var site: LoweringSite
  var window: WindowGeometry
  var channels: Int
  var bias: [Float]?
  /// Index among the node's inputs of a bias that an earlier step computes.
  var computedBias: Int?
  /// For each output and tap the element it reads, where the window does not say it.
  var offsets: [Int32]?
  /// Whether the last tap of a filter comes first.
  var turnsWeights = false

  private var rowsPerChunk: Int { Swift.max(8, (1 << 17) / Swift.max(1, window.taps * channels)) }

  func lower() -> KernelCall? {
    guard let x = site.input(0), let w = site.input(1) else { return nil }
    let shape = ProductShape(
      groups: channels, n: 1, taps: window.taps, k: 1, groupStride: window.taps, nStride: window.taps,
      tapStride: 1, kStride: 1, channelAxis: 0, featureAxis: 1)
    if let encoded = w.encoded, site.layer.mode != .float, site.layer.mode != .weightOnly,
      let scales = ProductWeights.channelScales(encoded.encoding, shape)
    {
      switch site.layer.mode {
      case .static, .qat:
        if let codes = x.codes { return codesCall(encoded, scales: scales, input: codes) }
      case .dynamic:
        return dynamicCall(encoded, scales: scales)
      default: break
      }
    }
    if site.layer.mode == .dynamic { return nil }
    if let encoded = w.encoded, site.layer.mode != .float { return floatCall(.known(decodedFloats(encoded))) }
    return floatCall(w.info.constant.map { .known(floats($0)) } ?? .computed)
  }

  /// What the offsets say, for kernels that go row by row; `nil` for windows with gaps or cropped images.
  private var pinnedWindow: Pinned? {
    guard offsets == nil, window.rank == 2, window.dilations == [1, 1],
      window.padsBegin.allSatisfy({ $0 >= 0 })
    else {
      return nil
    }
    return Pinned([
      ck_window(
        height: window.input[0], width: window.input[1], out_width: window.output[1],
        kernel_height: window.kernel[0], kernel_width: window.kernel[1], step_y: window.strides[0],
        step_x: window.strides[1], pad_top: window.padsBegin[0], pad_left: window.padsBegin[1])
    ])
  }

  private var floatBias: [Float]? {
    var sum = bias
    if let encoded = site.encodedBias {
      sum = zip(encoded.codes.array(of: Int32.self), encoded.scales).map { Float($0) * $1 }
    }
    guard let fused = site.epilogue.bias else { return sum }
    return sum.map { zip($0, fused).map { $0 + $1 } } ?? fused
  }

  /// `[channels, taps]` as `[taps, channels]`.
  private func byTap<T>(_ values: [T]) -> [T] {
    (0..<window.taps * channels).map { values[source($0)] }
  }

  /// Which weight comes at a place of `[taps, channels]`.
  private func source(_ place: Int) -> Int {
    let tap = place / channels
    return place % channels * window.taps + (turnsWeights ? window.taps - 1 - tap : tap)
  }

  private var residualRead: [KernelCall.Read] {
    guard let residual = site.epilogue.residual else { return [] }
    return [
      KernelCall.Read(
        .residual,
        residual.branch == nil
          ? residual.operand.decoded(.channelsLast)
          : Form(residual.operand.codes.map { .codes($0) } ?? .plain, .channelsLast))
    ]
  }

  /// What chunks of `rows` outputs write.
  private func parts(rows: Int, tiles: Int) -> OutputParts {
    let (channels, positions) = (channels, window.positions)
    return OutputParts(perImage: tiles) { chunk, run in
      let from = chunk % tiles * rows
      run(
        (chunk / tiles * positions + from) * channels, (Swift.min(positions, from + rows) - from) * channels)
    }
  }

  private func floatCall(_ values: FloatWeights) -> KernelCall? {
    guard let x = site.input(0), let images = x.info.shape?[0], site.epilogue.channelUpper == nil,
      computedBias == nil || site.epilogue.bias == nil
    else { return nil }
    var (lower, upper) = (site.epilogue.lower, site.epilogue.upper)
    if let residual = site.epilogue.residual {
      guard residual.branch == nil, lower == -.infinity, upper == .infinity else { return nil }
      (lower, upper) = (residual.lower, residual.upper)
    }
    var reads = [KernelCall.Read(.input(0), x.decoded(.channelsLast))] + residualRead
    let residualIndex = reads.count > 1 ? 1 : nil
    var (weightIndex, biasIndex): (Int?, Int?) = (nil, nil)
    let known: Pinned?
    switch values {
    case .known(let values): known = Pinned(byTap(values))
    case .computed:
      known = nil
      weightIndex = reads.count
      reads.append(KernelCall.Read(.input(1), Form()))
    }
    if let computedBias {
      biasIndex = reads.count
      reads.append(KernelCall.Read(.input(computedBias), Form()))
    }
    let offsets = Pinned(self.offsets ?? window.pixelOffsets(channels: channels))
    let geometry = pinnedWindow
    let padding = Pinned(byteCount: channels * 4)
    let bias = floatBias.map { Pinned($0) }
    let (kernels, channels, window, rows) = (site.kernels, channels, window, rowsPerChunk)
    let tiles = (window.positions + rows - 1) / rows
    var call = KernelCall(
      "depthwise f32", reads: reads, writes: [Form(.plain, .channelsLast)],
      scratchBytes: known == nil ? window.taps * channels * 4 : 0, packedBytes: known?.byteCount ?? 0
    ) { [lower, upper] memory in
      let a = memory.reads[0].of(Float.self)
      let residual = residualIndex.map { memory.reads[$0].of(Float.self) }
      let c = memory.writes[0].of(Float.self)
      let weights = known?.of(Float.self) ?? UnsafePointer(memory.scratch.of(Float.self))
      let biases = biasIndex.map { memory.reads[$0].of(Float.self) } ?? bias?.of(Float.self)
      let packing = weightIndex.map { index in
        Phase(chunks: 1) { _ in
          let (from, to) = (memory.reads[index].of(Float.self), memory.scratch.of(Float.self))
          for place in 0..<window.taps * channels { to[place] = from[source(place)] }
        }
      }
      return (packing.map { [$0] } ?? []) + [
        Phase(chunks: images * tiles) { chunk in
          let image = chunk / tiles
          let out = image * window.positions * channels
          var d = ck_depthwise_f32()
          d.a = a + image * window.input.elementCount * channels
          d.offsets = offsets.of(Int32.self)
          d.window = geometry?.of(ck_window.self)
          d.taps = window.taps
          d.channels = channels
          d.padding = padding.of(Float.self)
          d.weights = weights
          d.bias = biases
          d.c = c + out
          d.c_stride = channels
          d.residual = residual.map { $0 + out }
          d.residual_stride = channels
          d.lower = lower
          d.upper = upper
          let from = chunk % tiles * rows
          kernels.pointee.depthwise_f32(&d, from, Swift.min(window.positions, from + rows))
        }
      ]
    }
    call.parts = parts(rows: rows, tiles: tiles)
    return call
  }

  /// Weight codes `[taps, channels]`, their sums and zero points.
  private func packed(_ encoded: EncodedTensor) -> (weights: Pinned, sums: Pinned, zeros: Pinned?) {
    let signed = SignedCodes(encoded)
    let weights = byTap(signed.codes)
    var sums = [Int32](repeating: 0, count: channels)
    for i in weights.indices { sums[i % channels] += Int32(weights[i]) }
    let zeros = signed.zeros.count == 1 ? [Int32](repeating: signed.zeros[0], count: channels) : signed.zeros
    return (Pinned(weights), Pinned(sums), zeros.contains { $0 != 0 } ? Pinned(zeros) : nil)
  }

  private func codesCall(_ encoded: EncodedTensor, scales: [Float], input: ByteCodes) -> KernelCall? {
    guard let images = site.input(0)?.info.shape?[0],
      let epilogue = CodesEpilogue(
        site: site, scales: scales, input: input, floatBias: floatBias, hasBias: bias != nil),
      !(epilogue.isFloat && site.epilogue.residual != nil)
    else { return nil }
    let (weights, sums, zeros) = packed(encoded)
    let offsets = Pinned(window.pixelOffsets(channels: channels))
    let geometry = pinnedWindow
    let padding = Pinned([UInt8](repeating: UInt8(input.zero), count: channels))
    let (kernels, channels, window, rows) = (site.kernels, channels, window, rowsPerChunk * 2)
    let tiles = (window.positions + rows - 1) / rows
    return KernelCall(
      "depthwise u8s8",
      reads: [KernelCall.Read(.input(0), Form(.codes(input), .channelsLast))] + residualRead,
      writes: [Form(epilogue.form, .channelsLast)], packedBytes: weights.byteCount
    ) { memory in
      let a = memory.reads[0].of(UInt8.self)
      let residual = memory.reads.count > 1 ? memory.reads[1] : nil
      let c = memory.writes[0]
      return [
        Phase(chunks: images * tiles) { chunk in
          let image = chunk / tiles
          var d = epilogue.depthwise(c: c, residual: residual, offset: image * window.positions * channels)
          d.a = a + image * window.input.elementCount * channels
          d.offsets = offsets.of(Int32.self)
          d.window = geometry?.of(ck_window.self)
          d.taps = window.taps
          d.channels = channels
          d.padding = padding.of(UInt8.self)
          d.weights = weights.of(Int8.self)
          d.column_sums = sums.of(Int32.self)
          d.b_zero = zeros?.of(Int32.self)
          d.a_zero = input.zero
          d.c_stride = channels
          d.residual_stride = channels
          let from = chunk % tiles * rows
          let to = Swift.min(window.positions, from + rows)
          kernels.pointee.depthwise_u8s8(&d, from, to)
          epilogue.cap(
            c + (image * window.positions + from) * channels, rows: to - from, stride: channels,
            firstChannel: 0, channels: channels, kernels)
        }
      ]
    }
  }

  private func dynamicCall(_ encoded: EncodedTensor, scales: [Float]) -> KernelCall? {
    guard let images = site.input(0)?.info.shape?[0], site.epilogue.residual == nil else { return nil }
    let (weights, sums, zeros) = packed(encoded)
    let imageElements = window.input.elementCount * channels
    let whole = site.layer.dynamicActivation == .tensor
    let known = DynamicEncoder.known(site.input(0), images: images, whole: whole)
    let encoder = DynamicEncoder(
      ranges: whole ? 1 : images, elements: (whole ? images : 1) * imageElements, padding: channels,
      bits: site.layer.dynamicBits, kernels: site.kernels, known: known)
    let offsets = Pinned(window.pixelOffsets(channels: channels))
    let geometry = pinnedWindow
    let bias = floatBias.map { Pinned($0) }
    let multiplier = Pinned(scales)
    let (kernels, channels, window, rows, epilogue) = (
      site.kernels, channels, window, rowsPerChunk * 2, site.epilogue
    )
    let tiles = (window.positions + rows - 1) / rows
    var call = KernelCall(
      "depthwise dynamic",
      reads: [KernelCall.Read(.input(0), Form(.plain, .channelsLast))]
        + (known == nil ? [] : [KernelCall.Read(.extremes(0), Form())]),
      writes: [Form(.plain, .channelsLast)], scratchBytes: encoder.bytes, packedBytes: weights.byteCount
    ) { memory in
      let codes = encoder.memory(memory.scratch)
      let c = memory.writes[0].of(Float.self)
      let extremes = known == nil ? nil : memory.reads[1].of(Float.self)
      return encoder.phases(memory.reads[0].of(Float.self), codes, extremes: extremes) + [
        Phase(chunks: images * tiles) { chunk in
          let image = chunk / tiles
          let range = Swift.min(image, encoder.ranges - 1)
          var d = ck_depthwise_u8s8()
          d.a = UnsafePointer(codes.codes + image * imageElements)
          d.offsets = offsets.of(Int32.self)
          d.window = geometry?.of(ck_window.self)
          d.taps = window.taps
          d.channels = channels
          d.padding = UnsafePointer(codes.padding + range * channels)
          d.weights = weights.of(Int8.self)
          d.column_sums = sums.of(Int32.self)
          d.b_zero = zeros?.of(Int32.self)
          d.a_zero = codes.zeros[range]
          d.output = CK_OUT_F32
          d.c = UnsafeMutableRawPointer(c + image * window.positions * channels)
          d.c_stride = channels
          d.multiplier = multiplier.of(Float.self)
          d.bias_f = bias?.of(Float.self)
          d.a_scale = codes.scales[range]
          d.lower_f = epilogue.lower
          d.upper_f = epilogue.upper
          let from = chunk % tiles * rows
          kernels.pointee.depthwise_u8s8(&d, from, Swift.min(window.positions, from + rows))
        }
      ]
    }
    call.parts = parts(rows: rows, tiles: tiles)
    return call
  }
}
