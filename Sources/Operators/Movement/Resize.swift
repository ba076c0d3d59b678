import Graph
import Tensors

/// A tensor resampled to other sizes along its axes.
///
/// - Inputs: x; region `[2 · axes]` as fractions of the sizes, for `tf_crop_and_resize` only; scales, float32; sizes,
///   int64. Exactly one of scales and sizes; an empty tensor counts as absent.
/// - Output: sizes as given, or ⌊size · scale⌋.
/// - Source: ONNX Resize-19; opset 11's `tf_half_pixel_for_nn` is kept.
package struct Resize: ActivationOperator {
  package static let name = OperatorName("Resize", since: 19)
  package static var upgrades: [Upgrade] {
    [
      // Opset 10 had x and scales only, and what is now one choice of many.
      .before(11) { node, _ in
        node.inputs = [node.input(0), nil, node.input(1)]
        node.attributes["coordinate_transformation_mode"] = .string("asymmetric")
        node.attributes["nearest_mode"] = .string("floor")
      }
    ]
  }

  package enum Mode: String, Sendable, CaseIterable { case nearest, linear, cubic }
  package enum Coordinates: String, Sendable, CaseIterable {
    case halfPixel = "half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case tfCropAndResize = "tf_crop_and_resize"
    case tfHalfPixelForNearest = "tf_half_pixel_for_nn"
  }
  package enum Nearest: String, Sendable, CaseIterable {
    case preferFloor = "round_prefer_floor"
    case preferCeil = "round_prefer_ceil"
    case floor, ceil
  }
  package enum AspectRatio: String, Sendable, CaseIterable {
    case stretch
    case notLarger = "not_larger"
    case notSmaller = "not_smaller"
  }

  package var mode: Mode
  package var coordinates: Coordinates
  package var nearest: Nearest
  package var aspectRatio: AspectRatio
  package var axes: [Int]?
  /// Widen the filter where the image shrinks.
  package var antialias: Bool
  /// Weigh only what lies inside the image.
  package var excludesOutside: Bool
  package var cubicCoefficient: Float
  package var extrapolation: Float

  package init(attributes: Attributes) throws {
    func choice<C: RawRepresentable & CaseIterable>(_ name: String, default value: C) throws -> C
    where C.RawValue == String {
      let others = C.allCases.map(\.rawValue).filter { $0 != value.rawValue }
      return C(rawValue: try attributes.text(name, among: [value.rawValue] + others)) ?? value
    }
    mode = try choice("mode", default: .nearest)
    coordinates = try choice("coordinate_transformation_mode", default: .halfPixel)
    nearest = try choice("nearest_mode", default: .preferFloor)
    aspectRatio = try choice("keep_aspect_ratio_policy", default: .stretch)
    axes = try attributes.integersIfPresent("axes")
    antialias = try attributes.isSet("antialias")
    excludesOutside = try attributes.isSet("exclude_outside")
    cubicCoefficient = try attributes.real("cubic_coeff_a", default: -0.75)
    extrapolation = try attributes.real("extrapolation_value", default: 0)
    if antialias, mode == .nearest { throw OperatorError("antialias is for modes linear and cubic.") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("mode", mode.rawValue, unless: Mode.nearest.rawValue)
    writer.add(
      "coordinate_transformation_mode", coordinates.rawValue, unless: Coordinates.halfPixel.rawValue)
    writer.add("nearest_mode", nearest.rawValue, unless: Nearest.preferFloor.rawValue)
    writer.add("keep_aspect_ratio_policy", aspectRatio.rawValue, unless: AspectRatio.stretch.rawValue)
    writer.addIfPresent("axes", axes)
    writer.add("antialias", antialias)
    writer.add("exclude_outside", excludesOutside)
    writer.add("cubic_coeff_a", cubicCoefficient, unless: -0.75)
    writer.add("extrapolation_value", extrapolation, unless: 0)
    return writer.attributes
  }

  /// How one axis is resampled.
  package struct Axis: Sendable, Hashable {
    package var input: Int
    package var output: Int
    /// Output elements per input element; `input · scale` may have a fraction that `output` has not.
    package var scale: Double
    /// The part of the axis that is read, as fractions of its size.
    package var region: ClosedRange<Double> = 0...1
    package var isIdentity: Bool { scale == 1 && input == output && region == 0...1 }
  }

  package func resolved(_ shape: Shape, scales: [Float]?, sizes: [Int]?, region: [Double]?) throws -> [Axis] {
    let axes = try shape.axes(self.axes ?? Array(shape.indices))
    var result = shape.map { Axis(input: $0, output: $0, scale: 1) }
    if let sizes, !sizes.isEmpty {
      guard sizes.count == axes.count, sizes.allSatisfy({ $0 >= 0 }) else {
        throw OperatorError("sizes is \(sizes) (expected \(axes.count) sizes).")
      }
      let ratios = zip(axes, sizes).map { Double($1) / Double(Swift.max(shape[$0], 1)) }
      let common = aspectRatio == .notLarger ? ratios.min() : ratios.max()
      for (i, axis) in axes.enumerated() {
        if aspectRatio == .stretch {
          result[axis] = Axis(input: shape[axis], output: sizes[i], scale: ratios[i])
        } else if let common {
          let size = (common * Double(shape[axis]) + 0.5).rounded(.down)
          result[axis] = Axis(input: shape[axis], output: Int(Swift.min(size, 0x1p40)), scale: common)
        }
      }
    } else if let scales, !scales.isEmpty {
      guard scales.count == axes.count, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw OperatorError("scales is \(scales) (expected \(axes.count) positive numbers).")
      }
      for (i, axis) in axes.enumerated() {
        // In float32, as the declared shapes of models are computed.
        let size = Swift.min((Float(shape[axis]) * scales[i]).rounded(.down), 0x1p40)
        result[axis] = Axis(input: shape[axis], output: Int(size), scale: Double(scales[i]))
      }
    } else {
      throw OperatorError("neither scales nor sizes are given.")
    }
    if coordinates == .tfCropAndResize {
      guard let region, region.count == 2 * axes.count else {
        throw OperatorError("tf_crop_and_resize needs a region of \(2 * axes.count) numbers.")
      }
      for (i, axis) in axes.enumerated() {
        let (low, high) = (region[i], region[axes.count + i])
        guard low <= high else { throw OperatorError("the region of axis \(axis) ends before it starts.") }
        result[axis].region = low...high
      }
    }
    if let empty = result.firstIndex(where: { $0.input == 0 && $0.output > 0 }) {
      throw OperatorError("axis \(empty) is empty and cannot be resized to \(result[empty].output) elements.")
    }
    _ = try checked(result.map(\.output))
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let (scales, sizes) = (inputs.optional(2), inputs.optional(3))
    let known = [scales, sizes].allSatisfy { $0 == nil || $0?.constant != nil }
    guard let shape = x.shape, known else { return [OperandInfo(type: x.type, shape: nil)] }
    var free = self
    // The region does not change the shape.
    if free.coordinates == .tfCropAndResize { free.coordinates = .halfPixel }
    let axes = try free.resolved(
      shape, scales: scales?.constant?.floats, sizes: sizes?.constant?.integers, region: nil)
    return [OperandInfo(type: x.type, shape: axes.map(\.output))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let axes = try resolved(
      x.shape, scales: inputs.optional(2)?.floats, sizes: inputs.optional(3)?.integers,
      region: inputs.optional(1)?.doubles)
    if mode == .nearest {
      let maps = axes.map { axis in
        axis.isIdentity ? Array(0..<axis.input) : (0..<axis.output).map { nearestIndex($0, axis) }
      }
      return [x.mapped(maps, fill: Tensor(floats: [extrapolation], shape: [1], type: x.type))]
    }
    // Integers wider than a float's mantissa are resampled in double.
    let isNarrow = x.type.isFloatingPoint && x.type != .float64 || x.type.bits <= 16
    let run = ResizeRun(op: self, x: x, axes: axes)
    return [isNarrow ? run.resampled(Float.self) : run.resampled(Double.self)]
  }

  /// Keeps codes only when it copies elements.
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? {
    mode == .nearest && coordinates != .tfCropAndResize ? .keepsInput(0) : .ownOutput
  }
}

/// The name Resize had before opset 10, with one way to map coordinates.
package struct Upsample: Operator {
  package static let name = OperatorName("Upsample", since: 10)
  package static var upgrades: [Upgrade] {
    [
      .becomes("Resize") { node, rewrite in
        if let scales = try node.attributes.realsIfPresent("scales") {
          node.attributes["scales"] = nil
          node.setInput(1, rewrite.add(constant: Tensor(scales, shape: [scales.count]), "scales"))
        }
        node.inputs = [node.input(0), nil, node.input(1)]
        node.attributes["coordinate_transformation_mode"] = .string("asymmetric")
        node.attributes["nearest_mode"] = .string("floor")
      }
    ]
  }
  private var resize: Resize

  package init(attributes: Attributes) throws {
    var written = attributes
    written["coordinate_transformation_mode"] = .string("asymmetric")
    written["nearest_mode"] = .string("floor")
    resize = try Resize(attributes: written)
  }
  package var attributes: Attributes { resize.attributes.filter { $0.key == "mode" } }
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try resize.infer([inputs.optional(0), nil, inputs.optional(1)], outputs: outputs)
  }
  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    try resize.evaluate([inputs.optional(0), nil, inputs.optional(1)], outputs: outputs, context: context)
  }
}

extension Resize: DifferentiableOperator {
  /// The transpose of the resampling, axis by axis.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    let axes = try resolved(
      shape, scales: site.constant(2, "scales", builder)?.floats,
      sizes: site.constant(3, "sizes", builder)?.integers,
      region: site.constant(1, "region", builder)?.doubles)
    let upstream = try site.upstreamOfFirst()
    if let gradient = try wholeBlocks(axes, upstream, &builder) { return site.ofFirst(gradient) }
    var gradient = upstream
    for (index, axis) in axes.enumerated() where !axis.isIdentity {
      // The axis goes last, where a matrix of the weights turns outputs back into inputs.
      var order = Array(shape.indices)
      order.swapAt(index, shape.count - 1)
      let weights = builder.constant(
        Tensor(
          doubles: matrix(axis), shape: [axis.output, axis.input],
          type: builder.infos[upstream]?.type ?? .float32))
      let moved = try builder.transpose(gradient, order)
      gradient = try builder.transpose(builder.add(MatMul(), moved, weights), order)
    }
    return site.ofFirst(gradient)
  }

  /// The weights of an axis, `[output, input]`.
  private func matrix(_ axis: Axis) -> [Double] {
    var result = [Double](repeating: 0, count: axis.output * axis.input)
    if mode == .nearest {
      for index in 0..<axis.output {
        let source = axis.isIdentity ? index : nearestIndex(index, axis)
        if source >= 0 { result[index * axis.input + source] = 1 }
      }
      return result
    }
    let filter = filter(axis)
    for index in 0..<axis.output where !filter.isOutside[index] {
      for tap in index * filter.taps..<(index + 1) * filter.taps {
        result[index * axis.input + filter.indices[tap]] += filter.weights[tap]
      }
    }
    return result
  }

  /// The gradient of an image whose every pixel became a block of copies: the sums of the blocks.
  ///
  /// `nil` for any other resampling.
  private func wholeBlocks(
    _ axes: [Axis], _ upstream: ValueName, _ builder: inout GraphBuilder
  ) throws -> ValueName? {
    guard mode == .nearest, (3...5).contains(axes.count), axes[0].isIdentity, axes[1].isIdentity else {
      return nil
    }
    let spatial = axes.dropFirst(2)
    let factors = spatial.map { $0.input == 0 ? 0 : $0.output / $0.input }
    for (axis, factor) in zip(spatial, factors) {
      guard factor > 0, axis.output == factor * axis.input,
        axis.isIdentity || (0..<axis.output).allSatisfy({ nearestIndex($0, axis) == $0 / factor })
      else { return nil }
    }
    let window = WindowAttributes(kernel: factors, strides: factors)
    let means = try builder.add(AveragePool(window: window), upstream)
    return try builder.product(means, Float(factors.reduce(1, *)))
  }
}

extension Upsample: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    var inner = site
    inner.node.inputs = try [site.input(0), nil, site.input(1)]
    inner.wanted = [true, false, false]
    return site.ofFirst(try resize.gradient(inner, &builder)[0] ?? site.upstreamOfFirst())
  }
}
