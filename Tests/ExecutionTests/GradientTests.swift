import CKernels
import Execution
import Graph
import Tensors
import Testing

/// Programs of gradient graphs in float32 against the operators' references.
struct GradientTests {
  @Test(arguments: GradientCase.all)
  func equalsReference(_ example: GradientCase) throws {
    let draft = try example.draft()
    let expected = try draft.graph.evaluate(draft.inputs)
    #expect(expected.count == example.wanted.count + 1)
    let program = try compile(EncodedGraph(graph: draft.graph), CompileOptions(inputShapes: draft.shapes))
    let found = try program.run(draft.inputs)
    for (name, tensor) in expected {
      let ours = try #require(found[name])
      #expect(ours.shape == tensor.shape, "\(name)")
      #expect(relativeDifference(ours, tensor) <= 1e-4, "\(name)")
    }
    // Elementwise kernels that run chunk by chunk are one step.
    let kernels = Set(program.steps.flatMap { $0.kernel.split(separator: "+").map(String.init) })
    for kernel in example.kernels { #expect(kernels.contains(kernel), "\(kernel) among \(kernels.sorted())") }
  }

  @Test(arguments: GradientCase.all)
  func threadsDoNotChangeResults(_ example: GradientCase) throws {
    let draft = try example.draft()
    let one = try Program.outputs(EncodedGraph(graph: draft.graph), draft, threads: 1)
    let two = try Program.outputs(EncodedGraph(graph: draft.graph), draft, threads: 2)
    for (name, tensor) in one { #expect(two[name].map(bytes) == bytes(tensor), "\(name)") }
  }

  @Test(arguments: GradientCase.all, levels)
  func levelsAgree(_ example: GradientCase, level: ck_level) throws {
    let draft = try example.draft()
    let expected = try draft.graph.evaluate(draft.inputs)
    let found = try Program.outputs(EncodedGraph(graph: draft.graph), draft, level: level)
    for (name, tensor) in expected {
      #expect(relativeDifference(try #require(found[name]), tensor) <= 1e-4, "\(name)")
    }
  }
}
