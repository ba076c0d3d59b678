import CKernels
import Execution
import Graph
import Tensors
import Testing

/// Programs in float32 against the operators' references.
struct FloatTests {
  @Test(arguments: FloatCase.all, [1, 3])
  func equalsReference(_ example: FloatCase, batch: Int) throws {
    var draft = Draft(UInt64(batch))
    try example.build(&draft, batch)
    let expected = try draft.graph.evaluate(draft.inputs)
    let found = try Program.outputs(EncodedGraph(graph: draft.graph), draft)
    #expect(Set(found.keys) == Set(draft.graph.outputs.map(\.name)))
    for (name, tensor) in expected {
      let ours = try #require(found[name])
      #expect(ours.shape == tensor.shape, "\(name)")
      #expect(ours.type == tensor.type, "\(name)")
      guard ours.shape == tensor.shape else { continue }
      #expect(relativeDifference(ours, tensor) <= 2e-5, "\(name)")
    }
  }

  @Test(arguments: FloatCase.all)
  func threadsDoNotChangeResults(_ example: FloatCase) throws {
    var draft = Draft(7)
    try example.build(&draft, 2)
    let one = try Program.outputs(EncodedGraph(graph: draft.graph), draft, threads: 1)
    let two = try Program.outputs(EncodedGraph(graph: draft.graph), draft, threads: 2)
    for (name, tensor) in one { #expect(two[name].map(bytes) == bytes(tensor), "\(name)") }
  }

  /// Nothing of a decoder runs its reference.
  @Test(arguments: FloatCase.attention)
  func attentionHasKernels(_ example: FloatCase) throws {
    var draft = Draft(4)
    try example.build(&draft, 2)
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    #expect(program.steps.allSatisfy { !$0.kernel.hasPrefix("reference") }, "\(program.steps.map(\.kernel))")
  }

  @Test(arguments: FloatCase.convolutions + FloatCase.products + FloatCase.attention, levels)
  func levelsAgree(_ example: FloatCase, level: ck_level) throws {
    var draft = Draft(9)
    try example.build(&draft, 2)
    let expected = try draft.graph.evaluate(draft.inputs)
    let found = try Program.outputs(EncodedGraph(graph: draft.graph), draft, level: level)
    for (name, tensor) in expected {
      #expect(relativeDifference(try #require(found[name]), tensor) <= 2e-5, "\(name)")
    }
  }

  @Test(arguments: FloatCase.all)
  func simplificationKeepsTheFunction(_ example: FloatCase) throws {
    var draft = Draft(3)
    try example.build(&draft, 2)
    let expected = try draft.graph.evaluate(draft.inputs)
    for shapes in [nil, draft.shapes] {
      let simple = try simplified(draft.graph, inputShapes: shapes)
      let found = try simple.evaluate(draft.inputs)
      for (name, tensor) in expected {
        #expect(relativeDifference(try #require(found[name]), tensor) <= 1e-4, "\(name)")
      }
    }
  }

  /// A sample's result does not depend on which others are in its batch, nor on its place there.
  @Test func orderOfSamplesDoesNotMatter() throws {
    var draft = Draft(5)
    let x = draft.input("x", [5, 8, 9, 9])
    var y = try draft.node(
      "Conv", [x, draft.weights([24, 8, 3, 3]), draft.weights([24])], ["pads": .ints([1, 1, 1, 1])])
    y = try draft.node("Relu", [y])
    y = try draft.node("Flatten", [try draft.node("GlobalAveragePool", [y])])
    draft.output(try draft.node("Gemm", [y, draft.weights([24, 40]), draft.weights([40])]))
    let name = try #require(draft.graph.outputs.first?.name)
    let all = try #require(try Program.outputs(EncodedGraph(graph: draft.graph), draft)[name]).array(
      of: Float.self)
    let images = try #require(draft.inputs["x"]).array(of: Float.self)
    let size = 8 * 81
    var reversed = draft
    reversed.inputs["x"] = Tensor(
      (0..<5).flatMap { images[(4 - $0) * size..<(5 - $0) * size] }, shape: [5, 8, 9, 9])
    let turned = try #require(try Program.outputs(EncodedGraph(graph: draft.graph), reversed)[name]).array(
      of: Float.self)
    #expect((0..<5).flatMap { turned[(4 - $0) * 40..<(5 - $0) * 40] } == all)
    var single = draft
    single.graph.inputs[0].dimensions = [.fixed(1), .fixed(8), .fixed(9), .fixed(9)]
    single.inputs["x"] = Tensor(Array(images[2 * size..<3 * size]), shape: [1, 8, 9, 9])
    let alone = try #require(try Program.outputs(EncodedGraph(graph: single.graph), single)[name]).array(
      of: Float.self)
    #expect(alone == Array(all[80..<120]))
  }
}
