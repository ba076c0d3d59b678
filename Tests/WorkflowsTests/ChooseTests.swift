import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing

@testable import Workflows

@Suite struct ChooseTests {
  /// Two products with a Relu between, over inputs of 16 elements.
  static func project() throws -> Project {
    var random = SplitMix64(seed: 3)
    func matrix(_ shape: Shape) -> Tensor {
      Tensor((0..<shape.elementCount).map { _ in Float(random.unit()) - 0.3 }, shape: shape)
    }
    var graph = Graph()
    graph.inputs = [ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(16)])]
    graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    graph.constants = [
      "a": matrix([16, 24]), "a_b": matrix([24]), "b": matrix([24, 6]), "b_b": matrix([6]),
    ]
    graph.nodes = [
      Node(name: "first", op: Gemm(), inputs: ["x", "a", "a_b"], outputs: ["h"]),
      Node(name: "relu", op: Relu(), inputs: ["h"], outputs: ["r"]),
      Node(name: "second", op: Gemm(), inputs: ["r", "b", "b_b"], outputs: ["y"]),
    ]
    return try Project(model: try Model(source: graph, path: "tiny.onnx", format: "onnx"), threads: 1)
  }

  static func recipe(_ choices: [Choice], bits: Int = 3) -> Recipe {
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .static), choices: choices)
    recipe.defaults.weights.bits = bits
    recipe.calibration.samples = 64
    return recipe
  }

  /// What is chosen is nearer to float32 on samples that chose nothing.
  @Test func choosingBringsNearer() throws {
    let project = try Self.project()
    let judge = try Judge(project, project.model.synthetic(256, seed: 99))
    func divergence(_ recipe: Recipe) throws -> (Candidate, Double) {
      let candidate = try project.prepare(recipe, name: "x", reporter: .silent)
      return (candidate, try judge.scores(candidate.runnable()).distance)
    }
    let (_, plain) = try divergence(Self.recipe([]))
    let (candidate, chosen) = try divergence(Self.recipe(Choice.allCases))
    #expect(chosen < 0.8 * plain, "\(chosen) of \(plain)")
    #expect(candidate.recipe.choices.isEmpty && candidate.recipe != Self.recipe([]))
    #expect(try #require(candidate.warnings.first).hasPrefix("chosen on 16 samples held back, after "))
    // The recipe that was chosen gives the same network without choosing.
    let again = try project.prepare(candidate.recipe, name: "x", reporter: .silent)
    #expect(
      again.encoded.weights.mapValues { $0.codes.array(of: Int8.self) }
        == candidate.encoded.weights.mapValues { $0.codes.array(of: Int8.self) })
  }

  /// Parts that are not left open stay as they are.
  @Test func onlyWhatIsOpenIsChosen() throws {
    let project = try Self.project()
    let found = try project.prepare(Self.recipe([.rounding]), name: "x", reporter: .silent).recipe
    var expected = Self.recipe([])
    expected.defaults.weights.method = found.defaults.weights.method
    #expect(found == expected)
    #expect(found.defaults.weights.method != .nearest)
  }

  @Test func oneSampleChoosesNothing() throws {
    var recipe = Self.recipe([.rounding])
    recipe.calibration.samples = 1
    let candidate = try Self.project().prepare(recipe, name: "x", reporter: .silent)
    #expect(candidate.recipe.defaults.weights.method == .nearest)
  }
}
