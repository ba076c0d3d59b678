import Graph
import Tensors

/// A function of the bits of two integers or truth values of one type, with broadcasting.
///
/// - Inputs: A, B, of one type. Output: C, that type, of the shape both broadcast to.
package protocol BitFunction: PlainOperator, Lowerable {
  func value<T: ElementWord>(_ a: T, _ b: T) -> T
  /// Truth values for the logical operators, integers for the bitwise ones.
  static var isLogical: Bool { get }
}

extension BitFunction {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try requireSameType(a.type, b.type)
    try a.require(
      "A", { Self.isLogical ? $0 == .bool : $0.isInteger }, Self.isLogical ? "bool" : "an integer type")
    return [OperandInfo(type: a.type, shape: try broadcastShapes([a.shape, b.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try requireSameType(a.type, b.type)
    guard let shape = try broadcastShapes([a.shape, b.shape]) else { return [a] }
    let (x, y) = (a.words, b.words)
    let result: Tensor
    switch x.type {
    case .uint8: result = mapPairs(x, y, shape: shape, by: BitPair<Self, UInt8>(function: self))
    case .uint16: result = mapPairs(x, y, shape: shape, by: BitPair<Self, UInt16>(function: self))
    case .uint32: result = mapPairs(x, y, shape: shape, by: BitPair<Self, UInt32>(function: self))
    default: result = mapPairs(x, y, shape: shape, by: BitPair<Self, UInt64>(function: self))
    }
    return [Tensor(words: result, type: a.type)]
  }
}

private struct BitPair<F: BitFunction, W: ElementWord>: PairOperation {
  let function: F
  func apply(_ a: W, _ b: W) -> W { function.value(a, b) }
}

/// Whether both are true.
package struct And: BitFunction {
  package static let name = OperatorName("And", since: 7)
  package static var isLogical: Bool { true }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a & b }
}

/// Whether one is true.
package struct Or: BitFunction {
  package static let name = OperatorName("Or", since: 7)
  package static var isLogical: Bool { true }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a | b }
}

/// Whether exactly one is true.
package struct Xor: BitFunction {
  package static let name = OperatorName("Xor", since: 7)
  package static var isLogical: Bool { true }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a ^ b }
}

/// The bits set in both.
package struct BitwiseAnd: BitFunction {
  package static let name = OperatorName("BitwiseAnd", since: 18)
  package static var isLogical: Bool { false }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a & b }
}

/// The bits set in one.
package struct BitwiseOr: BitFunction {
  package static let name = OperatorName("BitwiseOr", since: 18)
  package static var isLogical: Bool { false }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a | b }
}

/// The bits set in exactly one.
package struct BitwiseXor: BitFunction {
  package static let name = OperatorName("BitwiseXor", since: 18)
  package static var isLogical: Bool { false }
  package init() {}
  package func value<T: ElementWord>(_ a: T, _ b: T) -> T { a ^ b }
}

/// X shifted by Y bits; bits that leave are lost.
///
/// - Inputs: X, Y, unsigned integers of one type, broadcast. Output: that type.
package struct BitShift: Operator {
  package static let name = OperatorName("BitShift", since: 11)
  package let isLeft: Bool

  package init(attributes: Attributes) throws {
    switch try attributes.required("direction", attributes.string("direction")) {
    case "LEFT": isLeft = true
    case "RIGHT": isLeft = false
    case let other: throw OperatorError("attribute \"direction\" is \"\(other)\", expected LEFT or RIGHT")
    }
  }

  package var attributes: Attributes { ["direction": .string(isLeft ? "LEFT" : "RIGHT")] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (x, y) = (try inputs.required(0, "X"), try inputs.required(1, "Y"))
    try requireSameType(x.type, y.type)
    try x.require("X", \.isUnsignedInteger, "an unsigned integer type")
    return [OperandInfo(type: x.type, shape: try broadcastShapes([x.shape, y.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (x, y) = (try inputs.required(0, "X"), try inputs.required(1, "Y"))
    guard let shape = try broadcastShapes([x.shape, y.shape]) else { return [x] }
    switch x.type {
    case .uint8: return [mapPairs(x, y, shape: shape) { (a: UInt8, b: UInt8) in isLeft ? a << b : a >> b }]
    case .uint16: return [mapPairs(x, y, shape: shape) { (a: UInt16, b: UInt16) in isLeft ? a << b : a >> b }]
    case .uint32: return [mapPairs(x, y, shape: shape) { (a: UInt32, b: UInt32) in isLeft ? a << b : a >> b }]
    case .uint64: return [mapPairs(x, y, shape: shape) { (a: UInt64, b: UInt64) in isLeft ? a << b : a >> b }]
    default: throw OperatorError("input X is \(x.type.name), expected an unsigned integer type")
    }
  }
}

/// Every truth value turned around.
package struct Not: PlainOperator {
  package static let name = OperatorName("Not", since: 1)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", { $0 == .bool }, "bool")
    return [OperandInfo(type: .bool, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [mapElements(try inputs.required(0, "X")) { (x: Bool) in !x }]
  }
}

/// Every bit turned around.
package struct BitwiseNot: PlainOperator {
  package static let name = OperatorName("BitwiseNot", since: 18)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isInteger, "an integer type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    let words = x.words
    let result: Tensor
    switch words.type {
    case .uint8: result = mapElements(words) { (x: UInt8) in ~x }
    case .uint16: result = mapElements(words) { (x: UInt16) in ~x }
    case .uint32: result = mapElements(words) { (x: UInt32) in ~x }
    default: result = mapElements(words) { (x: UInt64) in ~x }
    }
    return [Tensor(words: result, type: x.type)]
  }
}
