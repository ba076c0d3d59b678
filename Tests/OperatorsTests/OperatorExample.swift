import Graph
import Operators
import Tensors

/// An operator applied to operands, with what must come out.
struct OperatorExample: Sendable, CustomStringConvertible {
  var op: any Operator
  var inputs: [Tensor?]
  /// One per output asked for; `nil` where only inference and execution are compared.
  var expected: [Tensor?]

  init(_ op: any Operator, _ inputs: [Tensor?], _ expected: [Tensor?] = [nil]) {
    self.op = op
    self.inputs = inputs
    self.expected = expected
  }

  var name: OperatorName { type(of: op).name }
  var description: String {
    let operands = inputs.map { $0.map { "\($0.type.name) \($0.shape.shapeText)" } ?? "absent" }
    return "\(name.text)(\(operands.joined(separator: ", ")))"
  }

  func run() throws -> [Tensor] {
    try op.evaluate(inputs, outputs: expected.count, context: EvaluationContext())
  }

  static let all: [OperatorExample] =
    (try? elementwise() + arithmetic() + reductions() + products() + constants() + control() + simulation()
      + gradients()) ?? []
}

func floats(_ values: [Float], _ shape: Shape? = nil) -> Tensor {
  Tensor(values, shape: shape ?? [values.count])
}
func ints(_ values: [Int], _ shape: Shape? = nil, _ type: ElementType = .int64) -> Tensor {
  Tensor(integers: values, shape: shape ?? [values.count], type: type)
}
func bools(_ values: [Bool], _ shape: Shape? = nil) -> Tensor {
  Tensor(values, shape: shape ?? [values.count])
}

/// Whether two tensors hold the same numbers, NaN equal to NaN, floats within a relative 1e-5.
func isClose(_ a: Tensor, _ b: Tensor) -> Bool {
  guard a.type == b.type, a.shape == b.shape else { return false }
  if a.type.isInteger || a.type == .bool { return a.integers == b.integers }
  return zip(a.doubles, b.doubles).allSatisfy { x, y in
    x == y || x.isNaN && y.isNaN || (x - y).magnitude <= 1e-6 + 1e-5 * y.magnitude
  }
}
