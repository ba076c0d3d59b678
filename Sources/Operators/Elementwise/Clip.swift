import Graph
import Tensors

/// x kept between a lower and an upper bound; the upper wins where they cross.
///
/// - Inputs: x, a number type; min and max, scalars, each optional. Output: y, as x.
package struct Clip: PlainOperator, ElementwiseOperator {
  package static let name = OperatorName("Clip", since: 11)
  package init() {}

  /// Before opset 11 the bounds were attributes.
  package static let upgrades: [Upgrade] = [
    .before(11) { node, rewrite in
      let lower = try node.attributes.realIfPresent("min") ?? -Float.greatestFiniteMagnitude
      let upper = try node.attributes.realIfPresent("max") ?? Float.greatestFiniteMagnitude
      node.attributes = [:]
      node.inputs = [
        node.inputs.first ?? nil, rewrite.add(constant: Tensor(scalar: lower), "min"),
        rewrite.add(constant: Tensor(scalar: upper), "max"),
      ]
    }
  ]

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    try x.require("input", \.isNumber, "a number type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    let bounds = ClipBounds(
      x: x.computing, lower: try bound(inputs, 1, "min"), upper: try bound(inputs, 2, "max"))
    return [try bounds.clamped().converted(to: x.type)]
  }

  private func bound(_ inputs: [Tensor?], _ index: Int, _ name: String) throws -> Tensor? {
    guard let bound = inputs.optional(index), bound.count > 0 else { return nil }
    guard bound.count == 1 else {
      throw OperatorError("input \(name) has \(bound.count) elements, expected a scalar")
    }
    return bound
  }
}

private struct ClipBounds {
  let x: Tensor
  let lower, upper: Tensor?

  func clamped() throws -> Tensor {
    switch x.type {
    case .float32: clamp(Float.self)
    case .float64: clamp(Double.self)
    case .int8: clamp(Int8.self)
    case .int16: clamp(Int16.self)
    case .int32: clamp(Int32.self)
    case .int64: clamp(Int64.self)
    case .uint8: clamp(UInt8.self)
    case .uint16: clamp(UInt16.self)
    case .uint32: clamp(UInt32.self)
    case .uint64: clamp(UInt64.self)
    default: throw OperatorError("input is \(x.type.name), expected a number type")
    }
  }

  private func clamp<T: NumericElement & Comparable>(_ type: T.Type) -> Tensor {
    let lowest = lower.map { $0.converted(to: x.type).array(of: T.self)[0] }
    let highest = upper.map { $0.converted(to: x.type).array(of: T.self)[0] }
    return mapElements(x, by: Clamp(lowest: lowest, highest: highest))
  }
}

private struct Clamp<T: NumericElement & Comparable>: ElementOperation {
  let lowest, highest: T?

  func apply(_ x: T) -> T {
    var y = x
    if let lowest, y < lowest { y = lowest }
    if let highest, y > highest { y = highest }
    return y
  }
}

extension Clip: ActivationOperator {
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? {
    var bounds: [Float?] = [nil, nil]
    for index in [1, 2] {
      guard let operand = inputs.optional(index) else { continue }
      guard let constant = operand.constant, constant.count <= 1 else { return nil }
      bounds[index - 1] = constant.floats.first
    }
    let (lower, upper) = (bounds[0] ?? -.infinity, bounds[1] ?? .infinity)
    return lower <= upper ? .clamp(lower: lower, upper: upper) : nil
  }
}

/// x where x ≥ 0, else slope · x.
///
/// - Inputs: X, a number type; slope, of the same type, broadcast to the shape of X. Output: Y, as X.
package struct PRelu: PlainOperator, ElementwiseOperator {
  package static let name = OperatorName("PRelu", since: 9)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (x, slope) = (try inputs.required(0, "X"), try inputs.required(1, "slope"))
    try x.require("X", \.isNumber, "a number type")
    try requireSameType(x.type, slope.type)
    if let shape = x.shape, let joined = try broadcastShapes([x.shape, slope.shape]), joined != shape {
      throw OperatorError("slope does not broadcast to shape \(shape.shapeText) of X")
    }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [try Slope().evaluate(try inputs.required(0, "X"), try inputs.required(1, "slope"))]
  }

  /// The function of x and its slope, for the loops of arithmetic.
  private struct Slope: ArithmeticFunction, PlainOperator {
    static let name = PRelu.name
    func value<T: RealElement>(_ a: T, _ b: T) -> T { a < 0 ? a * b : a }
    func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a < 0 ? a &* b : a }
  }
}

extension Clip: DifferentiableOperator {
  /// The bounds must be known, and have no gradient.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let operands = site.node.inputs.map { $0.flatMap { builder.infos[$0] } }
    guard case .clamp(let lower, let upper)? = encodingRule(operands) else {
      throw OperatorError("the bounds are computed, and have no gradient here (expected constants)")
    }
    let gradient = try builder.add(
      ClampGradient(lower: lower, upper: upper), site.output(), site.upstreamOfFirst())
    return [gradient] + site.node.inputs.dropFirst().map { _ in nil }
  }
}

extension PRelu: DifferentiableOperator {
  /// ∂x = g, times the slope where x < 0; ∂slope sums g · x there.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, slope, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
    let above = try builder.add(ClampGradient(lower: 0, upper: .infinity), x, upstream)
    let below = try builder.difference(upstream, above)
    return [
      site.wants(0) ? try builder.sum(above, builder.product(below, slope)) : nil,
      site.wants(1) ? try builder.sum(builder.product(below, x), to: builder.shape(slope)) : nil,
    ]
  }
}
