import Datasets
import Foundation
import Graph
import Jobs
import LanguageModels
import Quantization
import Tensors
import Testing

@testable import Workflows

/// The shared language model's perplexity by published protocols, beside figures of PyTorch and llama.cpp.
@Suite struct PerplexityTests {
  static let shared =
    ProcessInfo.processInfo.environment["LATHE_SHARED"]
    ?? URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("shared").path
  static let model = shared + "/models/llm/tinystories-656K"
  static let isThere = FileManager.default.fileExists(atPath: model + "/config.json")

  /// Each document of the first 200 000 bytes by itself.
  static let documents = "protocol: documents, bytes: 200000, prefix-space: false"
  /// The same bytes as they stand, separators and all.
  static let stream = "protocol: stream, bytes: 200000, prefix-space: false, window: 512"

  private func project(_ file: String, _ keys: String) throws -> Project {
    let model = try ModelFile(Self.model + file)
    // The GGUF files have no scores to merge pieces by: the folder's tokenizer stands for theirs.
    let language = try #require(ModelFile(Self.model).language)
    let card = Self.shared + "/data/text/card.yaml"
    let source = try #require(
      try DatasetCard.parse("text: {file: tinystories_a.txt, \(keys)}", file: card).text)
    let windows = try source.windows(
      card: card, tokenizer: language.tokenizer, context: language.context, vocabulary: language.vocabulary)
    let specs = model.source.suppliedInputs.map { InputSpec(name: $0.name, type: .int64, dimensions: nil) }
    let data = try BoundDataset.text(
      windows, path: card, for: specs, answerOutput: Language.logits)
    return try Project(model: Model(model, samples: data.sampleShapes), data: data, threads: 2)
  }

  private func perplexity(_ project: Project) throws -> (value: Double, tokens: Int, windows: Int) {
    var options = MeasureOptions()
    options.measuresLatency = false
    let trial = try project.measure([], plan: project.plan([]), options: options, reporter: .silent).float32
    return try (#require(trial.perplexity), #require(trial.tokens), project.data.count)
  }

  @Test(
    .enabled(if: isThere),
    arguments: [(documents, 23.668, 49_004, 246), (stream, 49.643, 51_100, 100)])
  func float32IsThatOfPyTorch(_ keys: String, _ expected: Double, _ tokens: Int, _ windows: Int) throws {
    let found = try perplexity(project("", keys))
    print("perplexity of \(windows) windows: \(found.value), expected \(expected)")
    #expect(abs(found.value / expected - 1) < 0.001 && found.tokens == tokens && found.windows == windows)
  }

  /// Files made by llama.cpp, against its own figures for them.
  @Test(
    .enabled(if: isThere),
    arguments: [("q8_0", 23.6938), ("q4_0", 25.3822)])
  func quantizedFilesAreThoseOfLlamaCpp(_ type: String, _ expected: Double) throws {
    let found = try perplexity(project("/tinystories-656K-\(type).gguf", Self.documents))
    print("perplexity of \(type): \(found.value), expected \(expected)")
    #expect(abs(found.value / expected - 1) < 0.002)
  }
}
