import Analysis
import Graph
import Jobs
import Quantization
import Tensors
import Testing
import Workflows

private let plain = IntegerInstructions(cpuinfo: "flags\t: avx2\n")

@Suite struct TargetTests {
  /// Findings of a recipe on the sample, by rule.
  private func lint(
    _ target: String, _ preset: String, _ change: (inout Recipe) -> Void = { _ in }
  ) throws -> [String: [LintFinding]] {
    let project = try Sample.project()
    var recipe = try #require(Presets[preset]).recipe
    recipe.calibration.samples = 16
    change(&recipe)
    let candidate = try project.prepare(recipe, name: preset, reporter: .silent)
    let findings = try #require(DeploymentTarget[target]).lint(
      candidate, of: project.model, instructions: plain)
    return Dictionary(grouping: findings, by: \.rule)
  }

  @Test func everyTargetHasANameOfItsOwn() {
    let names = DeploymentTarget.all.map(\.name)
    #expect(Set(names).count == names.count && names.contains("onnxruntime-cpu"))
    for target in DeploymentTarget.all { #expect(DeploymentTarget[target.name]?.title == target.title) }
  }

  @Test func float32HasNothingToFind() throws {
    for target in DeploymentTarget.all { #expect(try lint(target.name, "float").isEmpty) }
  }

  @Test func symmetricOnly() throws {
    let affine = try lint("tensorrt", "static-int8")
    #expect(affine["symmetric-activations"] != nil && affine["dynamic"] == nil)
    let symmetric = try lint("tensorrt", "static-int8") {
      $0.defaults.activations.symmetric = true
      $0.inputs.symmetric = true
    }
    #expect(symmetric["symmetric-activations"] == nil && symmetric["signed-codes"] != nil)
    #expect(try lint("tensorrt", "dynamic-int8")["dynamic"] != nil)
    #expect(try lint("tflite", "static-int8")["symmetric-weights"] == nil)
    #expect(
      try lint("tflite", "static-int8") { $0.defaults.weights.symmetric = false }["symmetric-weights"] != nil)
  }

  @Test func widths() throws {
    #expect(try lint("onnxruntime-cpu", "static-int8") { $0.defaults.weights.bits = 3 }["container"] != nil)
    #expect(try lint("tensorrt", "static-int8") { $0.defaults.weights.bits = 5 }["weight-bits"] != nil)
    // 128 input features; other layers have too few for groups of 64.
    let wide = "stage3/block3/project"
    let thirtyTwo = try lint("tensorrt", "weight-int4")["int4"] ?? []
    let sixtyFour =
      try lint("tensorrt", "weight-int4") { $0.defaults.weights.granularity = .group(64) }["int4"] ?? []
    #expect(thirtyTwo.contains { $0.layer == wide } && !sixtyFour.contains { $0.layer == wide })
    let narrow = try lint("onnxruntime-cpu", "static-int8") { $0.defaults.activations.bits = 4 }
    #expect(narrow["narrow-activations"] != nil)
    #expect(try lint("tflite", "static-int8") { $0.defaults.activations.bits = 6 }["activation-bits"] != nil)
  }

  @Test func codesBelowTheNarrowRange() throws {
    #expect(try lint("tflite", "static-int8")["narrow-range"] == nil)
    #expect(try lint("tflite", "static-int8") { $0.defaults.weights.range = .signed }["narrow-range"] != nil)
  }

  @Test func blocks() throws {
    let conv = try lint("llama.cpp", "weight-int8")
    #expect(conv["operator"] != nil && conv["weights-only"] == nil)
    #expect(try lint("llama.cpp", "static-int8")["weights-only"] != nil)
    let wide = "stage3/block3/project"
    let odd =
      try lint("tflite", "weight-int4") { $0.defaults.weights.granularity = .group(48) }["blocks"] ?? []
    let even = try lint("tflite", "weight-int4")["blocks"] ?? []
    #expect(odd.contains { $0.layer == wide } && !even.contains { $0.layer == wide })
  }

  /// Counted once more, weight by weight, for a convolution's and a matrix's layout.
  @Test func saturation() throws {
    let project = try Sample.project()
    var recipe = try #require(Presets["static-int8"]).recipe
    recipe.calibration.samples = 16
    let candidate = try project.prepare(recipe, name: "static-int8", reporter: .silent)
    let findings = try #require(DeploymentTarget["onnxruntime-cpu"]).lint(
      candidate, of: project.model, instructions: plain
    ).filter { $0.rule == "saturation" }
    for layer in candidate.resolution.layers {
      guard let weight = layer.weights.first, let encoded = candidate.encoded.weights[weight.value] else {
        continue
      }
      let codes = encoded.codes.integers
      let shape = encoded.codes.shape
      let strides = shape.rowMajorStrides
      var channels = Set<Int>()
      for (index, code) in codes.enumerated() {
        let feature = index / strides[weight.role.featureAxis] % shape[weight.role.featureAxis]
        guard feature % 2 == 0, feature + 1 < shape[weight.role.featureAxis] else { continue }
        let sum = 255 * (code + codes[index + strides[weight.role.featureAxis]])
        if sum > 32767 || sum < -32768 {
          channels.insert(index / strides[weight.role.channelAxis] % shape[weight.role.channelAxis])
        }
      }
      let found = findings.first { $0.layer == layer.node }
      #expect((found != nil) == !channels.isEmpty, "\(layer.node)")
      if let found {
        #expect(
          found.text.contains("in \(channels.count) of \(shape[weight.role.channelAxis]) output channels"))
        #expect(found.text.contains("This machine is one of them"))
      }
    }
    #expect(!findings.isEmpty)
    recipe.defaults.weights.bits = 7
    let narrow = try project.prepare(recipe, name: "7 bits", reporter: .silent)
    let target = try #require(DeploymentTarget["onnxruntime-cpu"])
    let rules = target.lint(narrow, of: project.model, instructions: plain).map(\.rule)
    #expect(!rules.contains("saturation"))
  }
}
