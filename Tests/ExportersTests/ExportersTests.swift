import Exporters
import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing

private func input(_ recipe: Recipe, candidate: Candidate? = nil) throws -> ExportInput {
  let graph = Graph(
    name: "two", inputs: [ValueInfo(name: "x", type: .float32, dimensions: [.fixed(1), .fixed(8)])],
    outputs: [ValueInfo(name: "z", type: .float32, dimensions: nil)],
    constants: [
      "w": Tensor((0..<64).map { Float($0) / 64 }, shape: [8, 8]),
      "v": Tensor((0..<64).map { Float($0) / 32 - 1 }, shape: [8, 8]),
    ],
    nodes: [
      Node(name: "first", op: try MatMul(attributes: [:]), inputs: ["x", "w"], outputs: ["y"]),
      Node(name: "second \"quoted\"", op: try MatMul(attributes: [:]), inputs: ["y", "v"], outputs: ["z"]),
    ])
  return ExportInput(
    modelPath: "model.onnx", graph: graph, recipe: recipe,
    resolution: recipe.resolve(graph, infos: try graph.infer()),
    candidate: candidate)
}

@Test func trainedLayersAreStaticOnesThatLoseTheirTraining() throws {
  let onnxruntime = try #require(Exporter["onnxruntime"])
  let exported = try onnxruntime.export(try input(try #require(Presets["qat-int8"]).recipe))
  #expect(exported.text.contains("quantize_static(") && exported.text.contains("nodes_to_exclude=[]"))
  #expect(exported.losses.contains { $0.contains("2 trained layers are calibrated only") })
}

@Test func theRecipeReadsBackEqual() throws {
  for preset in Presets.all {
    let exported = try #require(Exporter["lathe"]).export(try input(preset.recipe))
    #expect(try Recipe(yaml: exported.text, file: "out.yaml") == preset.recipe)
    #expect(exported.losses.isEmpty)
  }
}

/// A note is a comment in files that have such, and changes nothing else.
@Test func notesAreComments() throws {
  let note = "keeps the stem\nand \u{1B}more"
  let recipe = try #require(Presets["static-int8"]).recipe
  let lathe = try #require(Exporter["lathe"])
  let plain = try lathe.export(try input(recipe))
  let noted = plain.noted(note, by: lathe)
  #expect(noted.text == "# keeps the stem\n# and more\n" + plain.text)
  #expect(try Recipe(yaml: noted.text, file: "out.yaml") == recipe)
  #expect(plain.noted("", by: lathe).text == plain.text)
  let script = try #require(Exporter["onnxruntime"])
  let shebang = Exported(text: "#!/usr/bin/env python3\nprint()\n").noted("a", by: script)
  #expect(shebang.text == "#!/usr/bin/env python3\n# a\nprint()\n")
  let cache = try #require(Exporter["onnxruntime-cache"])
  #expect(Exported(text: "{}").noted("a", by: cache).text == "{}")
}

@Test func theScriptExcludesWhatStaysFloatAndSaysWhatIsLost() throws {
  var recipe = try #require(Presets["onnxruntime-qdq"]).recipe
  recipe.set(
    SettingsChange(mode: .float), for: [LayerIdentity(name: "second \"quoted\"", operatorName: "MatMul")])
  let script = try #require(Exporter["onnxruntime"]).export(try input(recipe))
  #expect(script.text.contains("quantize_static(") && script.text.contains("per_channel=True"))
  #expect(script.text.contains("\"second \\\"quoted\\\"\","))
  #expect(!script.text.contains("  \"first\","))
  #expect(script.losses.isEmpty)

  let weightOnly = try #require(Exporter["onnxruntime"]).export(
    try input(try #require(Presets["weight-int4"]).recipe))
  #expect(weightOnly.losses.contains { $0.contains("weight-only") })
}

@Test func theScriptSaysThatMethodsAreLost() throws {
  var recipe = try #require(Presets["static-int8-best"]).recipe
  recipe.defaults.weights.method = .gptq
  recipe.defaults.weights.scale = .outputMSE
  recipe.corrections = [.smoothQuant, .biasCorrection, .batchNormReEstimation]
  let losses = try #require(Exporter["onnxruntime"]).export(try input(recipe)).losses
  for word in [
    "GPTQ becomes", "weight ranges (output-mse) become", "bias-correction is not", "smooth-quant is not",
    "batch-norm-re-estimation is not", "corrections, equalization, ranges, rounding, modes are not",
  ] {
    #expect(losses.contains { $0.hasPrefix(word) }, "\(word): \(losses)")
  }
}

@Test func theDynamicScriptNamesItsOperators() throws {
  let script = try #require(Exporter["onnxruntime"]).export(
    try input(try #require(Presets["dynamic-int8"]).recipe))
  #expect(script.text.contains("quantize_dynamic(") && script.text.contains("\"MatMul\","))
}

@Test func theCacheHoldsTheChosenRanges() throws {
  let recipe = try #require(Presets["static-int8"]).recipe
  let given = try input(recipe)
  let range = ObservedRange(lowest: -2, highest: 3, lower: -1.5, upper: 2.5, count: 8, observer: .mse)
  let candidate = Candidate(
    recipe: recipe, encoded: EncodedGraph(graph: given.graph), resolution: given.resolution, warnings: [],
    observed: ["x": range], quantizeSeconds: 0)
  let cache = try #require(Exporter["onnxruntime-cache"])
  let text = try cache.export(try input(recipe, candidate: candidate)).text
  let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  let data = try #require(json["data"] as? [String: [String: Any]])
  let lowest = try #require(data["x"]?["lowest"] as? [String: Any])
  #expect(lowest["data"] as? [Double] == [-1.5])
  #expect(throws: QuantizationError.self) { _ = try cache.export(given) }
}

@Test func namesOfExportersAreUnique() {
  #expect(Set(Exporter.all.map(\.name)).count == Exporter.all.count)
}
