import Foundation
import LanguageModels
import Testing

/// Decoding undoes encoding wherever the vocabulary can write every text.
struct TokenizerRoundTripTests {
  /// Seeded, so that a failure comes again.
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 33) &* 0xFF51_AFD7_ED55_8CCD
    }
  }

  private static func text(_ numbers: inout Numbers) -> String {
    var text = String.UnicodeScalarView()
    let ranges: [ClosedRange<UInt32>] = [
      0x20...0x7E, 0x20...0x7E, 0x09...0x0D, 0x80...0x24F, 0x300...0x36F, 0x370...0x1FFF, 0x2000...0x2BFF,
      0x3040...0x9FFF, 0xAC00...0xD7A3, 0xE000...0xFFFF, 0x10000...0x1FFFF, 0x20000...0x10FFFF,
    ]
    for _ in 0..<Int.random(in: 0...40, using: &numbers) {
      let range = ranges[Int.random(in: 0..<ranges.count, using: &numbers)]
      let value = UInt32.random(in: range, using: &numbers)
      for _ in 0..<(Int.random(in: 0..<6, using: &numbers) == 0 ? Int.random(in: 1...9, using: &numbers) : 1)
      {
        if let scalar = Unicode.Scalar(value) { text.append(scalar) }
      }
    }
    return String(text)
  }

  @Test(arguments: ["gpt2", "llama3", "llama2"]) func randomTextsComeBack(_ name: String) throws {
    let tokenizer = try TokenizerFixtures.open(name)
    var numbers = Numbers(state: 7)
    for _ in 0..<2000 {
      let text = Self.text(&numbers)
      let tokens = tokenizer.encode(text, addsSpecialTokens: false, prefixSpace: nil)
      let back = tokenizer.decode(tokens, skipsSpecialTokens: false)
      #expect(Array(back.utf8) == Array(text.utf8), "\(text.debugDescription)")
    }
  }

  /// The bytes of the tokens one by one are the text, in the stream and as a whole.
  @Test(arguments: ["gpt2", "llama3", "llama2", "gemma", "clip", "unigram", "bert-cased"])
  func aStreamGivesTheSameText(_ name: String) throws {
    let tokenizer = try TokenizerFixtures.open(name)
    var numbers = Numbers(state: 11)
    for text in (0..<200).map({ _ in Self.text(&numbers) }) + [
      "Once upon a time, there was a girl. It's 😀 here"
    ] {
      let tokens = tokenizer.encode(text, addsSpecialTokens: false, prefixSpace: nil)
      guard tokens.count > 1 else { continue }
      // What follows the first token, which alone may lose a blank.
      let first = tokenizer.bytes(of: tokens[0])
      var stream = TextStream(tokenizer)
      var streamed = ""
      for token in tokens { streamed += stream.append(token) }
      streamed += stream.finish()
      let bytes = tokens.flatMap { tokenizer.bytes(of: $0) }
      #expect(Array(streamed.utf8) == Array(String(decoding: bytes, as: UTF8.self).utf8))
      #expect(bytes.starts(with: first))
      if name != "clip", name != "bert-cased" {
        let whole = tokenizer.decode(tokens, skipsSpecialTokens: false)
        #expect(streamed == whole || streamed == " " + whole, "\(text.debugDescription)")
      }
    }
  }

  @Test func aStreamGivesOutWholeCharactersOnly() throws {
    let tokenizer = try TokenizerFixtures.open("gpt2")
    var stream = TextStream(tokenizer)
    let tokens = tokenizer.encode("é😀x", addsSpecialTokens: false, prefixSpace: nil)
    let pieces = tokens.map { stream.append($0) }
    #expect(pieces.joined() == "é😀x")
    #expect(pieces.allSatisfy { !$0.contains("\u{FFFD}") })
    #expect(pieces.contains(""))
    // A character that never comes to its end.
    _ = stream.append(tokens[0])
    #expect(stream.finish() == "\u{FFFD}")
  }

  @Test func prefixSpace() throws {
    let llama = try TokenizerFixtures.open("llama2")
    let text = "Once"
    #expect(llama.encode(text) == llama.encode(text, addsSpecialTokens: true, prefixSpace: true))
    let bare = llama.encode(text, addsSpecialTokens: false, prefixSpace: false)
    #expect(bare.flatMap { llama.bytes(of: $0) } == Array("Once".utf8))
    let gpt2 = try TokenizerFixtures.open("gpt2")
    #expect(gpt2.encode(text, addsSpecialTokens: false, prefixSpace: true) == gpt2.encode(" Once"))
    #expect(gpt2.encode(text, addsSpecialTokens: false, prefixSpace: false) == gpt2.encode("Once"))
  }
}
