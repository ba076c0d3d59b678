import Graph
import Operators
import Tensors
import Testing

struct CatalogTests {
  @Test func namesAreUnique() {
    let names = Catalog.operators.map { "\($0.name.domain):\($0.name.type)" }
    #expect(Set(names).count == names.count)
    #expect(names.count > 100)
  }

  @Test func everyOperatorIsFoundByItsName() throws {
    for op in Catalog.operators {
      let found = try #require(Catalog.find(domain: op.name.domain, type: op.name.type))
      #expect(ObjectIdentifier(found) == ObjectIdentifier(op))
    }
    #expect(Catalog.find(domain: "ai.onnx", type: "Relu") != nil)
    #expect(Catalog.find(domain: "com.example", type: "Relu") == nil)
  }

  @Test func everyCalculationHasAnExample() {
    let calculations =
      Catalog.elementwiseOperators + Catalog.arithmeticOperators + Catalog.reductionOperators
      + Catalog.productOperators + Catalog.constantOperators + Catalog.controlOperators
      + Catalog.simulationOperators + Catalog.gradientOperators
    let shown = Set(OperatorExample.all.map(\.name.type))
    for op in calculations { #expect(shown.contains(op.name.type), "\(op.name.text) has no example") }
  }

  @Test(arguments: OperatorExample.all)
  func computesWhatTheExampleSays(_ example: OperatorExample) throws {
    let results = try example.run()
    for (result, expected) in zip(results, example.expected) {
      guard let expected else { continue }
      #expect(
        isClose(result, expected),
        "\(result.type.name) \(result.shape) \(result.doubles), expected \(expected.doubles)")
    }
  }

  /// Inference agrees with execution, whether it knows the operands, their shapes, or only their types.
  @Test(arguments: OperatorExample.all)
  func infersWhatItComputes(_ example: OperatorExample) throws {
    let results = try example.run()
    let operands: [(Tensor) -> OperandInfo] = [
      { OperandInfo(type: $0.type, shape: $0.shape, constant: $0) },
      { OperandInfo(type: $0.type, shape: $0.shape) },
      { OperandInfo(type: $0.type, shape: nil) },
    ]
    for (knowledge, operand) in operands.enumerated() {
      let infos = try example.op.infer(
        example.inputs.map { $0.map(operand) }, outputs: example.expected.count)
      #expect(infos.count >= example.expected.count)
      for (info, result) in zip(infos, results) {
        #expect(info.type == result.type)
        if let shape = info.shape { #expect(shape == result.shape) }
        // A loop's length depends on its condition, everything else is known from the operands.
        if knowledge == 0, !(example.op is Loop) { #expect(info.shape != nil) }
        if let constant = info.constant { #expect(isClose(constant, result)) }
      }
    }
  }

  @Test(arguments: OperatorExample.all)
  func attributesMakeTheOperatorAgain(_ example: OperatorExample) throws {
    let again = try type(of: example.op).init(attributes: example.op.attributes)
    #expect(again.attributes.keys.sorted() == example.op.attributes.keys.sorted())
    let copy = OperatorExample(again, example.inputs, example.expected)
    for (a, b) in zip(try example.run(), try copy.run()) { #expect(isClose(a, b)) }
  }

  @Test(arguments: OperatorExample.all)
  func missingInputsAreErrors(_ example: OperatorExample) throws {
    guard example.inputs.contains(where: { $0 != nil }) else { return }
    #expect(throws: OperatorError.self) {
      try example.op.infer([], outputs: example.expected.count)
    }
    #expect(throws: OperatorError.self) {
      try example.op.evaluate([], outputs: example.expected.count, context: EvaluationContext())
    }
  }
}
