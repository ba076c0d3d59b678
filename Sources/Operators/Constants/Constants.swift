import Graph
import Tensors

/// A tensor that the file holds in the node.
package struct Constant: Operator {
  package static let name = OperatorName("Constant", since: 13)
  package let value: Tensor

  package init(_ value: Tensor) { self.value = value }

  package init(attributes: Attributes) throws {
    if let tensor = attributes.tensor("value") {
      value = tensor
    } else if let x = attributes.float("value_float") {
      value = Tensor(scalar: x)
    } else if let x = attributes.floats("value_floats") {
      value = Tensor(x, shape: [x.count])
    } else if let x = attributes.int("value_int") {
      value = Tensor(scalar: Int64(x))
    } else if let x = attributes.ints("value_ints") {
      value = Tensor(integers: x, shape: [x.count])
    } else {
      let kind = attributes.keys.sorted().first.map { "attribute \"\($0)\"" } ?? "no attribute"
      throw OperatorError("a constant with \(kind), expected value, value_float(s) or value_int(s)")
    }
  }

  package var attributes: Attributes { ["value": .tensor(value)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [OperandInfo(type: value.type, shape: value.shape, constant: value)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [value]
  }
}

/// A tensor of a computed shape that holds one value everywhere.
///
/// - Input: the shape, int64 `[rank]`. Output: the type of the value; float32 zeros where none is given.
package struct ConstantOfShape: Operator {
  package static let name = OperatorName("ConstantOfShape", since: 9)
  /// One element.
  package let value: Tensor

  package init(attributes: Attributes) throws {
    value = attributes.tensor("value") ?? Tensor(scalar: Float(0))
    guard value.count == 1 else {
      throw OperatorError("attribute \"value\" has \(value.count) elements, expected one")
    }
  }

  package var attributes: Attributes { ["value": .tensor(value)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let shape = try inputs.required(0, "input")
    try shape.require("input", { $0 == .int64 }, "int64")
    return [OperandInfo(type: value.type, shape: try shape.constant.map { try checked($0.integers) })]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let shape = try checked(try inputs.required(0, "input").integers)
    return [value.reshaped([]).broadcast(to: shape)]
  }
}

/// The shape of its input, or the part of it from `start` to `end`.
///
/// - Input: any type. Output: int64 `[end − start]`.
package struct ShapeOf: Operator {
  package static let name = OperatorName("Shape", since: 15)
  package let start: Int
  package let end: Int?

  package init(attributes: Attributes) throws {
    start = try attributes.integer("start", default: 0)
    end = try attributes.integerIfPresent("end")
  }

  /// Only what differs from the default: before opset 15 there was no part.
  package var attributes: Attributes {
    var result: Attributes = [:]
    if start != 0 { result["start"] = .int(start) }
    if let end { result["end"] = .int(end) }
    return result
  }

  private func part(_ shape: Shape) -> Tensor {
    func clamp(_ position: Int) -> Int {
      min(max(position < 0 ? position + shape.count : position, 0), shape.count)
    }
    let from = clamp(start)
    let sizes = Array(shape[from..<max(from, clamp(end ?? shape.count))])
    return Tensor(integers: sizes, shape: [sizes.count])
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    guard let shape = try inputs.required(0, "data").shape else {
      return [OperandInfo(type: .int64, shape: nil)]
    }
    let part = part(shape)
    return [OperandInfo(type: .int64, shape: part.shape, constant: part)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [part(try inputs.required(0, "data").shape)]
  }
}

/// The number of elements of its input, int64 scalar.
package struct Size: PlainOperator {
  package static let name = OperatorName("Size", since: 13)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let count = try inputs.required(0, "data").shape?.elementCount
    return [OperandInfo(type: .int64, shape: [], constant: count.map { Tensor(scalar: Int64($0)) })]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [Tensor(scalar: Int64(try inputs.required(0, "data").count))]
  }
}

/// Numbers from start up to, not including, limit, delta apart.
///
/// - Inputs: start, limit, delta, scalars of one number type. Output: `[max(⌈(limit − start) / delta⌉, 0)]`.
package struct RangeOf: PlainOperator {
  package static let name = OperatorName("Range", since: 11)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let operands = try ["start", "limit", "delta"].enumerated().map { try inputs.required($0, $1) }
    try operands[0].require("start", \.isNumber, "a number type")
    for operand in operands { try requireSameType(operands[0].type, operand.type) }
    let known = operands.compactMap(\.constant)
    guard known.count == 3 else { return [OperandInfo(type: operands[0].type, shape: nil)] }
    return [OperandInfo(type: operands[0].type, shape: [try count(known)])]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try ["start", "limit", "delta"].enumerated().map { try inputs.required($0, $1) }
    let count = try count(operands)
    let type = operands[0].type
    if type.isInteger {
      let (start, delta) = (operands[0].integers[0], operands[2].integers[0])
      return [Tensor(integers: (0..<count).map { start &+ $0 &* delta }, shape: [count], type: type)]
    }
    let (start, delta) = (operands[0].doubles[0], operands[2].doubles[0])
    return [Tensor(doubles: (0..<count).map { start + Double($0) * delta }, shape: [count], type: type)]
  }

  private func count(_ operands: [Tensor]) throws -> Int {
    guard operands.allSatisfy({ $0.count == 1 }) else { throw OperatorError("inputs must be scalars") }
    let values = operands.map { $0.doubles[0] }
    guard values[2] != 0 else { throw OperatorError("input delta is 0") }
    let count = ((values[1] - values[0]) / values[2]).rounded(.up)
    guard count < 0x1p31 else { throw OperatorError("a range of \(count) elements is too large") }
    return Int(max(count, 0))
  }
}

/// Ones on a diagonal, zeros elsewhere.
///
/// - Input: a matrix, of which only shape and type count. Output: its shape; type `dtype`, else its own.
package struct EyeLike: Operator {
  package static let name = OperatorName("EyeLike", since: 9)
  package let type: ElementType?
  /// Diagonals above the main one, below it where negative.
  package let diagonal: Int

  package init(attributes: Attributes) throws {
    type = try attributes.elementTypeIfSet("dtype")
    diagonal = try attributes.integer("k", default: 0)
  }

  package var attributes: Attributes {
    var result: Attributes = ["k": .int(diagonal)]
    if let type { result["dtype"] = .int(type.rawValue) }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    if let shape = x.shape, shape.count != 2 {
      throw OperatorError("input has shape \(shape.shapeText), expected two axes")
    }
    return [OperandInfo(type: type ?? x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    guard x.rank == 2 else { throw OperatorError("input has shape \(x.shape.shapeText), expected two axes") }
    let ones = Tensor(of: Float.self, shape: x.shape) { out in
      for row in 0..<x.shape[0] where (0..<x.shape[1]).contains(row + diagonal) {
        out[row * x.shape[1] + row + diagonal] = 1
      }
    }
    return [ones.converted(to: type ?? x.type)]
  }
}
