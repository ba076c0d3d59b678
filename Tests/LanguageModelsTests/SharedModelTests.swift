import Foundation
import Graph
import Testing

@testable import LanguageModels
@testable import Tensors

/// The shared language model, from its folder and from GGUF files, computes what PyTorch computes.
struct SharedModelTests {
  /// `$LATHE_SHARED`, else `shared` beside the package.
  private static let folder: URL = {
    let given = ProcessInfo.processInfo.environment["LATHE_SHARED"].map { URL(fileURLWithPath: $0) }
    let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return (given ?? package.deletingLastPathComponent().appendingPathComponent("shared"))
      .appendingPathComponent("models/llm/tinystories-656K")
  }()

  private static let exists = FileManager.default.fileExists(atPath: folder.path)

  private struct Expected: Decodable {
    let tokens: [Int]
    let logits: [String: [Float]]
  }

  private static func expected() throws -> Expected {
    let file = DecoderFixture.folder.deletingLastPathComponent().appendingPathComponent("tinystories.json")
    return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
  }

  @Test(
    .enabled(if: exists, "the shared files are missing"),
    arguments: [
      ".", "tinystories-656K-f16.gguf", "tinystories-656K-q8_0.gguf", "tinystories-656K-q4_0.gguf",
    ])
  func logitsEqualPyTorch(_ name: String) throws {
    let expected = try Self.expected()
    let path = name == "." ? Self.folder.path : Self.folder.appendingPathComponent(name).path
    #expect(LanguageModel.recognises(path))
    let model = try LanguageModel.open(path)
    #expect(model.format == (name == "." ? "safetensors" : "gguf"))
    #expect(model.configuration.contextLength == 512 && model.positions == 512)
    #expect(model.configuration.bos == 1 && model.configuration.eos == [2])
    let rows = try #require(expected.logits[name])
    let logits = try model.compiledLogits(expected.tokens).suffix(rows.count)
    #expect(zip(logits, rows).map { abs($0 - $1) }.max() ?? .infinity < 1e-3)
  }

  /// Float32 weights stay in the file, and names are those of the design.
  @Test(.enabled(if: exists, "the shared files are missing"))
  func weightsAreMapped() throws {
    let model = try LanguageModel.open(Self.folder.path)
    let q = try #require(model.graph.constants["blocks/1/attention/q.weight"])
    #expect(q.storage.isMapped && q.shape == [128, 128])
    #expect(model.graph.constants["output.weight"] == nil)
    let names = Set(model.graph.nodes.map(\.name))
    for name in [
      "embedding", "blocks/0/attention-norm", "blocks/0/attention/k", "blocks/1/attention/rotate-q",
      "blocks/1/attention/scores", "blocks/0/attention/output", "blocks/0/feed-forward-norm",
      "blocks/0/feed-forward/gate", "blocks/0/feed-forward/down", "norm", "output",
    ] {
      #expect(names.contains(name), "\(name)")
    }
    #expect(names.count == model.graph.nodes.count)
  }

  /// The vocabulary of a folder is that of its GGUF file, and survives being written.
  @Test(.enabled(if: exists, "the shared files are missing"))
  func vocabularyIsWritten() throws {
    let model = try LanguageModel.open(Self.folder.path)
    let text = "Once upon a time, there was a little car named Beep."
    let tokens = try model.openTokenizer().encode(text)
    try withFolder { folder in
      let path = folder.appendingPathComponent("model.gguf").path
      #expect(try model.writeGGUF(to: path).isEmpty)
      let back = try LanguageModel.open(path)
      #expect(try back.openTokenizer().encode(text) == tokens)
      #expect(back.configuration.bos == 1 && back.configuration.eos == [2])
      let expected = try Self.expected()
      let rows = try #require(expected.logits["."])
      let logits = try back.compiledLogits(expected.tokens).suffix(rows.count)
      #expect(zip(logits, rows).map { abs($0 - $1) }.max() ?? .infinity < 1e-3)
    }
  }
}
