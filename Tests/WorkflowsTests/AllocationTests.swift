import CAllocations
import Datasets
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Testing
import Workflows

private let shared: URL = {
  if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return URL(fileURLWithPath: path) }
  return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("shared")
}()

/// Without optimisation Swift puts its temporary buffers on the heap.
private let isOptimized: Bool = {
  #if DEBUG
    false
  #else
    true
  #endif
}()

@Suite struct AllocationTests {
  static let models = [
    "vision/resnet8_cifar10-mlperftiny.onnx", "vision/resnet20_cifar10-akamaster.onnx",
    "vision/mnist-12-ort.onnx",
    "vision/mobilenet_v1_0.25_224-tf.onnx", "audio/dscnn_kws-mlperftiny.onnx",
  ]

  @Test func theCounterCounts() {
    let before = allocations()
    if before < 0 { return }
    withExtendedLifetime([Int](repeating: 1, count: Int.random(in: 1000...2000))) {}
    #expect(allocations() > before)
  }

  /// Once compiled, a program that has no reference steps runs without asking for memory.
  @Test(
    .enabled(if: isOptimized, "a debug build allocates temporary buffers"),
    .enabled(
      if: FileManager.default.fileExists(atPath: shared.path + "/models"), "the shared models are not here"),
    arguments: models, ["float", "static-int8", "dynamic-int8", "weight-int8", "weight-int4"])
  func executionAllocatesNothing(_ path: String, _ preset: String) throws {
    let project = try Project.open(model: shared.path + "/models/" + path, threads: 1)
    var recipe = try #require(Presets[preset]).recipe
    recipe.calibration.samples = 2
    let candidate = try project.prepare(recipe, name: preset, reporter: .silent)
    let shapes = project.model.inputShapes(batch: 1)
    let program = try compile(candidate.encoded, CompileOptions(inputShapes: shapes, threads: 1))
    #expect(!program.steps.contains { $0.kernel.hasPrefix("reference") })
    try program.load(project.data.batch([0]))
    try program.execute()
    let before = allocations()
    for _ in 0..<3 { try program.execute() }
    #expect(allocations() == before)
  }
}
