import Foundation
import Testing

@testable import LanguageModels

/// Single steps do what those of the `tokenizers` package do.
struct TokenizerStepTests {
  /// expected/steps.json, read with the reader under test: JSONDecoder would take the parts of a step apart.
  private static let steps: JSONPlace = {
    let file = TokenizerFixtures.folder.appendingPathComponent("expected/steps.json")
    let value = (try? Data(contentsOf: file)).flatMap { try? JSONReader.read(Array($0), file: "steps.json") }
    return JSONPlace(file: "steps.json", path: "", value: value ?? .null)
  }()

  private static func names(_ kind: String) -> [String] {
    guard case .object(let members)? = steps.value[kind] else { return [] }
    return members.map { String(decoding: $0.key, as: UTF8.self) }
  }

  static let normalizers = names("normalizers")
  static let preTokenizers = names("pre-tokenizers")
  static let decoders = names("decoders")

  static func preTokenizer(_ name: String) throws -> [any PreTokenizer] {
    try steps.required("pre-tokenizers").required(name).required("step").preTokenizers()
  }

  @Test func theListsAreWhole() {
    #expect(Self.normalizers.count == 17)
    #expect(Self.preTokenizers.count == 35)
    #expect(Self.decoders.count == 12)
  }

  @Test(arguments: normalizers) func normalizersChangeTheSame(_ name: String) throws {
    let entry = try Self.steps.required("normalizers").required(name)
    let steps = try entry.required("step").normalizers()
    let texts = try TokenizerFixtures.texts().texts
    for (text, expected) in zip(texts, try entry.required("texts").elements()) {
      let changed = steps.reduce(Array(text.utf8)) { $1.normalize($0) }
      #expect(changed == (try expected.bytes()), "\(text.debugDescription)")
    }
  }

  @Test(arguments: preTokenizers) func preTokenizersCutTheSame(_ name: String) throws {
    let entry = try Self.steps.required("pre-tokenizers").required(name)
    let steps = try entry.required("step").preTokenizers()
    let texts = try TokenizerFixtures.texts().texts
    for (text, expected) in zip(texts, try entry.required("words").elements()) {
      let words = Self.words(text, steps)
      let wanted = try expected.elements().map { try $0.bytes() }
      #expect(
        words == wanted,
        "\(text.debugDescription): \(words.map { String(decoding: $0, as: UTF8.self) }), not \(wanted.map { String(decoding: $0, as: UTF8.self) })"
      )
    }
  }

  @Test(.enabled(if: TokenizerFixtures.sharedExists), arguments: preTokenizers)
  func sharedTextsAreCutTheSame(_ name: String) throws {
    let steps = try Self.steps.required("pre-tokenizers").required(name).required("step").preTokenizers()
    let expected = try TokenizerFixtures.sharedResults()
    let results = try #require(expected.preTokenizers[name])
    let lengths = try TokenizerFixtures.chunks("wikitext2_valid.txt", length: expected.chunk)
      .map { Self.words($0, steps).map { Int32($0.count) } }
    #expect(lengths.map(\.count) == results.counts)
    #expect(lengths.map { TokenizerFixtures.hash($0) } == results.hashes)
  }

  private static func words(_ text: String, _ steps: [any PreTokenizer]) -> [[UInt8]] {
    var words = Words(Array(text.utf8), isFirst: true)
    for step in steps { step.split(&words) }
    return words.ranges.map { Array(words.text[$0]) }
  }

  @Test(arguments: decoders) func decodersMakeTheSameText(_ name: String) throws {
    let entry = try Self.steps.required("decoders").required(name)
    let tokens = try entry.required("tokens").elements().map { try $0.bytes() }
    let decoded = try entry.required("step").decoders().reduce(tokens) { $1.decode($0) }
    #expect(Array(decoded.joined()) == (try entry.required("text").bytes()))
  }
}
