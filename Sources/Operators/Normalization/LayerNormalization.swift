import Graph
import Tensors

/// Normalises everything from `axis` on to mean 0 and variance 1, then scales and shifts each feature.
///
/// - Inputs: x; scale and bias (optional), which broadcast to x's axes from `axis` on.
/// - Outputs: y like x; mean and 1 / √(variance + epsilon), both with 1 in the place of the normalised axes.
/// - Source: ONNX LayerNormalization-17.
package struct LayerNormalization: Operator {
  package static let name = OperatorName("LayerNormalization", since: 17)
  package var axis: Int
  package var epsilon: Float
  /// The type the statistics are declared in; they are computed in float64 here.
  package var statisticsType: ElementType

  package init(axis: Int = -1, epsilon: Float = 1e-5) {
    self.axis = axis
    self.epsilon = epsilon
    statisticsType = .float32
  }

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: -1)
    epsilon = try attributes.real("epsilon", default: 1e-5)
    statisticsType = try attributes.elementTypeIfSet("stash_type") ?? .float32
    try expect(statisticsType, in: realTypes, "stash_type")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: -1)
    writer.add("epsilon", epsilon, unless: 1e-5)
    writer.add("stash_type", statisticsType.rawValue, unless: ElementType.float32.rawValue)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: realTypes, "x")
    let reduced = try x.shape.map { shape in
      let first = try shape.axis(axis)
      return shape.indices.map { $0 < first ? shape[$0] : 1 }
    }
    return [OperandInfo(type: x.type, shape: x.shape)]
      + (1..<Swift.max(outputs, 1)).map { _ in OperandInfo(type: statisticsType, shape: reduced) }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let first = try x.shape.axis(axis)
    let features = Array(x.shape[first...])
    let result = try x.type.dispatchReal(
      RowNormalization(
        x: x, width: features.elementCount, epsilon: epsilon, isRootMeanSquare: false,
        gain: try featureValues(inputs.required(1, "scale"), features, "scale"),
        bias: try inputs.optional(2).map { try featureValues($0, features, "bias") }))
    let reduced = x.shape.indices.map { $0 < first ? x.shape[$0] : 1 }
    let statistics = [result.means, result.inverseDeviations].map {
      Tensor(doubles: $0, shape: reduced, type: statisticsType)
    }
    return Array(([result.y] + statistics).prefix(Swift.max(outputs, 1)))
  }
}

/// Divides everything from `axis` on by its root mean square, then scales each feature.
///
/// - Inputs: x; scale, which broadcasts to x's axes from `axis` on.
/// - Source: ONNX RMSNormalization-23.
package struct RMSNormalization: Operator {
  package static let name = OperatorName("RMSNormalization", since: 23)
  package var axis: Int
  package var epsilon: Float
  package var statisticsType: ElementType

  package init(axis: Int = -1, epsilon: Float = 1e-5) {
    self.axis = axis
    self.epsilon = epsilon
    statisticsType = .float32
  }

  package init(attributes: Attributes) throws {
    let layer = try LayerNormalization(attributes: attributes)
    axis = layer.axis
    epsilon = layer.epsilon
    statisticsType = layer.statisticsType
  }

  package var attributes: Attributes {
    var layer = LayerNormalization(axis: axis, epsilon: epsilon)
    layer.statisticsType = statisticsType
    return layer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: realTypes, "x")
    if let shape = x.shape { _ = try shape.axis(axis) }
    return [OperandInfo(type: try inputs.required(1, "scale").type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "scale")
    let features = Array(x.shape[try x.shape.axis(axis)...])
    let result = try x.type.dispatchReal(
      RowNormalization(
        x: x, width: features.elementCount, epsilon: epsilon, isRootMeanSquare: true,
        gain: try featureValues(scale, features, "scale"), bias: nil))
    return [result.y.converted(to: scale.type)]
  }
}

/// One value for each feature.
private func featureValues(_ tensor: Tensor, _ features: Shape, _ label: String) throws -> PeriodicValues {
  guard broadcastShape(tensor.shape, features) == features else {
    throw OperatorError(
      "\(label) has shape \(tensor.shape.shapeText), which does not fit the features, \(features.shapeText).")
  }
  return PeriodicValues(values: tensor.converted(to: .float64).broadcast(to: features).doubles, run: 1)
}

extension LayerNormalization: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try site.requireFirstOnly()
    return try featureGradient(site, axis: axis, epsilon: epsilon, isRootMeanSquare: false, &builder)
  }
}

extension RMSNormalization: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try featureGradient(site, axis: axis, epsilon: epsilon, isRootMeanSquare: true, &builder)
  }
}

/// The gradients of x, scale and bias where everything from an axis on is normalised.
private func featureGradient(
  _ site: GradientSite, axis: Int, epsilon: Float, isRootMeanSquare: Bool, _ builder: inout GraphBuilder
) throws -> [ValueName?] {
  let (x, scale, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
  guard builder.infos[x]?.type == builder.infos[scale]?.type else {
    throw OperatorError("a scale of another type than x has no gradient here")
  }
  let shape = try builder.shape(x)
  let axes = Array(try shape.axis(axis)..<shape.count)
  let form = try NormalizedForm(x, epsilon: epsilon, isRootMeanSquare: isRootMeanSquare, &builder) {
    try $1.reduceMean($0, axes)
  }
  var gradients = [ValueName?](repeating: nil, count: site.node.inputs.count)
  if site.wants(0) { gradients[0] = try form.gradient(builder.product(upstream, scale), &builder) }
  if site.wants(1) {
    gradients[1] = try builder.sum(
      builder.product(upstream, form.normalized), to: builder.shape(scale))
  }
  if site.wants(2) { gradients[2] = try builder.sum(upstream, to: builder.shape(site.input(2))) }
  return gradients
}
