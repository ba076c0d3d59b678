import Graph
import Operators
import Tensors
import Testing

/// The same function on every element type it takes.
struct ElementTypeTests {
  static let functions: [any UnaryFunction] = OperatorExample.all.compactMap { $0.op as? any UnaryFunction }
  static let arithmetic: [any ArithmeticFunction] = OperatorExample.all.compactMap {
    $0.op as? any ArithmeticFunction
  }
  static let context = EvaluationContext()

  @Test(arguments: functions)
  func smallFloatsRoundWhatFloatsCompute(_ op: any UnaryFunction) throws {
    let values: [Float] = [0.5, 1, 1.5, 2, 3]
    let exact = try op.evaluate([floats(values)], outputs: 1, context: Self.context)[0]
    for type in ElementType.allCases where type.isFloatingPoint && type != .float8e8m0 {
      let x = Tensor(floats: values, shape: [5], type: type)
      let y = try op.evaluate([x], outputs: 1, context: Self.context)[0]
      #expect(y.type == type)
      if type == .float64 {
        #expect(isClose(y.converted(to: .float32), exact))
      } else {
        #expect(
          zip(y.floats, exact.converted(to: type).floats).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
      }
    }
    #expect(throws: OperatorError.self) {
      try op.evaluate([bools([true])], outputs: 1, context: Self.context)
    }
  }

  /// No pair of extreme integers may trap, and what is exact in Double is right.
  @Test(arguments: arithmetic)
  func integersNeverTrap(_ op: any ArithmeticFunction) throws {
    for type in ElementType.allCases where type.isInteger {
      let top = type.bits == 64 ? Int.max : (1 << (type.isSignedInteger ? type.bits - 1 : type.bits)) - 1
      let lowest = type.isSignedInteger ? -top - 1 : 0
      let values = Set([lowest, lowest + 1, 0, 1, top - 1, top]).sorted()
      let a = Tensor(integers: values, shape: [values.count, 1], type: type)
      let b = Tensor(integers: values, shape: [values.count], type: type)
      let y = try op.evaluate([a, b], outputs: 1, context: Self.context)[0]
      #expect(y.type == type && y.shape == [values.count, values.count])
      guard type.bits <= 16, op is Add || op is Mul else { continue }
      let expected = values.flatMap { x in values.map { op is Add ? x + $0 : x * $0 } }
      #expect(y.integers == Tensor(integers: expected, shape: y.shape, type: type).integers)
    }
  }

  @Test func mixedTypesAreAnError() {
    let operands: [OperandInfo?] = [
      OperandInfo(type: .float32, shape: [2]), OperandInfo(type: .int32, shape: [2]),
    ]
    #expect(throws: OperatorError("inputs are float32 and int32, expected one type for both")) {
      try Add().infer(operands, outputs: 1)
    }
  }

  @Test func shapesThatDoNotBroadcastAreAnError() {
    #expect(throws: OperatorError("shapes 2x3 and 2 do not broadcast to one")) {
      try Add().evaluate(
        [floats([1, 2, 3, 4, 5, 6], [2, 3]), floats([1, 2])], outputs: 1, context: Self.context)
    }
  }
}
