import Graph
import Operators
import Tensors
import Testing

/// Nodes of older opsets reach the newest form.
struct UpgradeTests {
  /// The node after every upgrade from `opset` on, and what the upgrades added.
  private func upgraded(
    _ type: String, opset: Int, attributes: Attributes = [:], inputs: [ValueName?] = ["x"], rank: Int? = nil
  ) throws -> (node: RawNode, rewrite: RawRewrite) {
    let op = try #require(Catalog.find(domain: "", type: type))
    var node = RawNode(
      name: "n", type: type, domain: "", inputs: inputs, outputs: ["y"], attributes: attributes)
    var rewrite = RawRewrite(freshName: "n/", constant: { _ in nil }, rank: { _ in rank })
    for upgrade in op.upgrades where opset < upgrade.before { try upgrade.apply(&node, &rewrite) }
    _ = try op.init(attributes: node.attributes)
    return (node, rewrite)
  }

  @Test func boundsOfClipBecomeInputs() throws {
    let (node, rewrite) = try upgraded("Clip", opset: 6, attributes: ["min": .float(0), "max": .float(6)])
    let constants = node.inputs.dropFirst().map { $0.flatMap { rewrite.constants[$0] }?.floats }
    #expect(constants == [[0], [6]])
    #expect(node.attributes.isEmpty)
  }

  @Test func clipIsAClampForQuantization() throws {
    let x = OperandInfo(type: .float32, shape: [1])
    let (zero, six) = (Tensor(scalar: Float(0)), Tensor(scalar: Float(6)))
    func known(_ tensor: Tensor) -> OperandInfo { OperandInfo(type: .float32, shape: [], constant: tensor) }
    #expect(Clip().encodingRule([x, known(zero), known(six)]) == .clamp(lower: 0, upper: 6))
    #expect(Clip().encodingRule([x, nil, known(six)]) == .clamp(lower: -.infinity, upper: 6))
    #expect(Clip().encodingRule([x, OperandInfo(type: .float32, shape: []), nil]) == nil)
    #expect(Relu().encodingRule([x]) == .clamp(lower: 0, upper: .infinity))
    #expect(Add().encodingRule([x, x]) == .ownOutput)
    #expect(Add().encodingRule([x, known(zero)]) == nil)
  }

  @Test(arguments: ["ReduceMean", "ReduceMax", "ReduceL2", "ReduceSum"])
  func axesBecomeAnInput(_ type: String) throws {
    let (node, rewrite) = try upgraded(type, opset: 11, attributes: ["axes": .ints([1, -1])])
    #expect(node.inputs.count == 2)
    #expect(node.inputs[1].flatMap { rewrite.constants[$0] }?.integers == [1, -1])
    #expect(node.attributes["axes"] == nil)
    // A newer node is left alone.
    #expect(try upgraded(type, opset: 18, inputs: ["x", "axes"]).node.inputs == ["x", "axes"])
  }

  @Test func countOfTopKBecomesAnInput() throws {
    let (node, rewrite) = try upgraded("TopK", opset: 7, attributes: ["k": .int(3)])
    #expect(node.inputs[1].flatMap { rewrite.constants[$0] }?.integers == [3])
  }

  @Test func ratioOfDropoutBecomesAnInput() throws {
    let (node, rewrite) = try upgraded("Dropout", opset: 7, attributes: ["ratio": .float(0.25)])
    #expect(node.inputs[1].flatMap { rewrite.constants[$0] }?.floats == [0.25])
  }

  /// Softmax over the last axis stays one node; over several axes it is computed on rows.
  @Test(arguments: ["Softmax", "LogSoftmax", "Hardmax"])
  func softmaxJoinedTheTrailingAxes(_ type: String) throws {
    let last = try upgraded(type, opset: 11, rank: 2)
    #expect(last.node.attributes.int("axis") == -1)
    #expect(last.rewrite.before.isEmpty && last.rewrite.after.isEmpty)
    let joined = try upgraded(type, opset: 11, rank: 4)
    #expect(joined.rewrite.before.map(\.type) == ["Shape", "Flatten"])
    #expect(joined.rewrite.after.map(\.type) == ["Reshape"])
    #expect(joined.rewrite.after[0].outputs == ["y"])
    #expect(joined.node.inputs == joined.rewrite.before[1].outputs)
  }

  @Test func scanOfOpset8IsRefused() {
    #expect(throws: OperatorError.self) { try upgraded("Scan", opset: 8) }
  }
}
