import Graph
import Tensors

extension Array where Element == Int {
  /// Axes of this shape counted from the front, each at most once.
  func axes(_ axes: [Int]) throws -> [Int] {
    let positive = try axes.map { try axis($0) }
    guard Set(positive).count == positive.count else {
      throw OperatorError("an axis is named twice (found \(axes)).")
    }
    return positive
  }
}

/// Throws unless `type` is one of the types an operator accepts.
func expect(_ type: ElementType, in types: Set<ElementType>, _ label: String) throws {
  guard types.contains(type) else {
    let expected = types.map(\.name).sorted().joined(separator: ", ")
    throw OperatorError("\(label) is \(type.name) (expected \(expected)).")
  }
}

/// Throws unless the rank of `shape` is in bounds.
func expect(rank: Int, atMost: Int? = nil, of shape: Shape, _ label: String) throws {
  guard shape.count >= rank, shape.count <= atMost ?? .max else {
    let expected =
      atMost == nil ? "at least \(rank)" : atMost == rank ? "\(rank)" : "\(rank) to \(atMost ?? 0)"
    throw OperatorError(
      "\(label) has rank \(shape.count), shape \(shape.shapeText) (expected rank \(expected)).")
  }
}

/// Types of real numbers that layers compute with.
let realTypes: Set<ElementType> = [.float32, .float64, .float16, .bfloat16]

/// The shape, unless it is negative somewhere or larger than any operand can be: files can ask for anything.
func checked(_ shape: Shape) throws -> Shape {
  guard let count = shape.checkedElementCount, count <= 1 << 29 else {
    throw OperatorError(
      "the output would have shape \(shape.shapeText), which is impossibly large or negative.")
  }
  return shape
}
