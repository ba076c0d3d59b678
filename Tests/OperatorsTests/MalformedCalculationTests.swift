import Graph
import Operators
import Tensors
import Testing

/// Attributes and operands as a damaged file may hold them: an error, never a trap.
struct MalformedCalculationTests {
  private func evaluate(_ op: any Operator, _ inputs: [Tensor?], outputs: Int = 1) throws -> [Tensor] {
    try op.evaluate(inputs, outputs: outputs, context: EvaluationContext())
  }

  @Test func attributesOfTheWrongKind() {
    let makers: [() throws -> any Operator] = [
      { try LeakyRelu(attributes: ["alpha": .int(1)]) },
      { try Softmax(attributes: ["axis": .string("last")]) },
      { try Gelu(attributes: ["approximate": .string("cubic")]) }, { try Cast(attributes: [:]) },
      { try Cast(attributes: ["to": .int(8)]) },
      { try Cast(attributes: ["to": .int(1), "round_mode": .string("x")]) },
      { try BitShift(attributes: ["direction": .string("UP")]) },
      { try LpNormalization(attributes: ["p": .int(3)]) },
      { try Constant(attributes: [:]) }, { try Constant(attributes: ["value_string": .string("x")]) },
      { try ConstantOfShape(attributes: ["value": .tensor(floats([1, 2]))]) }, { try If(attributes: [:]) },
      { try Loop(attributes: ["body": .graph(Graph())]) },
      { try Scan(attributes: ["body": .graph(Graph()), "num_scan_inputs": .int(1)]) },
      { try Einsum(attributes: ["equation": .string("a-b")]) },
      { try Einsum(attributes: ["equation": .string("a1")]) },
      { try ErrorEnergy(attributes: ["samples": .int(0)]) },
      { try ErrorEnergy(attributes: ["samples": .int(1), "channel_axis": .int(-1)]) },
      { try DynamicQuantizeDequantize(attributes: ["sharing": .string("row")]) },
      { try DynamicQuantizeDequantize(attributes: ["sharing": .string("token"), "bits": .int(99)]) },
      {
        try QuantizeDequantize(attributes: [
          "scales": .floats([1]), "bits": .int(8), "codes": .ints([.min, .max]), "zero_points": .ints([.min]),
        ])
      },
    ]
    for make in makers { #expect(throws: OperatorError.self) { try make() } }
  }

  @Test func operandsThatDoNotFit() throws {
    let x = floats([1, 2, 3, 4, 5, 6], [2, 3])
    let ranges: [[Float]] = [[0, 1, 0], [0, .infinity, 1], [0, .nan, 1], [0, 1e30, 1]]
    for range in ranges {
      #expect(throws: OperatorError.self) { try evaluate(RangeOf(), range.map { floats([$0], []) }) }
    }
    #expect(try evaluate(RangeOf(), [0, -.infinity, 1].map { floats([$0], []) })[0].shape == [0])
    let huge = ints([1 << 40, 1 << 40])
    #expect(throws: OperatorError.self) { try evaluate(ConstantOfShape(attributes: [:]), [huge]) }
    #expect(throws: OperatorError.self) { try evaluate(ConstantOfShape(attributes: [:]), [ints([-1])]) }
    #expect(throws: OperatorError.self) { try evaluate(ReduceSum(attributes: [:]), [x, ints([2])]) }
    #expect(throws: OperatorError.self) { try evaluate(ArgMax(attributes: ["axis": .int(2)]), [x]) }
    #expect(throws: OperatorError.self) { try evaluate(ArgMax(attributes: [:]), [floats([], [0])]) }
    #expect(throws: OperatorError.self) { try evaluate(TopK(attributes: [:]), [x, ints([4])], outputs: 2) }
    #expect(throws: OperatorError.self) { try evaluate(TopK(attributes: [:]), [x, ints([-1])], outputs: 2) }
    #expect(throws: OperatorError.self) { try evaluate(CumSum(attributes: [:]), [x, ints([0, 1])]) }
    #expect(throws: OperatorError.self) {
      try evaluate(CumSum(attributes: [:]), [floats([1], []), ints([0], [])])
    }
    #expect(throws: OperatorError.self) { try evaluate(Softmax(attributes: ["axis": .int(5)]), [x]) }
    #expect(throws: OperatorError.self) { try evaluate(EyeLike(attributes: [:]), [floats([1])]) }
    #expect(throws: OperatorError.self) { try evaluate(MatMul(), [x, x]) }
    #expect(throws: OperatorError.self) { try evaluate(MatMul(), [x, floats([1], [])]) }
    #expect(throws: OperatorError.self) { try evaluate(Gemm(attributes: [:]), [x, floats([1])]) }
    #expect(throws: OperatorError.self) {
      try evaluate(Gemm(attributes: ["transB": .int(1)]), [x, x, floats([1, 2, 3])])
    }
    #expect(throws: OperatorError.self) { try evaluate(Clip(), [x, floats([1, 2])]) }
    #expect(throws: OperatorError.self) {
      try evaluate(If(attributes: OperatorExample.choice()), [bools([true, false])])
    }
    #expect(throws: OperatorError.self) {
      try evaluate(Einsum(attributes: ["equation": .string("ij,jk")]), [x])
    }
    #expect(throws: OperatorError.self) {
      try evaluate(Einsum(attributes: ["equation": .string("ijk")]), [x])
    }
    #expect(throws: OperatorError.self) {
      try evaluate(Einsum(attributes: ["equation": .string("ij->ik")]), [x])
    }
    #expect(throws: OperatorError.self) {
      try evaluate(Einsum(attributes: ["equation": .string("ij->ii")]), [x])
    }
    let (wide, tall) = (
      floats([Float](repeating: 0, count: 65_536), [1, 65_536]), [Float](repeating: 0, count: 65_536)
    )
    #expect(throws: OperatorError.self) { try evaluate(Add(), [wide, floats(tall, [65_536, 1])]) }
  }

  /// An empty axis beside one that repeats: nothing is read.
  @Test(arguments: ["ij,ij->ij", "ij,ij->i", "ij,kj->ik"])
  func emptyAxesOfAnEinsteinSum(_ equation: String) throws {
    let op = try Einsum(attributes: ["equation": .string(equation)])
    let (empty, one) = (floats([], [2, 0]), floats([1, 2], [2, 1]))
    for operands in [[empty, one], [one, empty]] {
      #expect(try evaluate(op, operands)[0].floats.allSatisfy { $0 == 0 })
    }
  }
}
