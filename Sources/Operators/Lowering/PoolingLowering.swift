import CKernels
import Graph
import Tensors

/// A pooling over windows of an image with channels last.
private struct PoolingCall {
  enum Kind {
    case largest
    /// Divisor of each output pixel.
    case mean([Int32])
  }

  var site: LoweringSite
  var offsets: [Int32]
  var taps: Int
  var positions: Int
  var inputElements: Int
  var channels: Int
  var kind: Kind
  var label: String

  func lower() -> KernelCall? {
    guard let x = site.input(0), x.info.type == .float32, let images = x.info.shape?.first, channels > 0
    else { return nil }
    if let input = x.codes, let output = site.outputCodes {
      switch kind {
      case .largest: return codesCall(images, input, written: input)
      case .mean: return codesCall(images, input, written: output)
      }
    }
    let offsets = Pinned(offsets)
    let divisors: Pinned? = if case .mean(let counts) = kind { Pinned(counts) } else { nil }
    let (kernels, taps, positions, inputElements, channels) = (
      site.kernels, taps, positions, inputElements, channels
    )
    let rows = rowsPerChunk
    let tiles = (positions + rows - 1) / rows
    return KernelCall(
      label, reads: [KernelCall.Read(.input(0), x.decoded(.channelsLast))],
      writes: [Form(.plain, .channelsLast)]
    ) { memory in
      let (a, c) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      return [
        Phase(chunks: images * tiles) { chunk in
          let (image, from) = (chunk / tiles, chunk % tiles * rows)
          let (source, target) = (a + image * inputElements, c + image * positions * channels)
          let end = Swift.min(positions, from + rows)
          if let divisors {
            kernels.pointee.avgpool_f32(
              source, offsets.of(Int32.self), taps, channels, divisors.of(Int32.self), target, from, end)
          } else {
            kernels.pointee.maxpool_f32(source, offsets.of(Int32.self), taps, channels, target, from, end)
          }
        }
      ]
    }
  }

  private var rowsPerChunk: Int { Swift.max(1, (1 << 16) / Swift.max(1, taps * channels)) }

  private func codesCall(_ images: Int, _ input: ByteCodes, written output: ByteCodes) -> KernelCall {
    let offsets = Pinned(offsets)
    let divisors: Pinned? = if case .mean(let counts) = kind { Pinned(counts) } else { nil }
    let (kernels, taps, positions, inputElements, channels) = (
      site.kernels, taps, positions, inputElements, channels
    )
    let rows = rowsPerChunk * 4
    let tiles = (positions + rows - 1) / rows
    let multiplier = Double(input.scale) / Double(output.scale)
    return KernelCall(
      "\(label) u8", reads: [KernelCall.Read(.input(0), Form(.codes(input), .channelsLast))],
      writes: [Form(.codes(output), .channelsLast)]
    ) { memory in
      let (a, c) = (memory.reads[0].of(UInt8.self), memory.writes[0].of(UInt8.self))
      return [
        Phase(chunks: images * tiles) { chunk in
          let (image, from) = (chunk / tiles, chunk % tiles * rows)
          let (source, target) = (a + image * inputElements, c + image * positions * channels)
          let end = Swift.min(positions, from + rows)
          if let divisors {
            kernels.pointee.avgpool_u8(
              source, offsets.of(Int32.self), taps, channels, divisors.of(Int32.self), input.zero, multiplier,
              output.zero, output.lower, output.upper, target, from, end)
          } else {
            kernels.pointee.maxpool_u8(source, offsets.of(Int32.self), taps, channels, target, from, end)
          }
        }
      ]
    }
  }

  /// Over all spatial elements of each channel.
  static func global(_ site: LoweringSite, mean: Bool, label: String) -> KernelCall? {
    guard let shape = site.input(0)?.info.shape, shape.count > 2, shape.elementCount > 0 else { return nil }
    let pixels = shape.dropFirst(2).reduce(1, *)
    return PoolingCall(
      site: site, offsets: (0..<pixels).map { Int32($0 * shape[1]) }, taps: pixels, positions: 1,
      inputElements: pixels * shape[1], channels: shape[1], kind: mean ? .mean([Int32(pixels)]) : .largest,
      label: label
    ).lower()
  }

  init(
    site: LoweringSite, offsets: [Int32], taps: Int, positions: Int, inputElements: Int, channels: Int,
    kind: Kind,
    label: String
  ) {
    self.site = site
    self.offsets = offsets
    self.taps = taps
    self.positions = positions
    self.inputElements = inputElements
    self.channels = channels
    self.kind = kind
    self.label = label
  }

  init(_ site: LoweringSite, _ window: WindowGeometry, channels: Int, kind: Kind, label: String) {
    self.init(
      site: site, offsets: window.pixelOffsets(channels: channels), taps: window.taps,
      positions: window.positions,
      inputElements: window.input.elementCount * channels, channels: channels, kind: kind, label: label)
  }
}

extension MaxPool: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard site.outputs.count == 1, let shape = site.input(0)?.info.shape, shape.elementCount > 0,
      site.outputs[0].count ?? 0 > 0
    else { return nil }
    let window = try geometry(x: shape)
    let offsets = window.pixelOffsets(channels: shape[1])
    // A window in the padding alone has no largest element: the reference says so.
    for row in 0..<window.positions {
      guard offsets[row * window.taps..<(row + 1) * window.taps].contains(where: { $0 >= 0 }) else {
        return nil
      }
    }
    return PoolingCall(site, window, channels: shape[1], kind: .largest, label: "maxpool").lower()
  }
}

extension AveragePool: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let shape = site.input(0)?.info.shape, shape.elementCount > 0, site.outputs[0].count ?? 0 > 0 else {
      return nil
    }
    let divisors = try divisors(x: shape).map { Int32(clamping: $0) }
    guard divisors.allSatisfy({ $0 > 0 }) else { return nil }
    return PoolingCall(
      site, try geometry(x: shape), channels: shape[1], kind: .mean(divisors), label: "avgpool"
    ).lower()
  }
}

extension GlobalAveragePool: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    PoolingCall.global(site, mean: true, label: "global avgpool")
  }
}

extension GlobalMaxPool: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    PoolingCall.global(site, mean: false, label: "global maxpool")
  }
}

/// The mean over all spatial axes of an image, as ReduceMean writes it; `nil` for other axes.
func spatialMeanCall(_ site: LoweringSite, axes: [Int]) -> KernelCall? {
  guard let shape = site.input(0)?.info.shape, shape.count > 2, axes == Array(2..<shape.count) else {
    return nil
  }
  guard var call = PoolingCall.global(site, mean: true, label: "spatial mean") else { return nil }
  // With or without the axes of size 1: the same bytes.
  call.writes = call.writes.map { Form($0.content, .rowMajor) }
  return call
}
