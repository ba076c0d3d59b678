import Datasets
import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing
import Workflows

private func synthetic(_ count: Int) throws -> BoundDataset {
  try BoundDataset.synthetic(
    for: [InputSpec(name: "x", type: .float32, dimensions: [nil, 4])], count: count, seed: 1)
}

/// Data as a file gives it, of `count` samples.
private func data(_ count: Int) throws -> BoundDataset {
  let path = NSTemporaryDirectory() + "lathe-plan-\(UUID().uuidString).npy"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let tensor = Tensor((0..<count * 4).map { Float($0) }, shape: [count, 4])
  try Data(Npy.encode(tensor)).write(to: URL(fileURLWithPath: path))
  return try Dataset.open(path).bound(to: [InputSpec(name: "x", type: .float32, dimensions: [nil, 4])])
}

private func recipe(samples: Int, seed: UInt64) -> Recipe {
  Recipe(name: "r", calibration: CalibrationSettings(samples: samples, seed: seed))
}

@Test func noSampleCalibratesAndEvaluates() throws {
  let plan = EvaluationPlan(
    recipes: [recipe(samples: 100, seed: 1), recipe(samples: 50, seed: 2)], needsCalibration: [true, true],
    data: try data(600), trainData: nil, limit: nil)
  let fold = try #require(plan.folds.first)
  #expect(plan.folds.count == 1 && plan.kept.map(\.count) == [100, 50])
  #expect(Set(fold.evaluation).isDisjoint(with: Set(plan.kept.joined())))
  #expect(fold.evaluation.count == 600 - Set(plan.kept.joined()).count)
}

@Test func fewSamplesAreCrossFittedSoThatEveryOneCounts() throws {
  let plan = EvaluationPlan(
    recipes: [recipe(samples: 64, seed: 1)], needsCalibration: [true], data: try data(103), trainData: nil,
    limit: nil)
  #expect(plan.folds.count == 5)
  #expect(plan.folds.flatMap(\.evaluation).sorted() == Array(0..<103))
  for fold in plan.folds { #expect(Set(fold.evaluation).isDisjoint(with: fold.calibration[0])) }
  #expect(!plan.warnings.isEmpty)
}

@Test func trainingDataLeavesAllOfTheDataToEvaluate() throws {
  let plan = EvaluationPlan(
    recipes: [recipe(samples: 64, seed: 1)], needsCalibration: [true], data: try data(103),
    trainData: try data(700),
    limit: 50)
  #expect(plan.source == .trainData && plan.kept[0].count == 64)
  #expect(plan.folds.map(\.evaluation) == [Array(0..<50)])
}

@Test func withoutDataThePlanSaysSo() throws {
  let plan = EvaluationPlan(
    recipes: [recipe(samples: 16, seed: 1)], needsCalibration: [true], data: try synthetic(64),
    trainData: nil,
    limit: nil)
  #expect(plan.source == .synthetic && plan.roles.contains("synthetic") && !plan.warnings.isEmpty)
}

private func dense(_ dimensions: [Graph::Dimension]) throws -> Graph {
  Graph(
    name: "dense", inputs: [ValueInfo(name: "x", type: .float32, dimensions: dimensions)],
    outputs: [ValueInfo(name: "y", type: .float32, dimensions: nil)],
    constants: ["w": Tensor([Float](repeating: 0.5, count: 12), shape: [4, 3])],
    nodes: [Node(name: "dense", op: try MatMul(attributes: [:]), inputs: ["x", "w"], outputs: ["y"])])
}

@Test func freeSizesMustBeGivenAndFixedOnesKept() throws {
  let free = try dense([.free("N"), .free("L"), .fixed(4)])
  #expect(throws: WorkflowError.self) { _ = try Model(source: free, path: "m", format: "onnx") }
  let model = try Model(source: free, path: "m", format: "onnx", samples: ["x": [7, 4]])
  #expect(model.inputShapes["x"] == [1, 7, 4] && model.inputShapes(batch: 3)["x"] == [3, 7, 4])
  #expect(model.macs == 7 * 12 && model.parameters == 12)
  #expect(throws: WorkflowError.self) {
    _ = try Model(source: free, path: "m", format: "onnx", shapes: ["x": [1, 7, 5]])
  }
  #expect(throws: WorkflowError.self) {
    _ = try Model(source: free, path: "m", format: "onnx", shapes: ["nobody": [1]])
  }
}

@Test func aFixedBatchStays() throws {
  let model = try Model(source: try dense([.fixed(2), .fixed(4)]), path: "m", format: "onnx")
  #expect(model.batch(8) == 2 && model.inputShapes(batch: 2)["x"] == [2, 4])
}
