import Graph
import Tensors

/// The transpose of a convolution: every input element adds its multiple of the filter to the output.
///
/// - Inputs: x `[batch, in, spatial…]`; w `[in, out / groups, kernel…]`; bias `[out]`, optional.
/// - Output: `[batch, out, spatial′…]`, spatial′ = stride · (spatial − 1) + output padding + dilated kernel − pads,
///   or `outputShape`, from which the pads follow.
/// - Source: ONNX ConvTranspose-22.
package struct ConvTranspose: WeightedOperator {
  package static let name = OperatorName("ConvTranspose", since: 22)

  package var window: WindowAttributes
  package var groups: Int
  package var outputPadding: [Int]?
  package var outputShape: [Int]?

  package init(window: WindowAttributes, groups: Int = 1, outputPadding: [Int]? = nil) {
    self.window = window
    self.groups = groups
    self.outputPadding = outputPadding
  }

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes)
    groups = try attributes.integer("group", default: 1)
    outputPadding = try attributes.integersIfPresent("output_padding")
    outputShape = try attributes.integersIfPresent("output_shape")
    guard groups > 0 else { throw OperatorError("attribute \"group\" is \(groups) (expected at least 1).") }
    if let bad = (outputPadding ?? []).first(where: { $0 < 0 || $0 > 1 << 30 }) {
      throw OperatorError("attribute \"output_padding\" holds \(bad) (expected no negative sizes).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    if outputShape != nil, window.autoPad == .explicit { writer.addIfPresent("pads", window.pads) }
    writer.add("group", groups, unless: 1)
    writer.addIfPresent("output_padding", outputPadding)
    writer.addIfPresent("output_shape", outputShape)
    return writer.attributes
  }

  /// The window of the forward convolution whose transpose this is: its `input` is the larger image, the output of
  /// this operator, and its `output` the sizes of `x`.
  package func geometry(x: Shape, w: Shape) throws -> WindowGeometry {
    let image = try ImageShape(x, "x")
    guard w.count == x.count else {
      throw OperatorError("w has shape \(w.shapeText) (expected rank \(x.count), x's).")
    }
    guard w[0] == image.channels, image.channels % groups == 0 else {
      throw OperatorError(
        "w has \(w[0]) input channels and group is \(groups), but x has \(image.channels) channels.")
    }
    let kernel = Array(w[2...])
    if let own = window.kernel, own != kernel {
      throw OperatorError("attribute \"kernel_shape\" is \(own) (expected \(kernel), the weight's).")
    }
    let rank = kernel.count
    let strides = try window.list(window.strides, "strides", rank: rank, default: 1)
    let dilations = try window.list(window.dilations, "dilations", rank: rank, default: 1)
    let pads = try window.list(window.pads, "pads", rank: 2 * rank, default: 0)
    let extra = try window.list(outputPadding, "output_padding", rank: rank, default: 0)
    // Some files write the whole shape, batch and channels included.
    let wanted = try outputShape.map {
      try window.list(Array($0.suffix(rank)), "output_shape", rank: rank, default: 0)
    }
    var result = WindowGeometry(
      input: [], output: image.spatial, kernel: kernel, strides: strides, dilations: dilations,
      padsBegin: [], padsEnd: [])
    for axis in 0..<rank {
      let full =
        strides[axis] * (image.spatial[axis] - 1) + extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1
      var size = full
      var begin = 0
      var end = 0
      if let target = wanted?[axis] {
        let total = full - target
        // An output larger than what is reached gets its extra elements at the end.
        begin = total < 0 ? 0 : window.autoPad == .sameUpper ? total / 2 : total - total / 2
        end = total - begin
        size = target
      } else if window.autoPad == .sameUpper || window.autoPad == .sameLower {
        let total = Swift.max(0, full - image.spatial[axis] * strides[axis])
        begin = window.autoPad == .sameUpper ? total / 2 : total - total / 2
        end = total - begin
        size = full - total
      } else if window.autoPad == .explicit {
        begin = pads[axis]
        end = pads[rank + axis]
        size = full - begin - end
      }
      guard size > 0 else {
        throw OperatorError("spatial axis \(axis) of the output would have \(size) elements.")
      }
      result.input.append(size)
      result.padsBegin.append(begin)
      result.padsEnd.append(end)
    }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    try expect(x.type, in: realTypes, "x")
    guard let xShape = x.shape, let wShape = w.shape else { return [OperandInfo(type: x.type, shape: nil)] }
    let window = try geometry(x: xShape, w: wShape)
    return [OperandInfo(type: x.type, shape: try checked([xShape[0], wShape[1] * groups] + window.input))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    let window = try geometry(x: x.shape, w: w.shape)
    let channels = w.shape[1] * groups
    let shape = try checked([x.shape[0], channels] + window.input)
    if let bias = inputs.optional(2), bias.count != channels {
      throw OperatorError("bias has \(bias.count) elements (expected \(channels), the output channels).")
    }
    let sizes = ConvolutionSizes(
      batch: x.shape[0], inputs: x.shape[1], outputs: channels, groups: groups,
      window: window.threeDimensional)
    return [
      try x.type.dispatchReal(
        ConvolutionRun(
          x: x, w: w, bias: inputs.optional(2), shape: shape, sizes: sizes, isTransposed: true))
    ]
  }

  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
    guard inputs.optional(1)?.constant != nil else { return [] }
    return [WeightRole(input: 1, bias: 2, activation: 0, channelAxis: 1, featureAxis: 0)]
  }

  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    guard let x = inputs.optional(0)?.shape, let w = inputs.optional(1)?.shape, w.count > 1 else { return 0 }
    return x.elementCount * w.dropFirst().reduce(1, *)
  }
}

extension ConvTranspose: DifferentiableOperator {
  /// The transpose of a transpose: ∂x is the convolution of ∂y, ∂w that convolution's with x for its upstream.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, w, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
    let geometry = try geometry(x: builder.shape(x), w: builder.shape(w))
    let own = window.explicit(geometry)
    var gradients: [ValueName?] = [nil, nil, nil]
    if site.wants(0) { gradients[0] = try builder.add(Conv(window: own, groups: groups), upstream, w) }
    if site.wants(1) {
      gradients[1] = try builder.add(
        ConvolutionWeightGradient(window: own, kernel: geometry.kernel, groups: groups), upstream, x)
    }
    if site.wants(2) { gradients[2] = try channelSums(upstream, &builder) }
    return Array(gradients.prefix(site.node.inputs.count))
  }
}
