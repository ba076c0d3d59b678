import Graph
import Tensors

/// A function of two numbers of one type, with broadcasting; integers wrap.
///
/// - Inputs: A, B, numbers of one type, broadcast to one shape. Output: C, that type and shape.
package protocol ArithmeticFunction: Lowerable {
  func value<T: RealElement>(_ a: T, _ b: T) -> T
  func value<T: IntegerElement>(_ a: T, _ b: T) -> T
}

extension ArithmeticFunction {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try a.require("A", \.isNumber, "a number type")
    try requireSameType(a.type, b.type)
    return [OperandInfo(type: a.type, shape: try broadcastShapes([a.shape, b.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [try evaluate(try inputs.required(0, "A"), try inputs.required(1, "B"))]
  }

  /// The function of two tensors of one type.
  func evaluate(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try requireSameType(a.type, b.type)
    guard let shape = try broadcastShapes([a.shape, b.shape]) else { return a }
    let (x, y) = (a.computing, b.computing)
    let result: Tensor
    switch x.type {
    case .float32: result = mapPairs(x, y, shape: shape, by: RealPair<Self, Float>(function: self))
    case .float64: result = mapPairs(x, y, shape: shape, by: RealPair<Self, Double>(function: self))
    case .int8: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, Int8>(function: self))
    case .int16: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, Int16>(function: self))
    case .int32: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, Int32>(function: self))
    case .int64: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, Int64>(function: self))
    case .uint8: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, UInt8>(function: self))
    case .uint16: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, UInt16>(function: self))
    case .uint32: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, UInt32>(function: self))
    case .uint64: result = mapPairs(x, y, shape: shape, by: IntegerPair<Self, UInt64>(function: self))
    default: throw OperatorError("input A is \(a.type.name), expected a number type")
    }
    return result.converted(to: a.type)
  }
}

private struct RealPair<F: ArithmeticFunction, T: RealElement>: PairOperation {
  let function: F
  func apply(_ a: T, _ b: T) -> T { function.value(a, b) }
}

private struct IntegerPair<F: ArithmeticFunction, T: IntegerElement>: PairOperation {
  let function: F
  func apply(_ a: T, _ b: T) -> T { function.value(a, b) }
}

/// A + B.
package struct Add: ArithmeticFunction, PlainOperator {
  package static let name = OperatorName("Add", since: 14)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a + b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a &+ b }
}

/// A − B.
package struct Sub: ArithmeticFunction, PlainOperator {
  package static let name = OperatorName("Sub", since: 14)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a - b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a &- b }
}

/// A · B.
package struct Mul: ArithmeticFunction, PlainOperator {
  package static let name = OperatorName("Mul", since: 14)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a * b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a &* b }
}

/// A / B; integers drop the fraction, and division of an integer by zero is 0.
package struct Div: ArithmeticFunction, PlainOperator {
  package static let name = OperatorName("Div", since: 14)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a / b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T {
    b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
  }
}

/// The remainder of A / B: with the sign of B, or of A when `isTruncated` (C's fmod).
package struct Mod: ArithmeticFunction {
  package static let name = OperatorName("Mod", since: 13)
  package let isTruncated: Bool

  package init(attributes: Attributes) throws { isTruncated = try attributes.isSet("fmod") }
  package var attributes: Attributes { ["fmod": .int(isTruncated ? 1 : 0)] }

  package func value<T: RealElement>(_ a: T, _ b: T) -> T {
    let remainder = T.remainderOfTruncation(a, b)
    return !isTruncated && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
  }

  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T {
    guard b != 0 else { return 0 }
    let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
    return !isTruncated && remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder
  }
}

extension OperandInfo {
  /// Whether this is an activation: float32 numbers that are not known before the model runs.
  var isActivation: Bool { type == .float32 && constant == nil }
}

/// The rule for an operator that combines two activations into an output of its own scale.
private func ownOutputOfActivations(_ inputs: [OperandInfo?]) -> EncodingRule? {
  inputs.count == 2 && inputs.allSatisfy { $0?.isActivation ?? false } ? .ownOutput : nil
}

extension Add: ActivationOperator {
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { ownOutputOfActivations(inputs) }
}

extension Sub: ActivationOperator {
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { ownOutputOfActivations(inputs) }
}

extension Mul: ActivationOperator {
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { ownOutputOfActivations(inputs) }
}

extension GradientSite {
  /// The gradients of two broadcast operands from their gradients in the result's shape.
  fileprivate func pair(
    _ builder: inout GraphBuilder, _ ofA: (inout GraphBuilder) throws -> ValueName,
    _ ofB: (inout GraphBuilder) throws -> ValueName
  ) throws -> [ValueName?] {
    let (a, b) = (try input(0), try input(1))
    return [
      wants(0) ? try builder.sum(ofA(&builder), to: builder.shape(a)) : nil,
      wants(1) ? try builder.sum(ofB(&builder), to: builder.shape(b)) : nil,
    ]
  }
}

extension Add: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try site.upstreamOfFirst()
    return try site.pair(&builder) { _ in
      upstream
    } _: { _ in
      upstream
    }
  }
}

extension Sub: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try site.upstreamOfFirst()
    return try site.pair(&builder) { _ in
      upstream
    } _: {
      try $0.negative(upstream)
    }
  }
}

extension Mul: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (a, b, upstream) = (try site.input(0), try site.input(1), try site.upstreamOfFirst())
    return try site.pair(&builder) {
      try $0.product(upstream, b)
    } _: {
      try $0.product(upstream, a)
    }
  }
}

extension Div: DifferentiableOperator {
  /// ∂a = g / b, ∂b = −g · y / b.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (b, y, upstream) = (try site.input(1), try site.output(), try site.upstreamOfFirst())
    return try site.pair(&builder) {
      try $0.quotient(upstream, b)
    } _: {
      try $0.negative($0.quotient($0.product(upstream, y), b))
    }
  }
}
