import Graph
import Tensors

extension Array {
  /// The operand at `index`, which the operator cannot do without.
  func required<Operand>(_ index: Int, _ name: String) throws -> Operand where Element == Operand? {
    guard index < count, let operand = self[index] else { throw OperatorError("input \(name) is missing") }
    return operand
  }

  /// The operand at `index`, `nil` where it is left out.
  func optional<Operand>(_ index: Int) -> Operand? where Element == Operand? {
    index < count ? self[index] : nil
  }
}

extension OperandInfo {
  /// Throws when the type is not one the operator knows.
  func require(_ name: String, _ isAllowed: (ElementType) -> Bool, _ expected: String) throws {
    guard isAllowed(type) else { throw OperatorError("input \(name) is \(type.name), expected \(expected)") }
  }
}

/// Throws when two operands that share a type do not.
func requireSameType(_ a: ElementType, _ b: ElementType) throws {
  guard a == b else { throw OperatorError("inputs are \(a.name) and \(b.name), expected one type for both") }
}

/// The shape operands broadcast to; `nil` when one of theirs is unknown.
func broadcastShapes(_ shapes: [Shape?]) throws -> Shape? {
  var result: Shape = []
  for shape in shapes {
    guard let shape else { return nil }
    guard let joined = broadcastShape(result, shape) else {
      throw OperatorError("shapes \(result.shapeText) and \(shape.shapeText) do not broadcast to one")
    }
    result = joined
  }
  return try checked(result)
}

extension Array where Element == Int {
  /// The axis counted from the front; an error names the range where it is outside.
  func axis(_ axis: Int) throws -> Int {
    guard let result = normalizedAxis(axis) else {
      throw OperatorError("axis \(axis) is outside the \(count) axes of shape \(shapeText)")
    }
    return result
  }
}

extension Attributes {
  func required<T>(_ name: String, _ value: T?) throws -> T {
    if let value { return value }
    throw OperatorError(
      self[name] == nil ? "attribute \"\(name)\" is missing" : "attribute \"\(name)\" is of the wrong kind")
  }
}

/// An operator without attributes.
package protocol PlainOperator: Operator {
  init()
}

extension PlainOperator {
  package init(attributes: Attributes) throws { self.init() }
  package var attributes: Attributes { [:] }
}
