import CKernels
import Graph
import Tensors

/// The gradient of `MaxPool`: ∂loss/∂y of each window goes to the first of its largest elements.
///
/// - Inputs: x; g = ∂loss/∂y, of the shape of the pooling's output. Output: ∂loss/∂x. The attributes are the pooling's.
package struct MaxPoolGradient: Operator {
  package static let name = OperatorName("MaxPoolGradient", domain: "lathe", since: 1)
  package let pool: MaxPool

  package init(_ pool: MaxPool) { self.pool = pool }
  package init(attributes: Attributes) throws { pool = try MaxPool(attributes: attributes) }
  package var attributes: Attributes { pool.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let g = try inputs.required(1, "g")
    try expect(x.type, in: realTypes, "x")
    try requireSameType(x.type, g.type)
    if let shape = x.shape {
      try checkUpstream(g, PoolingSizes(shape, pool.window, roundUp: pool.roundUp), of: shape)
    }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    _ = try infer(inputs.map { $0.map { OperandInfo(type: $0.type, shape: $0.shape) } }, outputs: 1)
    let (x, g) = (try inputs.required(0, "x"), try inputs.required(1, "g"))
    let sizes = try PoolingSizes(x.shape, pool.window, roundUp: pool.roundUp)
    let window = sizes.window
    let offsets = window.pixelOffsets(channels: 1)
    let (pixels, positions, taps) = (window.input.elementCount, window.positions, window.taps)
    let (xs, gs) = (x.doubles, g.doubles)
    var sums = [Double](repeating: 0, count: x.count)
    for plane in 0..<sizes.planes {
      for position in 0..<positions {
        var best = -1
        for tap in position * taps..<(position + 1) * taps where offsets[tap] >= 0 {
          let pixel = plane * pixels + Int(offsets[tap])
          if best < 0 || xs[pixel] > xs[best] { best = pixel }
        }
        if best >= 0 { sums[best] += gs[plane * positions + position] }
      }
    }
    return [Tensor(doubles: sums, shape: x.shape, type: x.type)]
  }
}

/// The gradient of `AveragePool`: every element of a window has an equal share in ∂loss/∂y.
///
/// - Input: g = ∂loss/∂y. Output: ∂loss/∂x, of `shape`. The other attributes are the pooling's.
package struct AveragePoolGradient: Operator {
  package static let name = OperatorName("AveragePoolGradient", domain: "lathe", since: 1)
  package let pool: AveragePool
  package let shape: Shape

  package init(_ pool: AveragePool, shape: Shape) {
    self.pool = pool
    self.shape = shape
  }

  package init(attributes: Attributes) throws {
    pool = try AveragePool(attributes: attributes)
    shape = try checked(attributes.required("shape", attributes.integersIfPresent("shape")))
  }

  package var attributes: Attributes { pool.attributes.merging(["shape": .ints(shape)]) { $1 } }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let g = try inputs.required(0, "g")
    try expect(g.type, in: realTypes, "g")
    try checkUpstream(g, PoolingSizes(shape, pool.window, roundUp: pool.roundUp), of: shape)
    return [OperandInfo(type: g.type, shape: shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    _ = try infer(inputs.map { $0.map { OperandInfo(type: $0.type, shape: $0.shape) } }, outputs: 1)
    let g = try inputs.required(0, "g")
    let sizes = try PoolingSizes(shape, pool.window, roundUp: pool.roundUp)
    let (window, divisors) = (sizes.window, try pool.divisors(x: shape))
    let offsets = window.pixelOffsets(channels: 1)
    let (pixels, positions, taps) = (window.input.elementCount, window.positions, window.taps)
    let gs = g.doubles
    var sums = [Double](repeating: 0, count: shape.elementCount)
    for plane in 0..<sizes.planes {
      for position in 0..<positions {
        let share = gs[plane * positions + position] / Double(divisors[position])
        for tap in position * taps..<(position + 1) * taps where offsets[tap] >= 0 {
          sums[plane * pixels + Int(offsets[tap])] += share
        }
      }
    }
    return [Tensor(doubles: sums, shape: shape, type: g.type)]
  }
}

/// Throws unless g has the shape of what a pooling of `x` gives.
private func checkUpstream(_ g: OperandInfo, _ sizes: PoolingSizes, of x: Shape) throws {
  guard let shape = g.shape, shape != sizes.shape else { return }
  throw OperatorError(
    "g has shape \(shape.shapeText), expected the output of the pooling of \(x.shapeText), "
      + sizes.shape.shapeText)
}

extension MaxPoolGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let g = site.input(1), x.info.type == .float32, let shape = x.info.shape,
      shape.elementCount > 0, g.info.count ?? 0 > 0
    else { return nil }
    let images = WindowImages(try pool.geometry(x: shape), shape)
    let kernels = site.kernels
    return KernelCall(
      "maxpool gradient",
      reads: [
        KernelCall.Read(.input(0), x.decoded(.channelsLast)),
        KernelCall.Read(.input(1), g.decoded(.channelsLast)),
      ],
      writes: [Form(.plain, .channelsLast)]
    ) { memory in
      let (x, g) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      return [
        images.phase(memory.writes[0].of(Float.self)) { image, to in
          kernels.pointee.maxpool_gradient_f32(
            x + image * images.inputElements, images.offsets.of(Int32.self), images.taps, images.channels,
            g + image * images.outputElements, to, 0, images.positions)
        }
      ]
    }
  }
}

extension AveragePoolGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let g = site.input(0), g.info.type == .float32, shape.elementCount > 0, g.info.count ?? 0 > 0
    else { return nil }
    let divisors = try pool.divisors(x: shape).map { Int32(clamping: $0) }
    guard divisors.allSatisfy({ $0 > 0 }) else { return nil }
    let counts = Pinned(divisors)
    let images = WindowImages(try pool.geometry(x: shape), shape)
    let kernels = site.kernels
    return KernelCall(
      "avgpool gradient", reads: [KernelCall.Read(.input(0), g.decoded(.channelsLast))],
      writes: [Form(.plain, .channelsLast)]
    ) { memory in
      let g = memory.reads[0].of(Float.self)
      return [
        images.phase(memory.writes[0].of(Float.self)) { image, to in
          kernels.pointee.avgpool_gradient_f32(
            images.offsets.of(Int32.self), images.taps, images.channels, counts.of(Int32.self),
            g + image * images.outputElements, to, 0, images.positions)
        }
      ]
    }
  }
}

/// The windows of a pooling over images with channels last.
private struct WindowImages {
  let count: Int
  let channels: Int
  let positions: Int
  let taps: Int
  let offsets: Pinned
  let inputElements: Int
  let outputElements: Int

  init(_ window: WindowGeometry, _ shape: Shape) {
    (count, channels) = (shape[0], shape[1])
    (positions, taps) = (window.positions, window.taps)
    offsets = Pinned(window.pixelOffsets(channels: channels))
    inputElements = window.input.elementCount * channels
    outputElements = positions * channels
  }

  /// Adds to an image of zeros, one image a chunk: windows overlap.
  func phase(
    _ to: UnsafeMutablePointer<Float>,
    _ add: @escaping (_ image: Int, _ to: UnsafeMutablePointer<Float>) -> Void
  ) -> Phase {
    Phase(chunks: count) { image in
      let target = to + image * inputElements
      target.update(repeating: 0, count: inputElements)
      add(image, target)
    }
  }
}
