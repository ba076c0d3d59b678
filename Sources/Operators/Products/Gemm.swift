import Graph
import Tensors

/// α · A′ · B′ + β · C, where ′ transposes as the attributes say.
///
/// - Inputs: A `[m, k]` or `[k, m]`; B `[k, n]` or `[n, k]`; C, optional, broadcast to `[m, n]`; numbers of one type.
/// - Output: Y `[m, n]`.
package struct Gemm: Operator {
  package static let name = OperatorName("Gemm", since: 11)
  package let alpha: Float
  package let beta: Float
  package let transposesA: Bool
  package let transposesB: Bool

  package init(alpha: Float = 1, beta: Float = 1, transposesA: Bool = false, transposesB: Bool = false) {
    self.alpha = alpha
    self.beta = beta
    self.transposesA = transposesA
    self.transposesB = transposesB
  }

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1)
    beta = try attributes.real("beta", default: 1)
    transposesA = try attributes.isSet("transA")
    transposesB = try attributes.isSet("transB")
  }

  package var attributes: Attributes {
    [
      "alpha": .float(alpha), "beta": .float(beta), "transA": .int(transposesA ? 1 : 0),
      "transB": .int(transposesB ? 1 : 0),
    ]
  }

  private func shape(_ a: Shape, _ b: Shape, _ c: Shape?) throws -> Shape {
    guard a.count == 2, b.count == 2 else {
      throw OperatorError("A has shape \(a.shapeText) and B \(b.shapeText), expected two axes each")
    }
    let result = try stackShape(transposesA ? a.reversed() : a, transposesB ? b.reversed() : b)
    if let c, broadcastShape(c, result) != result {
      throw OperatorError("C of shape \(c.shapeText) does not broadcast to \(result.shapeText)")
    }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try a.require("A", \.isNumber, "a number type")
    try requireSameType(a.type, b.type)
    if let c = inputs.optional(2) { try requireSameType(a.type, c.type) }
    guard let x = a.shape, let y = b.shape else { return [OperandInfo(type: a.type, shape: nil)] }
    return [OperandInfo(type: a.type, shape: try shape(x, y, inputs.optional(2)?.shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    let c = inputs.optional(2)
    try requireSameType(a.type, b.type)
    _ = try shape(a.shape, b.shape, c?.shape)
    // Smaller floats stay wide until the end, so that the result is rounded once.
    let (x, y) = (a.computing, b.computing)
    var result = try scaled(
      try multiplyStacks(transposesA ? x.movingLast([0]) : x, transposesB ? y.movingLast([0]) : y), alpha)
    if let c { result = try Add().evaluate(result, try scaled(c.computing, beta)) }
    return [result.converted(to: a.type)]
  }

  private func scaled(_ x: Tensor, _ factor: Float) throws -> Tensor {
    if factor == 1 { return x }
    if x.type.isInteger {
      return mapElements(x.converted(to: .float64)) { (x: Double) in x * Double(factor) }.converted(
        to: x.type)
    }
    return try Mul().evaluate(x, Tensor(floats: [factor], shape: [], type: x.type))
  }
}

extension Gemm: WeightedOperator {
  /// A constant B, where nothing scales the product and A is not transposed.
  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
    guard inputs.count >= 2, let a = inputs[0], let b = inputs[1], a.type == .float32, a.constant == nil,
      b.constant != nil, let shape = b.shape, shape.count == 2, alpha == 1, !transposesA
    else { return [] }
    let (channels, features) = transposesB ? (0, 1) : (1, 0)
    var bias: Int?
    if let c = inputs.optional(2) {
      guard beta == 1 else { return [] }
      if c.constant != nil, let size = c.shape, size.elementCount == shape[channels],
        size.last == shape[channels]
      {
        bias = 2
      }
    }
    return [WeightRole(input: 1, bias: bias, activation: 0, channelAxis: channels, featureAxis: features)]
  }

  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    let features = inputs.first.flatMap { $0?.shape?[transposesA ? 0 : 1] } ?? 0
    return (outputs.first?.shape?.elementCount ?? 0) * features
  }
}

extension Gemm: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (a, b, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
    var gradients: [ValueName?] = [nil, nil, nil]
    // With Y = A′B′: ∂A′ = G·B′ᵀ and ∂B′ = A′ᵀ·G, each turned round where the operand was.
    if site.wants(0) {
      gradients[0] =
        transposesA
        ? try builder.add(Gemm(alpha: alpha, transposesA: transposesB, transposesB: true), b, upstream)
        : try builder.add(Gemm(alpha: alpha, transposesB: !transposesB), upstream, b)
    }
    if site.wants(1) {
      gradients[1] =
        transposesB
        ? try builder.add(Gemm(alpha: alpha, transposesA: true, transposesB: transposesA), upstream, a)
        : try builder.add(Gemm(alpha: alpha, transposesA: !transposesA), a, upstream)
    }
    if site.wants(2) {
      let sums = try builder.sum(upstream, to: builder.shape(site.input(2)))
      gradients[2] = try builder.product(sums, beta)
    }
    return Array(gradients.prefix(site.node.inputs.count))
  }
}
