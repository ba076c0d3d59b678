import Graph
import Tensors

/// Normalises each channel of each image to mean 0 and variance 1, then scales and shifts it.
///
/// - Inputs: x `[batch, channels, …]`; scale and bias `[channels]`.
/// - Source: ONNX InstanceNormalization-22.
package struct InstanceNormalization: Operator {
  package static let name = OperatorName("InstanceNormalization", since: 22)
  package var epsilon: Float

  package init(attributes: Attributes) throws { epsilon = try attributes.real("epsilon", default: 1e-5) }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("epsilon", epsilon, unless: 1e-5)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs) { $0 }]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    try expect(rank: 2, of: x.shape, "x")
    let plane = x.shape.dropFirst(2).reduce(1, *)
    let channels = x.shape[1]
    return [
      try x.type.dispatchReal(
        RowNormalization(
          x: x, width: plane, epsilon: epsilon, isRootMeanSquare: false,
          gain: try channelValues(inputs.required(1, "scale"), channels, plane, "scale"),
          bias: try channelValues(inputs.required(2, "bias"), channels, plane, "bias"))
      ).y
    ]
  }
}

/// Normalises each group of neighbouring channels of each image to mean 0 and variance 1, then scales and shifts each
/// channel.
///
/// - Inputs: x `[batch, channels, …]`; scale and bias `[channels]`. Opset 18 gave one per group, which is accepted too.
/// - Source: ONNX GroupNormalization-21.
package struct GroupNormalization: Operator {
  package static let name = OperatorName("GroupNormalization", since: 21)
  package var groups: Int
  package var epsilon: Float
  package var statisticsType: ElementType

  package init(attributes: Attributes) throws {
    groups = try attributes.integer("num_groups")
    epsilon = try attributes.real("epsilon", default: 1e-5)
    statisticsType = try attributes.elementTypeIfSet("stash_type") ?? .float32
    guard groups > 0 else {
      throw OperatorError("attribute \"num_groups\" is \(groups) (expected at least 1).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("num_groups", groups)
    writer.add("epsilon", epsilon, unless: 1e-5)
    writer.add("stash_type", statisticsType.rawValue, unless: ElementType.float32.rawValue)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [
      try inferPooling(inputs) { shape in
        try check(shape)
        return shape
      }
    ]
  }

  private func check(_ x: Shape) throws {
    try expect(rank: 2, of: x, "x")
    guard x[1] % groups == 0 else {
      throw OperatorError("x has \(x[1]) channels (expected a multiple of num_groups, \(groups)).")
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    try check(x.shape)
    let plane = x.shape.dropFirst(2).reduce(1, *)
    let perGroup = x.shape[1] / groups
    func values(_ index: Int, _ label: String) throws -> PeriodicValues {
      let tensor = try inputs.required(index, label)
      return tensor.count == groups
        ? try channelValues(tensor, groups, plane * perGroup, label)
        : try channelValues(tensor, x.shape[1], plane, label)
    }
    return [
      try x.type.dispatchReal(
        RowNormalization(
          x: x, width: plane * perGroup, epsilon: epsilon, isRootMeanSquare: false,
          gain: try values(1, "scale"), bias: try values(2, "bias"))
      ).y
    ]
  }
}

/// One value for each channel, whose elements are `plane` neighbours.
private func channelValues(
  _ tensor: Tensor, _ channels: Int, _ plane: Int, _ label: String
) throws -> PeriodicValues {
  guard tensor.count == channels else {
    throw OperatorError("\(label) has \(tensor.count) elements (expected \(channels)).")
  }
  return PeriodicValues(values: tensor.doubles, run: plane)
}

/// Divides each element by a power of the mean square of its neighbouring channels.
///
/// - Output: y = x / (bias + alpha / size · Σ x²)^beta, the sum over channels c − ⌊(size−1)/2⌋ … c + ⌈(size−1)/2⌉.
/// - Source: ONNX LRN-13.
package struct LRN: Operator {
  package static let name = OperatorName("LRN", since: 13)
  package var size: Int
  package var alpha: Float
  package var beta: Float
  package var bias: Float

  package init(attributes: Attributes) throws {
    size = try attributes.integer("size")
    alpha = try attributes.real("alpha", default: 1e-4)
    beta = try attributes.real("beta", default: 0.75)
    bias = try attributes.real("bias", default: 1)
    guard size > 0 else { throw OperatorError("attribute \"size\" is \(size) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("size", size)
    writer.add("alpha", alpha, unless: 1e-4)
    writer.add("beta", beta, unless: 0.75)
    writer.add("bias", bias, unless: 1)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs) { $0 }]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    try expect(rank: 2, of: x.shape, "x")
    return [try x.type.dispatchReal(Run(op: self, x: x))]
  }

  private struct Run: RealVisitor {
    let op: LRN
    let x: Tensor

    func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
      let channels = x.shape[1]
      let plane = x.shape.dropFirst(2).reduce(1, *)
      let factor = T(op.alpha) / T(op.size)
      let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
        Tensor(of: T.self, shape: self.x.shape) { y in
          for b in 0..<self.x.shape[0] {
            for c in 0..<channels {
              let start = (b * channels + c) * plane
              let first = Swift.max(0, c - (op.size - 1) / 2)
              let last = Swift.min(channels - 1, c + op.size / 2)
              for other in first...last {
                let from = (b * channels + other) * plane
                for i in 0..<plane { y[start + i] += x[from + i] * x[from + i] }
              }
              for i in start..<start + plane { y[i] = x[i] / T.pow(T(op.bias) + factor * y[i], T(op.beta)) }
            }
          }
        }
      }
      return y.converted(to: x.type)
    }
  }
}

extension InstanceNormalization: DifferentiableOperator {
  /// That of as many groups as channels.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let channels = try builder.shape(site.input(0))[1]
    return try groupGradient(site, groups: channels, epsilon: epsilon, &builder)
  }
}

extension GroupNormalization: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try groupGradient(site, groups: groups, epsilon: epsilon, &builder)
  }
}

/// The gradients of x, scale and bias where groups of channels are normalised.
private func groupGradient(
  _ site: GradientSite, groups: Int, epsilon: Float, _ builder: inout GraphBuilder
) throws -> [ValueName?] {
  let (x, scale, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
  let shape = try builder.shape(x)
  let rows = [shape[0], groups, shape.elementCount / Swift.max(1, shape[0] * groups)]
  // A scale for each channel broadcasts to x, one for each group to the rows.
  let isPerChannel = try builder.shape(scale) == [shape[1]]
  let form = isPerChannel ? shape : rows
  let own = [form[1]] + form.dropFirst(2).map { _ in 1 }
  let g = try builder.reshape(upstream, form)
  let normalized = try NormalizedForm(builder.reshape(x, rows), epsilon: epsilon, &builder) {
    try $1.reduceMean($0, [2])
  }
  var gradients: [ValueName?] = [nil, nil, nil]
  if site.wants(0) {
    let scaled = try builder.product(g, builder.reshape(scale, own))
    gradients[0] = try builder.reshape(
      normalized.gradient(builder.reshape(scaled, rows), &builder), shape)
  }
  if site.wants(1) {
    let terms = try builder.product(g, builder.reshape(normalized.normalized, form))
    gradients[1] = try builder.reshape(builder.sum(terms, to: own), builder.shape(scale))
  }
  if site.wants(2) {
    gradients[2] = try builder.reshape(builder.sum(g, to: own), builder.shape(site.input(2)))
  }
  return gradients
}

extension LRN: DifferentiableOperator {
  /// With d = bias + alpha / size · Σ x²: ∂x = g · d^(−beta) − 2 · alpha · beta / size · x · Σ g · y / d, the second sum
  /// over the channels whose window holds this one.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, y, upstream) = (try site.input(0), try site.output(), try site.upstreamOfFirst())
    let squares = try channelMeans(builder.product(x, x), before: (size - 1) / 2, &builder)
    let divisor = try builder.sum(builder.product(squares, alpha), bias)
    let power = try builder.add(Pow(), divisor, builder.scalar(-beta, as: x))
    let shares = try channelMeans(
      builder.quotient(builder.product(upstream, y), divisor), before: size / 2, &builder)
    let others = try builder.product(builder.product(x, shares), 2 * alpha * beta)
    return [try builder.difference(builder.product(upstream, power), others)]
  }

  /// Sums of `size` neighbouring channels divided by `size`, from `before` channels ahead of each.
  private func channelMeans(
    _ value: ValueName, before: Int, _ builder: inout GraphBuilder
  ) throws -> ValueName {
    let shape = try builder.shape(value)
    let window = WindowAttributes(kernel: [size, 1], pads: [before, 0, size - 1 - before, 0])
    let plane = try builder.reshape(value, [shape[0], 1, shape[1], shape.dropFirst(2).reduce(1, *)])
    let means = try builder.add(AveragePool(window: window, includesPadding: true), plane)
    return try builder.reshape(means, shape)
  }
}
