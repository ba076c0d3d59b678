import Analysis
import Datasets
import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workflows

@Suite struct ConvergenceTests {
  /// A project whose samples are these numbers, four each.
  static func project(_ values: [Float]) throws -> Project {
    let folder = try TemporaryFolder()
    let data = Tensor(values, shape: [values.count / 4, 4])
    try Data(Npz.encode([("x", data)])).write(to: URL(fileURLWithPath: folder.path("x.npz")))
    var graph = Graph()
    graph.inputs = [ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(4)])]
    graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    graph.constants["w"] = Tensor([Float](repeating: 0.5, count: 8), shape: [4, 2])
    graph.nodes = [Node(name: "dense", op: MatMul(), inputs: ["x", "w"], outputs: ["y"])]
    let bound = try Dataset.open(folder.path("x.npz")).bound(
      to: [InputSpec(name: "x", type: .float32, dimensions: [nil, 4])],
      outputs: [OutputSpec(name: "y", dimensions: nil)])
    return try withExtendedLifetime(folder) {
      try Project(
        model: try Model(source: graph, path: "tiny.onnx", format: "onnx"), data: bound, threads: 1)
    }
  }

  static func recipe(_ samples: Int) -> Recipe {
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .static))
    recipe.defaults.activations.observer = .minMax
    recipe.calibration.samples = samples
    return recipe
  }

  @Test func samplesThatAreAlikeSettleAtOnce() throws {
    let values = (0..<64).flatMap { _ in [-1, 0.25, 0.5, 1] as [Float] }
    let found = try #require(
      try Self.project(values).calibrationConvergence(of: Self.recipe(64), reporter: .silent))
    #expect(found.samples == 64 && found.steps.map(\.samples) == [8, 16, 32])
    #expect(found.steps.allSatisfy { $0.largestShare == 0 } && found.halves.largestShare == 0)
    #expect(!found.isTooSmall && found.settledAt == 8)
  }

  /// Each sample is larger than all others together: halves never agree.
  @Test func samplesThatDifferAreTooFew() throws {
    let values = (0..<32).flatMap { sample in
      [0, 1, 2, 3].map { Float(sign: .plus, exponent: sample, significand: 1) * $0 }
    }
    let found = try #require(
      try Self.project(values).calibrationConvergence(of: Self.recipe(32), reporter: .silent))
    #expect(found.isTooSmall && found.halves.value == "x" && found.halves.largestShare >= 0.5)
    #expect(found.steps.last?.samples == 16)
  }

  @Test func fewSamplesSayNothing() throws {
    let project = try Self.project([Float](repeating: 1, count: 4 * 12))
    #expect(try project.calibrationConvergence(of: Self.recipe(12), reporter: .silent) == nil)
    var dynamic = Self.recipe(12)
    dynamic.defaults.mode = .dynamic
    #expect(try project.calibrationConvergence(of: dynamic, reporter: .silent) == nil)
  }
}
