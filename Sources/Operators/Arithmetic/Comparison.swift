import Graph
import Tensors

/// A question about two elements of one type, with broadcasting.
///
/// - Inputs: A, B, of one type. Output: C, `bool`, of the shape both broadcast to.
package protocol ComparisonFunction: PlainOperator, Lowerable {
  func value<T: Comparable>(_ a: T, _ b: T) -> Bool
  /// Whether truth values can be compared.
  static var takesBooleans: Bool { get }
}

extension ComparisonFunction {
  package static var takesBooleans: Bool { false }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try requireSameType(a.type, b.type)
    try a.require("A", { $0.isNumber || Self.takesBooleans }, "a number type")
    return [OperandInfo(type: .bool, shape: try broadcastShapes([a.shape, b.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try requireSameType(a.type, b.type)
    guard let shape = try broadcastShapes([a.shape, b.shape]) else { return [a] }
    let (x, y) = (
      a.type == .bool ? a.reinterpreted(as: .uint8) : a.computing,
      b.type == .bool ? b.reinterpreted(as: .uint8) : b.computing
    )
    switch x.type {
    case .float32: return [mapPairs(x, y, shape: shape, by: Question<Self, Float>(function: self))]
    case .float64: return [mapPairs(x, y, shape: shape, by: Question<Self, Double>(function: self))]
    case .int8: return [mapPairs(x, y, shape: shape, by: Question<Self, Int8>(function: self))]
    case .int16: return [mapPairs(x, y, shape: shape, by: Question<Self, Int16>(function: self))]
    case .int32: return [mapPairs(x, y, shape: shape, by: Question<Self, Int32>(function: self))]
    case .int64: return [mapPairs(x, y, shape: shape, by: Question<Self, Int64>(function: self))]
    case .uint8: return [mapPairs(x, y, shape: shape, by: Question<Self, UInt8>(function: self))]
    case .uint16: return [mapPairs(x, y, shape: shape, by: Question<Self, UInt16>(function: self))]
    case .uint32: return [mapPairs(x, y, shape: shape, by: Question<Self, UInt32>(function: self))]
    default: return [mapPairs(x, y, shape: shape, by: Question<Self, UInt64>(function: self))]
    }
  }
}

private struct Question<F: ComparisonFunction, T: TensorElement & Comparable>: PairOperation {
  let function: F
  func apply(_ a: T, _ b: T) -> Bool { function.value(a, b) }
}

/// A = B; also of truth values.
package struct Equal: ComparisonFunction {
  package static let name = OperatorName("Equal", since: 13)
  package static var takesBooleans: Bool { true }
  package init() {}
  package func value<T: Comparable>(_ a: T, _ b: T) -> Bool { a == b }
}

/// A < B.
package struct Less: ComparisonFunction {
  package static let name = OperatorName("Less", since: 13)
  package init() {}
  package func value<T: Comparable>(_ a: T, _ b: T) -> Bool { a < b }
}

/// A ≤ B.
package struct LessOrEqual: ComparisonFunction {
  package static let name = OperatorName("LessOrEqual", since: 16)
  package init() {}
  package func value<T: Comparable>(_ a: T, _ b: T) -> Bool { a <= b }
}

/// A > B.
package struct Greater: ComparisonFunction {
  package static let name = OperatorName("Greater", since: 13)
  package init() {}
  package func value<T: Comparable>(_ a: T, _ b: T) -> Bool { a > b }
}

/// A ≥ B.
package struct GreaterOrEqual: ComparisonFunction {
  package static let name = OperatorName("GreaterOrEqual", since: 16)
  package init() {}
  package func value<T: Comparable>(_ a: T, _ b: T) -> Bool { a >= b }
}
