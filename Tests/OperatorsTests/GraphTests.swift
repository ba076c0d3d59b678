import Graph
import Operators
import Tensors
import Testing

/// Inference and evaluation of whole graphs.
struct GraphTests {
  /// x · w, then Relu, with the product's size read from its own shape.
  static func small() -> Graph {
    Graph(
      inputs: [ValueInfo(name: "x", type: .float32, dimensions: [.free("batch"), .fixed(2)])],
      outputs: [
        ValueInfo(name: "y", type: .float32, dimensions: nil),
        ValueInfo(name: "n", type: .int64, dimensions: nil),
      ],
      constants: ["w": floats([1, -1, 1, 1], [2, 2])],
      nodes: [
        Node(name: "product", op: MatMul(), inputs: ["x", "w"], outputs: ["p"]),
        Node(name: "relu", op: Relu(), inputs: ["p"], outputs: ["y"]),
        Node(name: "count", op: Size(), inputs: ["p"], outputs: ["half"]),
        Node(name: "sum", op: Add(), inputs: ["half", "half"], outputs: ["n"]),
      ])
  }

  @Test func shapeArithmeticBecomesConstant() throws {
    let infos = try Self.small().infer(inputs: ["x": OperandInfo(type: .float32, shape: [3, 2])])
    #expect(infos["y"]?.shape == [3, 2])
    #expect(infos["y"]?.constant == nil)
    #expect(infos["n"]?.constant?.integers == [12])
  }

  @Test func aFreeDimensionLeavesShapesUnknown() throws {
    let infos = try Self.small().infer()
    #expect(infos["y"]?.type == .float32)
    #expect(infos["y"]?.shape == nil)
    #expect(infos["n"]?.constant == nil)
  }

  @Test func largeConstantsAreNotFolded() throws {
    let graph = Graph(
      outputs: [ValueInfo(name: "y", type: .float32, dimensions: nil)],
      constants: ["w": Tensor(of: Float.self, shape: [100]) { _ in }],
      nodes: [Node(name: "relu", op: Relu(), inputs: ["w"], outputs: ["y"])])
    #expect(try graph.infer(limit: 100)["y"]?.constant?.count == 100)
    #expect(try graph.infer(limit: 99)["y"]?.constant == nil)
    #expect(try graph.infer(limit: 99)["y"]?.shape == [100])
  }

  @Test func evaluationReturnsOutputsAndWhatIsKept() throws {
    var seen: [ValueName] = []
    let results = try Self.small().evaluate(["x": floats([1, 2], [1, 2])], keeping: ["p"]) { name, _ in
      seen.append(name)
    }
    #expect(results.keys.sorted() == ["n", "p", "y"])
    #expect(results["y"]?.floats == [3, 1])
    #expect(results["n"]?.integers == [4])
    #expect(seen == ["p", "y", "half", "n"])
  }

  @Test func errorsNameInputsAndNodes() {
    let graph = Self.small()
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    #expect(message { _ = try graph.evaluate([:]) } == "input \"x\" is missing")
    #expect(
      message { _ = try graph.evaluate(["x": floats([1, 2, 3], [1, 3])]) }
        == "input \"x\" has shape 1x3, expected batchx2")
    #expect(
      message { _ = try graph.evaluate(["x": ints([1, 2], [1, 2])]) }
        == "input \"x\" is int64, expected float32")
    var broken = graph
    broken.constants["w"] = floats([1, 2, 3], [3, 1])
    let reason =
      "node \"product\" (MatMul): A of shape 1x2 has 2 columns, but B of shape 3x1 has 3 rows"
    #expect(message { _ = try broken.evaluate(["x": floats([1, 2], [1, 2])]) } == reason)
    #expect(
      message { _ = try broken.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1, 2])]) } == reason)
  }

  @Test func aNodeThatNamesTooManyOutputsIsAnError() {
    var graph = Self.small()
    graph.nodes[1].outputs.append("extra")
    #expect(throws: NodeError.self) { try graph.evaluate(["x": floats([1, 2], [1, 2])]) }
    #expect(throws: NodeError.self) { try graph.infer() }
  }

  @Test func aDefaultMayBeReplaced() throws {
    var graph = Self.small()
    graph.inputs.append(ValueInfo(name: "w", type: .float32, dimensions: [.fixed(2), .fixed(2)]))
    let x = floats([1, 2], [1, 2])
    #expect(try graph.evaluate(["x": x])["y"]?.floats == [3, 1])
    #expect(try graph.evaluate(["x": x, "w": floats([0, 1, 1, 0], [2, 2])])["y"]?.floats == [2, 1])
  }

  /// Subgraphs see the values around them, also through another subgraph, and such values are not released early.
  @Test(arguments: [true, false])
  func subgraphsCaptureValues(_ condition: Bool) throws {
    func branch(_ name: String, _ op: any Operator) -> Graph {
      Graph(
        name: name, outputs: [ValueInfo(name: name, type: .float32, dimensions: nil)],
        nodes: [Node(name: name, op: op, inputs: ["a", "b"], outputs: [name])])
    }
    let inner = try If(attributes: [
      "then_branch": .graph(branch("t", Add())), "else_branch": .graph(branch("e", Sub())),
    ])
    let outerBranch = Graph(
      name: "outer", outputs: [ValueInfo(name: "o", type: .float32, dimensions: nil)],
      nodes: [Node(name: "inner", op: inner, inputs: ["c"], outputs: ["o"])])
    let other = Graph(
      name: "other", outputs: [ValueInfo(name: "z", type: .float32, dimensions: nil)],
      nodes: [Node(name: "z", op: Identity(), inputs: ["a"], outputs: ["z"])])
    let graph = Graph(
      inputs: [
        ValueInfo(name: "x", type: .float32, dimensions: [.fixed(2)]),
        ValueInfo(name: "c", type: .bool, dimensions: []),
      ],
      outputs: [ValueInfo(name: "y", type: .float32, dimensions: nil)], constants: ["b": floats([10], [1])],
      nodes: [
        Node(name: "a", op: Neg(), inputs: ["x"], outputs: ["a"]),
        Node(name: "not", op: Identity(), inputs: ["c"], outputs: ["d"]),
        Node(
          name: "if",
          op: try If(attributes: ["then_branch": .graph(outerBranch), "else_branch": .graph(outerBranch)]),
          inputs: ["d"], outputs: ["y"]),
      ])
    #expect(graph.nodes[2].capturedValues == ["a", "b", "c"])
    #expect(other.freeValues == ["a"])
    let inputs = ["x": floats([1, 2]), "c": Tensor(scalar: condition)]
    #expect(try graph.evaluate(inputs)["y"]?.floats == (condition ? [9, 8] : [-11, -12]))
    #expect(try graph.infer()["y"]?.shape == [2])
  }

  @Test func aLoopThatGrowsHasNoShape() throws {
    let body = Graph(
      name: "grow",
      inputs: [
        ValueInfo(name: "i", type: .int64, dimensions: []),
        ValueInfo(name: "go", type: .bool, dimensions: []),
        ValueInfo(name: "v", type: .float32, dimensions: nil),
      ],
      outputs: [
        ValueInfo(name: "go_on", type: .bool, dimensions: []),
        ValueInfo(name: "w", type: .float32, dimensions: nil),
      ],
      constants: ["outer": floats([1, 1], [2, 1])],
      nodes: [
        Node(name: "on", op: Identity(), inputs: ["go"], outputs: ["go_on"]),
        Node(name: "wider", op: try Einsum.outer(), inputs: ["outer", "v"], outputs: ["w"]),
      ])
    let loop = try Loop(attributes: ["body": .graph(body)])
    let inputs: [Tensor?] = [ints([2], []), nil, floats([1])]
    let result = try loop.evaluate(inputs, outputs: 1, context: EvaluationContext())[0]
    #expect(result.shape == [2, 1, 2, 1, 1])
    let infos = try loop.infer(
      inputs.map { $0.map { OperandInfo(type: $0.type, shape: $0.shape) } }, outputs: 1)
    #expect(infos[0].type == .float32)
    #expect(infos[0].shape == nil)
  }

  /// Neither a loop that never ends nor one that stacks more than memory holds goes on for ever.
  @Test(arguments: [false, true]) func anEndlessLoopIsAnError(_ stacks: Bool) throws {
    let block = Tensor(shape: [1 << 20], type: .uint8) { _ in }
    let body = Graph(
      name: "endless",
      inputs: [
        ValueInfo(name: "i", type: .int64, dimensions: []),
        ValueInfo(name: "go", type: .bool, dimensions: []),
      ],
      outputs: [ValueInfo(name: "go", type: .bool, dimensions: [])]
        + (stacks ? [ValueInfo(name: "block", type: .uint8, dimensions: nil)] : []),
      constants: stacks ? ["block": block] : [:], nodes: [])
    let loop = try Loop(attributes: ["body": .graph(body)])
    #expect(throws: OperatorError.self) {
      try loop.evaluate(
        [Tensor(scalar: Int64.max), nil], outputs: stacks ? 1 : 0, context: EvaluationContext())
    }
  }
}

extension Einsum {
  /// The outer product of a matrix and a tensor of any rank.
  static func outer() throws -> Einsum { try Einsum(attributes: ["equation": .string("ab,...->ab...")]) }
}
