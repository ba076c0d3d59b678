import Foundation
import LanguageModels
import Testing

/// Numbers and texts equal those of the `tokenizers` package.
struct TokenizerParityTests {
  @Test(
    arguments: TokenizerFixtures.own + (TokenizerFixtures.sharedExists ? TokenizerFixtures.sharedModels : []))
  func oddTextsHaveTheSameNumbersAndComeBackTheSame(_ name: String) throws {
    let expected = try TokenizerFixtures.texts()
    let results = try #require(expected.tokenizers[name])
    let tokenizer = try TokenizerFixtures.open(name)
    for (number, text) in expected.texts.enumerated() {
      let tokens = tokenizer.encode(text)
      #expect(tokens == results.ids[number], "text \(number): \(text.debugDescription)")
      let bare = tokenizer.encode(text, addsSpecialTokens: false, prefixSpace: nil)
      #expect((bare == tokens) == results.bare[number], "text \(number)")
      let decoded = tokenizer.decode(results.ids[number])
      #expect(same(decoded, results.decoded[number]), "text \(number): \(decoded.debugDescription)")
      if let expected = results.decodedWithSpecial?[number] {
        let whole = tokenizer.decode(results.ids[number], skipsSpecialTokens: false)
        #expect(same(whole, expected), "text \(number): \(whole.debugDescription)")
      }
    }
  }

  @Test(
    .enabled(if: TokenizerFixtures.sharedExists),
    arguments: TokenizerFixtures.own + TokenizerFixtures.sharedModels)
  func sharedTextsHaveTheSameNumbers(_ name: String) throws {
    let expected = try TokenizerFixtures.sharedResults()
    let tokenizer = try TokenizerFixtures.open(name)
    for (file, results) in try #require(expected.tokenizers[name]) {
      let tokens = try TokenizerFixtures.chunks(file, length: expected.chunk).map { tokenizer.encode($0) }
      #expect(Array(try #require(tokens.first).prefix(24)) == results.first, "\(file)")
      #expect(tokens.map(\.count) == results.counts, "\(file)")
      #expect(tokens.map { TokenizerFixtures.hash($0) } == results.hashes, "\(file)")
    }
  }

  /// Equality of bytes; `==` of texts takes canonically equivalent ones for equal.
  private func same(_ left: String, _ right: String) -> Bool { Array(left.utf8) == Array(right.utf8) }
}
