import Graph
import Tensors

/// Convolves images with a bank of filters.
///
/// - Inputs: x `[batch, in, spatial…]`; w `[out, in / groups, kernel…]`; bias `[out]`, optional. One to three spatial
///   axes.
/// - Output: `[batch, out, spatial′…]`, spatial′ = ⌊(spatial + pads − dilated kernel) / stride⌋ + 1.
/// - Source: ONNX Conv-22.
package struct Conv: WeightedOperator {
  package static let name = OperatorName("Conv", since: 22)

  package var window: WindowAttributes
  package var groups: Int

  package init(window: WindowAttributes = WindowAttributes(), groups: Int = 1) {
    self.window = window
    self.groups = groups
  }

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes)
    groups = try attributes.integer("group", default: 1)
    guard groups > 0 else { throw OperatorError("attribute \"group\" is \(groups) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("group", groups, unless: 1)
    return writer.attributes
  }

  /// What the shapes of input and weight make of this convolution.
  package func geometry(x: Shape, w: Shape) throws -> WindowGeometry {
    let image = try ImageShape(x, "x")
    guard w.count == x.count else {
      throw OperatorError("w has shape \(w.shapeText) (expected rank \(x.count), x's).")
    }
    guard w[1] * groups == image.channels else {
      throw OperatorError(
        "w has \(w[1]) input channels and group is \(groups), but x has \(image.channels) channels "
          + "(expected \(w[1] * groups)).")
    }
    guard w[0] % groups == 0 else {
      throw OperatorError("w has \(w[0]) output channels (expected a multiple of group, \(groups)).")
    }
    return try window.geometry(input: image.spatial, kernel: Array(w[2...]))
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    try expect(x.type, in: realTypes, "x")
    guard let xShape = x.shape, let wShape = w.shape else { return [OperandInfo(type: x.type, shape: nil)] }
    let window = try geometry(x: xShape, w: wShape)
    return [OperandInfo(type: x.type, shape: try checked([xShape[0], wShape[0]] + window.output))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    return [try convolved(x, w, bias: inputs.optional(2))]
  }

  /// The convolution in the precision of `x`, whose type the result has.
  func convolved(_ x: Tensor, _ w: Tensor, bias: Tensor?) throws -> Tensor {
    let window = try geometry(x: x.shape, w: w.shape)
    let shape = try checked([x.shape[0], w.shape[0]] + window.output)
    if let bias, bias.count != w.shape[0] {
      throw OperatorError("bias has \(bias.count) elements (expected \(w.shape[0]), the output channels).")
    }
    let sizes = ConvolutionSizes(
      batch: x.shape[0], inputs: x.shape[1], outputs: w.shape[0], groups: groups,
      window: window.threeDimensional)
    return try x.type.dispatchReal(
      ConvolutionRun(x: x, w: w, bias: bias, shape: shape, sizes: sizes, isTransposed: false))
  }

  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
    guard inputs.optional(1)?.constant != nil else { return [] }
    return [WeightRole(input: 1, bias: 2, activation: 0, channelAxis: 0, featureAxis: 1)]
  }

  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    guard let w = inputs.optional(1)?.shape, let y = outputs.first?.shape, !w.isEmpty else { return 0 }
    return y.elementCount * w.dropFirst().reduce(1, *)
  }
}

/// Runs a convolution or its transpose in one precision.
struct ConvolutionRun: RealVisitor {
  let x: Tensor
  let w: Tensor
  let bias: Tensor?
  let shape: Shape
  let sizes: ConvolutionSizes
  let isTransposed: Bool

  func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
    let bias = bias.map { T.elements(of: $0) }
    let wide = x.converted(to: T.elementType)
    let weights = w.converted(to: T.elementType)
    let y = wide.withElements(of: T.self) { x in
      weights.withElements(of: T.self) { w in
        Tensor(of: T.self, shape: shape) { y in
          if isTransposed {
            convolveTransposed(x, w, bias: bias, y, sizes)
          } else {
            convolve(x, w, bias: bias, y, sizes)
          }
        }
      }
    }
    return y.converted(to: x.type)
  }
}

extension Conv: DifferentiableOperator {
  /// ∂x is the transposed convolution of ∂y by the same weights; ∂bias the sum of ∂y over images and positions.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, w, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
    let shape = try builder.shape(x)
    let geometry = try geometry(x: shape, w: builder.shape(w))
    let own = window.explicit(geometry)
    var gradients: [ValueName?] = [nil, nil, nil]
    if site.wants(0) {
      // What the last window leaves over at the end of each axis.
      let rest = geometry.input.indices.map { axis in
        geometry.input[axis] + geometry.padsBegin[axis] + geometry.padsEnd[axis]
          - (geometry.kernel[axis] - 1) * geometry.dilations[axis] - 1
          - (geometry.output[axis] - 1) * geometry.strides[axis]
      }
      gradients[0] = try builder.add(
        ConvTranspose(window: own, groups: groups, outputPadding: rest), upstream, w,
        named: site.node.name + ".gradient")
    }
    if site.wants(1) {
      gradients[1] = try builder.add(
        ConvolutionWeightGradient(window: own, kernel: geometry.kernel, groups: groups), x, upstream,
        named: site.node.name + ".weight-gradient")
    }
    if site.wants(2) { gradients[2] = try channelSums(upstream, &builder) }
    return Array(gradients.prefix(site.node.inputs.count))
  }
}

/// The sums of an image batch `[batch, channels, spatial…]` per channel, `[channels]`.
func channelSums(_ upstream: ValueName, _ builder: inout GraphBuilder) throws -> ValueName {
  let shape = try builder.shape(upstream)
  let sums = try builder.sum(upstream, to: [shape[1]] + shape.dropFirst(2).map { _ in 1 })
  return try builder.reshape(sums, [shape[1]])
}
