import Execution
import Graph
import Operators
import Tensors
import Testing

/// What a program is made of, and how it answers wrong inputs.
struct ProgramTests {
  private func block() throws -> Draft {
    var draft = Draft(1)
    let x = draft.input("x", [1, 8, 6, 6])
    let pads: Attributes = ["pads": .ints([1, 1, 1, 1])]
    var y = try draft.node("Conv", [x, draft.weights([8, 8, 3, 3]), draft.weights([8])], pads)
    y = try draft.node("Relu", [y])
    y = try draft.node("Conv", [y, draft.weights([8, 8, 3, 3]), draft.weights([8])], pads)
    y = try draft.node("Add", [y, x])
    draft.output(try draft.node("Relu", [y]))
    return draft
  }

  /// A large matrix is read where it lies, for few rows and for many.
  @Test(arguments: [1, 4, 200])
  func largeMatricesAreNotPacked(rows: Int) throws {
    var draft = Draft(1)
    let x = draft.input("x", [rows, 1024])
    let y = try draft.node("Gemm", [x, draft.weights([256, 1024])], ["transB": .int(1)])
    draft.output(y)
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    #expect(program.steps.map(\.kernel) == ["gemm f32 unpacked"])
    #expect(program.packedWeightBytes == 0)
  }

  @Test func fusesWhatFollowsAConvolution() throws {
    let draft = try block()
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    let convolutions = program.steps.filter { $0.kernel.hasPrefix("conv") }
    #expect(convolutions.map(\.nodes) == [["Conv0", "Relu1"], ["Conv2", "Add3", "Relu4"]])
    #expect(convolutions.map(\.macs) == [8 * 8 * 9 * 36, 8 * 8 * 9 * 36])
    #expect(!program.steps.contains { $0.kernel.hasPrefix("reference") })
    #expect(program.packedWeightBytes >= 2 * 8 * 8 * 9 * 4)
  }

  @Test func timesEveryStep() throws {
    let draft = try block()
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    try program.load(draft.inputs)
    var seconds: [Double] = []
    try program.executeTimed(into: &seconds)
    #expect(seconds.count == program.steps.count)
    #expect(seconds.allSatisfy { $0 > 0 })
  }

  @Test func rejectsWrongInputs() throws {
    let draft = try block()
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    #expect(throws: ExecutionError.missingInput("x")) { try program.run([:]) }
    let good = try #require(draft.inputs["x"])
    #expect(throws: ExecutionError.unknownInput("z", expected: ["x"])) {
      try program.run(["x": good, "z": good])
    }
    #expect(throws: ExecutionError.inputType("x", found: "int64", expected: "float32")) {
      try program.run(["x": good.converted(to: .int64)])
    }
    #expect(throws: ExecutionError.inputShape("x", "has shape 1x8x36, expected 1x8x6x6")) {
      try program.run(["x": good.reshaped([1, 8, 36])])
    }
  }

  @Test(arguments: [[1_000_000, 1_000_000], [1 << 40, 1 << 20], [1 << 30, 1 << 31]] as [Shape])
  func refusesWhatNoMachineHolds(_ shape: Shape) throws {
    var graph = Graph()
    graph.inputs = [ValueInfo(name: "x", type: .float32, dimensions: shape.map { .fixed($0) })]
    graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    let relu = try #require(Catalog.find(domain: "", type: "Relu")).init(attributes: [:])
    graph.nodes = [Node(name: "y", op: relu, inputs: ["x"], outputs: ["y"])]
    #expect(throws: ExecutionError.self) {
      try compile(EncodedGraph(graph: graph), CompileOptions(inputShapes: [:]))
    }
  }

  @Test func needsEveryShape() throws {
    var draft = try block()
    draft.graph.inputs[0].dimensions = [.free("N"), .fixed(8), .fixed(6), .fixed(6)]
    #expect(throws: ExecutionError.self) {
      try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: [:]))
    }
    #expect(throws: (any Error).self) {
      try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: ["x": [1, 9, 6, 6]]))
    }
  }

  @Test func runsTwiceWithOtherInputs() throws {
    var draft = try block()
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    _ = try program.run(draft.inputs)
    draft.inputs["x"] = draft.random.tensor([1, 8, 6, 6])
    let again = try program.run(draft.inputs)
    for (name, tensor) in try draft.graph.evaluate(draft.inputs) {
      #expect(relativeDifference(try #require(again[name]), tensor) <= 2e-5)
    }
  }

  @Test func refusesAnIndexOutside() throws {
    var draft = Draft(2)
    let picks = draft.input("i", Tensor([Int64(1), 8], shape: [2]))
    let rows = try draft.node("Gather", [draft.weights([9, 3]), picks])
    draft.output(rows)
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    _ = try program.run(draft.inputs)
    let outside = ExecutionError.node(
      rows, operatorName: "gather", reason: "an index lies outside the axis it counts along")
    for index in [9, -10, Int64.min, Int64.max] {
      #expect(throws: outside) { try program.run(["i": Tensor([Int64(0), index], shape: [2])]) }
    }
    // A later run with good indices is good again.
    let found = try #require(try program.run(draft.inputs)[rows])
    #expect(bytes(found) == bytes(try #require(try draft.graph.evaluate(draft.inputs)[rows])))
  }

  /// Shapes that exist only at run time.
  @Test func computesShapesThatDependOnData() throws {
    var draft = Draft(2)
    let x = draft.input("x", [3, 4])
    let positive = try draft.node("Greater", [x, draft.constant(Tensor(scalar: Float(0)))])
    let places = try draft.node("NonZero", [positive])
    let turned = try draft.node("Transpose", [places], ["perm": .ints([1, 0])])
    let values = try draft.node("GatherND", [x, turned])
    draft.output(try draft.node("Mul", [values, draft.constant(Tensor(scalar: Float(2)))]))
    draft.output(places)
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    for seed in 1...3 as ClosedRange<UInt64> {
      var random = Random(seed)
      draft.inputs["x"] = random.tensor([3, 4])
      let found = try program.run(draft.inputs)
      for (name, tensor) in try draft.graph.evaluate(draft.inputs) {
        let ours = try #require(found[name])
        #expect(ours.shape == tensor.shape)
        #expect(bytes(ours) == bytes(tensor))
      }
    }
  }

  /// A branch reads values around it, also ones that a kernel computed.
  @Test func runsSubgraphs() throws {
    var draft = Draft(2)
    let x = draft.input("x", [2, 4])
    let condition = draft.input("c", Tensor([true], shape: []))
    let hidden = try draft.node("Tanh", [x])
    func branch(_ type: String) throws -> Graph {
      var inner = Draft(1)
      let y = try inner.node(type, [hidden])
      inner.output(y)
      return inner.graph
    }
    draft.output(
      try draft.node(
        "If", [condition], ["then_branch": .graph(branch("Neg")), "else_branch": .graph(branch("Exp"))]))
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    for value in [true, false] {
      draft.inputs["c"] = Tensor([value], shape: [])
      let found = try program.run(draft.inputs)
      for (name, tensor) in try draft.graph.evaluate(draft.inputs) {
        #expect(relativeDifference(try #require(found[name]), tensor) <= 2e-5)
      }
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func plansWithoutOverlap(_ seed: UInt64) {
    var random = Random(seed)
    let buffers = (0..<random.below(60) + 1).map { _ in
      let first = random.below(30) - 1
      return PlannedBuffer(bytes: random.below(5000), first: first, last: first + random.below(12))
    }
    let plan = MemoryPlan(buffers)
    #expect(plan.overlaps(buffers).isEmpty)
    #expect(plan.offsets.allSatisfy { $0 % 64 == 0 })
    for (buffer, offset) in zip(buffers, plan.offsets) { #expect(offset + buffer.bytes <= plan.byteCount) }
    // The checker itself sees an overlap.
    var broken = plan
    broken.offsets = buffers.map { _ in 0 }
    let meeting = buffers.indices.contains { a in
      buffers.indices.contains { b in
        b > a && buffers[a].first <= buffers[b].last && buffers[b].first <= buffers[a].last
          && buffers[a].bytes > 0
          && buffers[b].bytes > 0
      }
    }
    #expect(broken.overlaps(buffers).isEmpty != meeting)
  }
}
