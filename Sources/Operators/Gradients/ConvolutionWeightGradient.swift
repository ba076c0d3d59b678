import CKernels
import Graph
import Tensors

/// The gradient of a convolution's weight: each tap's sum, over images and positions, of input times ∂loss/∂output.
///
/// - Inputs: x `[batch, in, spatial…]`; g = ∂loss/∂y `[batch, out, spatial′…]`, the output of the convolution.
/// - Output: ∂loss/∂w `[out, in / groups, kernel…]`.
package struct ConvolutionWeightGradient: Operator {
  package static let name = OperatorName("ConvolutionWeightGradient", domain: "lathe", since: 1)
  /// With the kernel's sizes.
  package var window: WindowAttributes
  package var groups: Int

  package init(window: WindowAttributes, kernel: [Int], groups: Int) {
    self.window = window
    self.window.kernel = kernel
    self.groups = groups
  }

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes, needsKernel: true)
    groups = try attributes.integer("group", default: 1)
    guard groups > 0 else { throw OperatorError("attribute \"group\" is \(groups) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("group", groups, unless: 1)
    return writer.attributes
  }

  func geometry(x: Shape, g: Shape) throws -> WindowGeometry {
    let image = try ImageShape(x, "x")
    let window = try window.geometry(input: image.spatial, kernel: window.kernel ?? image.spatial)
    guard g.count == x.count, g[0] == x[0], Array(g[2...]) == window.output, g[1] % groups == 0,
      image.channels % groups == 0
    else {
      throw OperatorError(
        "g has shape \(g.shapeText), expected the output of a convolution of \(x.shapeText) in \(groups) groups"
      )
    }
    return window
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let g = try inputs.required(1, "g")
    try expect(x.type, in: realTypes, "x")
    guard let xShape = x.shape, let gShape = g.shape else { return [OperandInfo(type: x.type, shape: nil)] }
    let window = try geometry(x: xShape, g: gShape)
    return [OperandInfo(type: x.type, shape: [gShape[1], xShape[1] / groups] + window.kernel)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let g = try inputs.required(1, "g")
    let own = try geometry(x: x.shape, g: g.shape)
    let window = own.threeDimensional
    let (ins, outs) = (x.shape[1] / groups, g.shape[1] / groups)
    let (pixels, positions) = (window.input.elementCount, window.positions)
    let (xs, gs) = (x.doubles, g.doubles)
    var sums = [Double](repeating: 0, count: g.shape[1] * ins * window.taps)
    // Position → pixel of one channel, per tap: what the kernels' offsets say for one channel.
    let offsets = window.pixelOffsets(channels: 1)
    for image in 0..<x.shape[0] {
      for out in 0..<g.shape[1] {
        for input in 0..<ins {
          let plane = (image * x.shape[1] + out / outs * ins + input) * pixels
          let upstream = (image * g.shape[1] + out) * positions
          for tap in 0..<window.taps {
            var sum = 0.0
            for position in 0..<positions {
              let offset = offsets[position * window.taps + tap]
              if offset >= 0 { sum += xs[plane + Int(offset)] * gs[upstream + position] }
            }
            sums[(out * ins + input) * window.taps + tap] += sum
          }
        }
      }
    }
    return [Tensor(sums, shape: [g.shape[1], ins] + own.kernel).converted(to: x.type)]
  }
}

extension ConvolutionWeightGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let g = site.input(1), let xShape = x.info.shape, let gShape = g.info.shape,
      x.info.type == .float32, g.info.type == .float32, xShape.elementCount > 0, gShape.elementCount > 0
    else { return nil }
    let window = try geometry(x: xShape, g: gShape)
    let (images, channels, outputs) = (xShape[0], xShape[1], gShape[1])
    let rows = WindowRows(
      images: images, positions: window.positions, inputElements: window.input.elementCount * channels,
      outputElements: window.positions * outputs, offsets: Pinned(window.pixelOffsets(channels: channels)),
      taps: window.taps)
    if groups > 1, groups == channels, outputs == channels {
      return depthwise(site, rows, channels: channels)
    }
    return products(site, rows, inputs: channels / groups, outputs: outputs / groups, channels: channels)
  }

  private func reads(_ site: LoweringSite) -> [KernelCall.Read] {
    (0..<2).compactMap { index in
      site.input(index).map { KernelCall.Read(.input(index), $0.decoded(.channelsLast)) }
    }
  }

  /// The sums of a depthwise convolution, `[taps, channels]` per part.
  private func depthwise(_ site: LoweringSite, _ rows: WindowRows, channels: Int) -> KernelCall {
    let taps = rows.taps
    let parts = rows.parts(elements: taps * channels, work: taps * channels)
    let kernels = site.kernels
    return KernelCall(
      "depthwise weight gradient", reads: reads(site), writes: [Form()],
      scratchBytes: parts.count * taps * channels * 4
    ) { memory in
      let (a, b) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      let (sums, out) = (memory.scratch.of(Float.self), memory.writes[0].of(Float.self))
      let size = taps * channels
      return [
        Phase(chunks: parts.count) { part in
          (sums + part * size).update(repeating: 0, count: size)
          rows.forEach(parts[part]) { image, m0, m1 in
            kernels.pointee.depthwise_outer_f32(
              a + image * rows.inputElements, rows.offsets.of(Int32.self), taps, channels,
              b + image * rows.outputElements, channels, sums + part * size, m0, m1)
          }
        },
        Phase(chunks: 1) { _ in
          for part in 1..<Swift.max(1, parts.count) {
            kernels.pointee.add_f32(sums, sums + part * size, size, sums)
          }
          kernels.pointee.transpose_32(sums, taps, channels, channels, out, taps)
        },
      ]
    }
  }

  /// The sums of each group, `[taps · inputs, outputs]` per part.
  private func products(
    _ site: LoweringSite, _ rows: WindowRows, inputs: Int, outputs: Int, channels: Int
  ) -> KernelCall {
    let (taps, groups, kernels) = (rows.taps, groups, site.kernels)
    let size = taps * inputs * outputs
    let parts = rows.parts(elements: size, work: size)
    // Tap by tap, and wide taps in blocks of inputs, where the rows alone give too little to share.
    let block = Swift.min(inputs, 64)
    let blocks = (inputs + block - 1) / block
    let pieces = parts.count >= 8 ? 1 : taps * blocks
    let total = groups * outputs
    return KernelCall(
      "conv weight gradient f32", reads: reads(site), writes: [Form()],
      scratchBytes: parts.count * groups * size * 4
    ) { memory in
      let (a, b) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      let (sums, out) = (memory.scratch.of(Float.self), memory.writes[0].of(Float.self))
      return [
        Phase(chunks: parts.count * groups * pieces) { chunk in
          let (piece, group, part) = (chunk % pieces, chunk / pieces % groups, chunk / pieces / groups)
          let target = sums + (part * groups + group) * size
          let (t0, t1) = pieces == 1 ? (0, taps) : (piece / blocks, piece / blocks + 1)
          let (k0, k1) =
            pieces == 1
            ? (0, inputs) : (piece % blocks * block, Swift.min(inputs, (piece % blocks + 1) * block))
          for tap in t0..<t1 {
            (target + (tap * inputs + k0) * outputs).update(repeating: 0, count: (k1 - k0) * outputs)
          }
          var o = ck_outer_f32()
          o.b_stride = total
          o.n = outputs
          o.c = target
          o.c_stride = outputs
          rows.forEach(parts[part]) { image, m0, m1 in
            o.rows = ck_rows(
              a: a + (image * rows.inputElements + group * inputs), stride: channels,
              offsets: rows.offsets.of(Int32.self), taps: taps, k: inputs, padding: nil)
            o.b = b + (image * rows.outputElements + group * outputs)
            kernels.pointee.outer_f32(&o, t0, t1, k0, k1, m0, m1)
          }
        },
        Phase(chunks: groups) { group in
          let first = sums + group * size
          for part in 1..<Swift.max(1, parts.count) {
            kernels.pointee.add_f32(first, sums + (part * groups + group) * size, size, first)
          }
          // [taps, inputs, outputs] becomes [outputs, inputs, taps].
          for tap in 0..<taps {
            for input in 0..<inputs {
              let from = first + (tap * inputs + input) * outputs
              let to = out + (group * outputs * inputs + input) * taps + tap
              for output in 0..<outputs { to[output * inputs * taps] = from[output] }
            }
          }
        },
      ]
    }
  }
}

/// Windows over the images of a batch, cut into parts whose sums are kept apart and added in order at the end.
struct WindowRows {
  var images: Int
  var positions: Int
  var inputElements: Int
  var outputElements: Int
  var offsets: Pinned
  var taps: Int

  /// Ranges of rows, counted over all images: as many as pay for adding `elements` sums of each, whatever the number
  /// of threads.
  func parts(elements: Int, work: Int) -> [Range<Int>] {
    let rows = images * positions
    // A part does at least 32 times the work that adding its sums is, and some 4 million products.
    let least = Swift.max(32, (1 << 22) / Swift.max(1, work))
    // All sums together take at most 16 MB.
    let count = Swift.max(1, Swift.min(16, rows / least, (1 << 22) / Swift.max(1, elements)))
    let size = (rows + count - 1) / count
    return (0..<count).map { $0 * size..<Swift.min(rows, ($0 + 1) * size) }.filter { !$0.isEmpty }
  }

  /// Calls back for each image that a range of rows touches with the positions in it.
  func forEach(_ range: Range<Int>, _ body: (_ image: Int, _ m0: Int, _ m1: Int) -> Void) {
    var row = range.lowerBound
    while row < range.upperBound {
      let image = row / positions
      let end = Swift.min(range.upperBound, (image + 1) * positions)
      body(image, row - image * positions, end - image * positions)
      row = end
    }
  }
}
