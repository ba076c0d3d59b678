import Formats
import Foundation
import Testing

@testable import LanguageModels

/// Tokenizers from GGUF's arrays, and the arrays of a tokenizer.
struct GGUFTokenizerTests {
  /// What becomes of a tokenizer.json that is written as GGUF's arrays and read again.
  private func rewritten(_ name: String) throws -> (GGUFVocabulary, PipelineTokenizer) {
    let vocabulary = try GGUFVocabulary(TokenizerFixtures.open(name), file: name)
    return (vocabulary, try PipelineTokenizer(vocabulary, file: name))
  }

  @Test(arguments: [("gpt2", "gpt-2"), ("llama3", "llama-bpe"), ("qwen2", "qwen2")])
  func byteLevelTokenizersSurvive(_ name: String, _ pre: String) throws {
    let (vocabulary, tokenizer) = try rewritten(name)
    #expect(vocabulary.model == "gpt2")
    #expect(vocabulary.pre == pre)
    let expected = try TokenizerFixtures.texts()
    let ids = try #require(expected.tokenizers[name]).ids
    // GGUF has no word for added tokens that take the blanks around them, or only stand alone, nor for composition.
    let texts = zip(expected.texts, ids).filter { text, _ in
      !text.contains("New") && !text.contains("york") && !text.contains("<|pad|>")
        && (name != "qwen2" || Array(text.utf8) == Array(text.precomposedStringWithCanonicalMapping.utf8))
    }
    #expect(texts.count > 30)
    for (text, tokens) in texts { #expect(tokenizer.encode(text) == tokens, "\(text.debugDescription)") }
  }

  @Test func wordPieceSurvives() throws {
    let (vocabulary, tokenizer) = try rewritten("bert-cased")
    #expect(vocabulary.model == "bert")
    #expect(vocabulary.lowercases == false)
    #expect(vocabulary.tokens.contains("▁the"))
    let original = try TokenizerFixtures.open("bert-cased")
    for text in try TokenizerFixtures.texts().texts where !text.contains("[MASK]") && text.count < 200 {
      #expect(tokenizer.encode(text) == original.encode(text), "\(text.debugDescription)")
      #expect(tokenizer.decode(original.encode(text)) == original.decode(original.encode(text)))
    }
  }

  @Test func unigramSurvives() throws {
    let (vocabulary, tokenizer) = try rewritten("unigram")
    #expect(vocabulary.model == "t5")
    #expect(!vocabulary.characterMap.isEmpty)
    let original = try TokenizerFixtures.open("unigram")
    for text in ["Hello, world!", "Once upon a time  there was\ta ½ girl… ﬁn", "Lily didn't", "日本"] {
      #expect(tokenizer.encode(text) == original.encode(text), "\(text.debugDescription)")
    }
    // Rules of more than a character apply only in SentencePiece's way: ab → X, abc → Y.
    for (one, expected) in [(original, "abc"), (tokenizer, "Y")] {
      #expect(one.decode(one.encode("abc", addsSpecialTokens: false, prefixSpace: nil)) == expected)
    }
  }

  @Test(.enabled(if: TokenizerFixtures.sharedExists))
  func scoresOfMergesGiveTheSameTokens() throws {
    let name = "models/llm/tinystories-656K"
    let (vocabulary, tokenizer) = try rewritten(name)
    #expect(vocabulary.model == "llama")
    #expect(vocabulary.bos == 1)
    #expect(vocabulary.eos == 2)
    #expect(vocabulary.addsBOS == true)
    let original = try TokenizerFixtures.open(name)
    for file in ["tinystories_a.txt", "wikitext2_valid.txt"] {
      for chunk in try TokenizerFixtures.chunks(file, length: 20_000) {
        // GGUF has no word for a token that is looked for in the normalized text, as this file has its <unk>.
        let text = chunk.replacingOccurrences(of: "<unk>", with: "unk")
        #expect(tokenizer.encode(text) == original.encode(text), "\(file)")
      }
    }
  }

  /// Merging by score, worked by hand: the best neighbours first, the left of equals, bytes for what is no token.
  @Test func scoredMerging() throws {
    var vocabulary = GGUFVocabulary(
      model: "llama",
      tokens: ["<unk>", "<s>", "</s>", "<0xC3>", "<0xA9>", "▁", "a", "b", "ab", "ba", "▁a", "aba", "▁aba"])
    vocabulary.scores = [0, 0, 0, 0, 0, -10, -11, -12, -1, -2, -3, -4, -5]
    vocabulary.types = [2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1]
    let tokenizer = try PipelineTokenizer(vocabulary, file: "test")
    #expect(tokenizer.encode("aba") == [1, 12])
    #expect(tokenizer.encode("abab") == [1, 5, 8, 8])
    #expect(tokenizer.encode("é") == [1, 5, 3, 4])
    #expect(tokenizer.encode("üü") == [1, 5, 0])
    #expect(tokenizer.encode("aba", addsSpecialTokens: false, prefixSpace: false) == [11])
    #expect(tokenizer.decode([1, 12, 5, 3, 4, 2]) == "aba é")
    #expect(tokenizer.encode("a</s>b") == [1, 10, 2, 5, 7])
    vocabulary.addsSpacePrefix = false
    vocabulary.addsBOS = false
    vocabulary.addsEOS = true
    #expect(try PipelineTokenizer(vocabulary, file: "test").encode("aba") == [11, 2])
  }

  @Test func everyNamedPatternCompilesAndIsFoundAgain() throws {
    for pre in GGUFPreTokenizer.all {
      for pattern in pre.patterns { #expect(throws: Never.self) { try Pattern(pattern) } }
      #expect(GGUFPreTokenizer.named(pre.names[0])?.patterns == pre.patterns)
    }
    let names = GGUFPreTokenizer.all.flatMap(\.names)
    #expect(Set(names).count == names.count)
  }

  /// The patterns of this table are those that the fixtures, made from the published files, hold.
  @Test(arguments: [
    "llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken", "seed-coder", "exaone-moe", "deepseek-v3",
    "deepseek-llm",
    "bloom",
  ])
  func patternsAreThePublishedOnes(_ name: String) throws {
    let pre = try #require(GGUFPreTokenizer.named(name))
    var sources: [String] = []
    for step in try TokenizerStepTests.preTokenizer(name) {
      if let split = step as? PatternSplit { sources.append(split.pattern.source) }
    }
    let expected = sources.map { Array($0.utf8) }
    #expect(pre.patterns.prefix(expected.count).map { Array($0.utf8) } == expected)
  }

  @Test func whatIsWrongIsSaid() {
    func message(_ change: (inout GGUFVocabulary) -> Void) -> String {
      var vocabulary = GGUFVocabulary(model: "gpt2", tokens: ["a", "b", "ab"])
      vocabulary.pre = "gpt-2"
      vocabulary.merges = ["a b"]
      change(&vocabulary)
      do throws(ImportError) {
        _ = try PipelineTokenizer(vocabulary, file: "x.gguf")
        return ""
      } catch {
        return error.description
      }
    }
    #expect(message { _ in } == "")
    #expect(message { $0.model = "rwkv" }.contains("tokenizer.ggml.model"))
    #expect(message { $0.pre = "no such" }.contains("no such"))
    #expect(message { $0.merges = [] }.contains("tokenizer.ggml.merges"))
    #expect(message { $0.merges = ["a b", "ab"] }.contains("tokenizer.ggml.merges[1]"))
    #expect(message { $0.merges = ["b a"] }.contains("is no token"))
    #expect(message { $0.types = [1] }.contains("found 1, expected 3"))
    #expect(message { $0.tokens = [] }.contains("tokenizer.ggml.tokens"))
    #expect(message { $0.model = "llama" }.contains("found 0, expected 3"))
    #expect(message { $0.model = "bert" }.contains("unknown_token_id"))
    #expect(
      message {
        $0.model = "t5"
        $0.scores = [0, 0, 0]
        $0.characterMap = [9, 0, 0, 0, 1]
      }.contains("precompiled_charsmap"))
  }
}
