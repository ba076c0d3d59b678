import Datasets
import Evaluation
import Foundation
import Graph
import Jobs
import LanguageModels
import Operators
import Quantization
import Tensors
import Testing

@testable import Workflows

/// A token for each byte, behind one that starts a document.
private struct Bytes: Tokenizer {
  var vocabularySize = 257
  var bos: Int32? = 0
  var eos: Int32?

  func encode(_ text: String, addsSpecialTokens: Bool, prefixSpace: Bool?) -> [Int32] {
    (addsSpecialTokens ? [0] : []) + text.utf8.map { Int32($0) + 1 }
  }
  func decode(_ tokens: [Int32], skipsSpecialTokens: Bool) -> String {
    String(decoding: tokens.flatMap(bytes), as: UTF8.self)
  }
  func bytes(of token: Int32) -> [UInt8] { token < 1 ? [] : [UInt8(token - 1)] }
}

/// What a language model is to all that measures: tokens and positions in, a row of logits for each token out.
@Suite struct LanguageTests {
  private static let vocabulary = 257
  private static let width = 32

  private static func values(_ shape: Shape, seed: UInt64, scale: Float) -> Tensor {
    var random = SplitMix64(seed: seed)
    return Tensor((0..<shape.elementCount).map { _ in scale * Float(2 * random.unit() - 1) }, shape: shape)
  }

  private static func model() throws -> Model {
    var graph = Graph()
    for name in TokenWindows.inputNames {
      graph.inputs.append(ValueInfo(name: name, type: .int64, dimensions: [.free("batch"), .free("length")]))
    }
    graph.outputs = [ValueInfo(name: Language.logits, type: .float32, dimensions: nil)]
    graph.constants["embedding.weight"] = values([vocabulary, width], seed: 1, scale: 1)
    graph.constants["places.weight"] = values([64, width], seed: 2, scale: 0.3)
    graph.constants["output.weight"] = values([width, vocabulary], seed: 3, scale: 0.7)
    func node(_ type: String, _ name: String, _ inputs: [String], _ output: String) throws {
      let op = try #require(Catalog.find(domain: "", type: type))
      graph.nodes.append(
        Node(name: name, op: try op.init(attributes: [:]), inputs: inputs, outputs: [output]))
    }
    try node("Gather", "embedding", ["embedding.weight", "tokens"], "x")
    try node("Gather", "places", ["places.weight", "positions"], "p")
    try node("Add", "sum", ["x", "p"], "h")
    try node("MatMul", "output", ["h", "output.weight"], Language.logits)
    return try Model(
      source: graph, path: "tiny", format: "made",
      language: Language(tokenizer: Bytes(), context: 64, vocabulary: vocabulary))
  }

  private static func project(_ text: String?) throws -> Project {
    let model = try model()
    let specs = TokenWindows.inputNames.map { InputSpec(name: $0, type: .int64, dimensions: [nil, nil]) }
    var data: BoundDataset?
    if let text {
      let path = NSTemporaryDirectory() + "language-\(UUID().uuidString).txt"
      defer { try? FileManager.default.removeItem(atPath: path) }
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      data = try model.language?.text(path, for: specs)
    }
    return try Project(model: model, data: data, threads: 2)
  }

  private static let text = String(
    repeating: "Once upon a time there was a window of sixty-four bytes. ", count: 12)

  private static func recipe(_ bits: Int, _ method: Quantization.Method = .nearest) -> Recipe {
    var recipe = Recipe(name: "w\(bits)", defaults: LayerSettings(mode: .weightOnly))
    recipe.defaults.weights.bits = bits
    recipe.defaults.weights.granularity = .group(32)
    recipe.defaults.weights.symmetric = false
    recipe.defaults.weights.method = method
    recipe.calibration.samples = 4
    return recipe
  }

  /// float32's losses of the scored tokens, from its logits in float64.
  private func losses(_ project: Project) throws -> [Double] {
    let runner = try Runner(
      EncodedGraph(graph: project.model.graph), model: project.model, batch: 1, threads: 1)
    var losses: [Double] = []
    for window in 0..<project.data.count {
      let logits = try runner.run(project.data.batch([window]), count: 1)[0].array(of: Float.self)
      for (place, label) in project.data.labels(of: [window]).enumerated() where label >= 0 {
        let row = logits[place * Self.vocabulary..<(place + 1) * Self.vocabulary].map { Double($0) }
        losses.append(log(row.reduce(0) { $0 + exp($1) }) - row[label])
      }
    }
    return losses
  }

  @Test func perplexityIsThatOfTheLogits() throws {
    let project = try Self.project(Self.text)
    #expect(project.data.count == 10 && project.model.inputShapes["tokens"] == [1, 64])
    #expect(project.model.batchInputs == ["tokens", "positions"])
    let losses = try losses(project)
    #expect(losses.count == 630)
    let comparison = try project.compare([("w8", Self.recipe(8)), ("w2", Self.recipe(2))], reporter: .silent)
    let report = comparison.report
    let perplexity = exp(losses.reduce(0, +) / Double(losses.count))
    #expect(abs(try #require(report.float32.perplexity) / perplexity - 1) < 1e-5)
    #expect(report.float32.tokens == 630 && report.data.tokens == 630 && report.data.samples == 10)
    #expect(report.data.labelled && report.answers == nil)
    for trial in report.candidates {
      let ratio = try #require(trial.perplexityRatio)
      #expect(abs(try #require(trial.perplexity) / perplexity / ratio - 1) < 1e-9)
      #expect(abs(try #require(trial.perplexityDelta) - perplexity * (ratio - 1)) < 1e-3)
      let ends = try #require(trial.perplexityDeltaCi95)
      #expect(ends[0] < perplexity * (ratio - 1) && perplexity * (ratio - 1) < ends[1])
      #expect(trial.top5 == nil && trial.worstClass == nil && trial.top1Delta != nil)
    }
    let (fine, coarse) = (report.candidates[0], report.candidates[1])
    #expect(try #require(fine.kl) < 0.1 * #require(coarse.kl))
    #expect(try #require(fine.rmsDeltaP) < 0.3 * #require(coarse.rmsDeltaP))
    #expect(try #require(fine.agreement) > #require(coarse.agreement))
  }

  /// Every figure of a language model is in the schema, and the table names what is there.
  @Test func figuresAreShown() throws {
    let report = try Self.project(Self.text).compare([("w4", Self.recipe(4))], reporter: .silent).report
    let titles = report.rows.map { $0[0].trimmingCharacters(in: .whitespaces) }
    for title in ["perplexity", "Δ perplexity", "95 %, paired", "RMS Δp %", "next token %", "KL"] {
      #expect(titles.contains(title), "\(title) is not among \(titles)")
    }
    #expect(!titles.contains("top-1 %") && !titles.contains("top-5 %"))
    #expect(report.text.contains("10 windows, 630 tokens"))
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let json = try JSONSerialization.jsonObject(with: encoder.encode(report)) as? [String: Any]
    let trials = [json?["float32"] as Any] + ((json?["candidates"] as? [Any]) ?? [])
    let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Interop/compare.schema.json")
    let schema = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let trial = (schema?["$defs"] as? [String: Any])?["trial"] as? [String: Any]
    let known = Set(((trial?["properties"] as? [String: Any]) ?? [:]).keys)
    for entry in trials {
      let keys = Set(((entry as? [String: Any]) ?? [:]).keys)
      #expect(keys.contains("perplexity_ci95") && keys.subtracting(known).isEmpty)
    }
    #expect(Set(((trials.last as? [String: Any]) ?? [:]).keys).contains("rms_delta_p_ci95"))
  }

  /// Windows calibrate as samples do, and those few are cross-fitted.
  @Test func windowsCalibrate() throws {
    let project = try Self.project(Self.text)
    let plan = project.plan([Self.recipe(3, .gptq)])
    #expect(plan.folds.count == 5)
    let report = try project.compare(
      [("gptq", Self.recipe(3, .gptq)), ("nearest", Self.recipe(3))], reporter: .silent
    ).report
    #expect(report.candidates.allSatisfy { $0.tokens == 630 })
    #expect(try #require(report.candidates[0].kl) < #require(report.candidates[1].kl))
    let limited = try project.compare([("w4", Self.recipe(4))], limit: 3, reporter: .silent).report
    #expect(limited.data.samples == 3 && limited.data.tokens == 189)
  }

  /// Without data the tokens are made up: what is the same as float32's can be said, and what is right cannot.
  @Test func withoutDataThereIsNoPerplexity() throws {
    let project = try Self.project(nil)
    #expect(project.data.isSynthetic && !project.data.isLabelled)
    #expect(project.data.count == EvaluationPlan.syntheticWindows)
    let trial = try project.compare([("w4", Self.recipe(4))], reporter: .silent).report.candidates[0]
    #expect(trial.perplexity == nil && trial.top1 == nil && trial.loss == nil)
    #expect(trial.kl != nil && trial.agreement != nil && trial.tokens == 64 * EvaluationPlan.syntheticWindows)
  }

  /// float32's outputs are computed again where they are too many to keep.
  @Test func theJudgeAgreesWithTheMeasurement() throws {
    let project = try Self.project(Self.text)
    let candidate = try project.prepare(Self.recipe(4), name: "x", reporter: .silent)
    let judge = try Judge(project, project.data)
    let measured = try project.compare([("w4", Self.recipe(4))], reporter: .silent).report.candidates[0]
    let scores = try judge.scores(candidate.runnable())
    #expect(judge.classCount == Self.vocabulary && scores.scoresTokens)
    #expect(abs(try #require(scores.perplexity).value - #require(measured.perplexity)) < 1e-6)
    #expect(abs(try #require(scores.meanDivergence) - #require(measured.kl)) < 1e-9)
  }
}
