import Datasets
import Foundation
import LanguageModels
import Tensors
import Testing

/// A token for each byte, behind three that have no text: 0, what starts a document (1) and what ends one (2).
private struct ByteTokenizer: Tokenizer {
  var vocabularySize = 259
  var bos: Int32? = 1
  var eos: Int32? = 2

  func encode(_ text: String, addsSpecialTokens: Bool, prefixSpace: Bool?) -> [Int32] {
    let text = prefixSpace == true ? " " + text : text
    return (addsSpecialTokens ? [1] : []) + text.utf8.map { Int32($0) + 3 }
  }

  func decode(_ tokens: [Int32], skipsSpecialTokens: Bool) -> String {
    String(decoding: tokens.flatMap(bytes), as: UTF8.self)
  }

  func bytes(of token: Int32) -> [UInt8] { token < 3 ? [] : [UInt8(token - 3)] }
}

/// Windows as people read them: `^` and `$` start and end a document, and what is predicted and scored is in brackets.
private func read(_ windows: TokenWindows) -> [String] {
  (0..<windows.count).map { window in
    var text = ""
    for place in 0..<windows.length {
      if windows.scored[window].lowerBound == place - 1, !windows.scored[window].isEmpty { text += "[" }
      switch windows.tokens[window * windows.length + place] {
      case 1: text += "^"
      case 2: text += "$"
      case let token: text += String(decoding: ByteTokenizer().bytes(of: token), as: UTF8.self)
      }
      if windows.scored[window].upperBound == place, !windows.scored[window].isEmpty { text += "]" }
    }
    return text
  }
}

@Suite struct TextWindowsTests {
  private let folder: String
  init() throws {
    folder = NSTemporaryDirectory() + "text-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func windows(
    _ text: String, _ card: String, context: Int = 100, bos: Int32? = 1
  ) throws -> TokenWindows {
    try text.write(toFile: folder + "/a.txt", atomically: true, encoding: .utf8)
    let path = folder + "/card.yaml"
    let source = try #require(try DatasetCard.parse("text: \(card)", file: path).text)
    return try source.windows(
      card: path, tokenizer: ByteTokenizer(bos: bos), context: context, vocabulary: 259)
  }

  static let cases: [(text: String, card: String, windows: [String])] = [
    // Each window begins with ^, and what no whole window holds is not used.
    ("abcdefghij", "{file: a.txt, window: 5}", ["^[abcd]", "^[efgh]"]),
    ("abcdefghij", "{file: a.txt, window: 5, bos: false}", ["a[bcde]", "f[ghij]"]),
    ("abcd", "a.txt", ["^[abcd]"]),
    // Overlapping windows score what is new.
    ("abcdefgh", "{file: a.txt, window: 5, stride: 2}", ["^[abcd]", "^cd[ef]", "^ef[gh]"]),
    ("abcdefgh", "{file: a.txt, window: 4, stride: 2, bos: false}", ["a[bcd]", "cd[ef]", "ef[gh]"]),
    ("abcdefgh", "{file: a.txt, window: 5, stride: 2, score-from: 1}", ["^a[bcd]", "^c[def]", "^e[fgh]"]),
    // llama.cpp: ^ stands in place of a token, and the second half is scored.
    ("abcdefghijk", "{file: a.txt, protocol: llama.cpp, window: 6}", ["^abc[de]", "^ghi[jk]"]),
    ("abcdefghijk", "{file: a.txt, protocol: llama.cpp, window: 5}", ["^ab[cd]", "^fg[hi]"]),
    // Documents: stripped, none that is empty or cut, short ones filled with those that follow.
    (
      " ab\n<|endoftext|>\n\n<|endoftext|>cdefg <|endoftext|>h", "{file: a.txt, protocol: documents}",
      ["^[ab]^cd", "^[cdefg]", "^[h]^ab^"]
    ),
    ("ab/cdef/gh", "{file: a.txt, split: /, bytes: 9}", ["^[ab]^c", "^[cdef]"]),
    ("ab/cdef/gh", "{file: a.txt, split: /, from: 1}", ["^[cdef]", "^[gh]^c"]),
    ("ab/cd", "{file: a.txt, split: /, eos: true, prefix-space: true}", ["^[ ab$]", "^[ cd$]"]),
    // Long documents become several windows, the last of them as it is.
    ("abcdefg/hi", "{file: a.txt, split: /, window: 4}", ["^[abc]", "^[def]", "^[g]^h", "^[hi]^"]),
    // Characters that the part cuts through are dropped.
    ("äbcdö", "{file: a.txt, from: 1, bytes: 5}", ["^[bcd]"]),
  ]

  @Test(arguments: cases) func windowsAreCutAsTheCardSays(_ text: String, _ card: String, _ windows: [String])
    throws
  {
    #expect(try read(self.windows(text, card)) == windows)
  }

  @Test func withoutATokenToStartWithNothingIsReplaced() throws {
    #expect(
      try read(windows("abcdefgh", "{file: a.txt, protocol: llama.cpp, window: 4}", bos: nil)) == [
        "abc[d]", "efg[h]",
      ])
  }

  @Test func windowsAreNoLongerThanTheContext() throws {
    #expect(try read(windows("abcdefgh", "a.txt", context: 5)) == ["^[abcd]", "^[efgh]"])
    let long = try windows(String(repeating: "ab", count: 1000), "a.txt", context: 4096)
    #expect(long.length == TextSource.usualWindow && long.count == 3 && long.scoredTokens == 3 * 511)
  }

  static let wrong: [(text: String, card: String, says: String)] = [
    ("abc", "{file: a.txt, window: 101}", "2 to 100, the tokens the model takes"),
    ("abc", "{file: a.txt, window: 5, stride: 5}", "at most 4"),
    ("abc", "{file: a.txt, from: 3}", "under the file's 3 bytes"),
    ("", "a.txt", "no window in which a token is scored"),
    ("abc", "{file: a.txt, window: 9, score-from: half}", "no window in which a token is scored"),
    ("abc", "{file: b.txt}", "b.txt"),
    ("abc", "{file: ../a.txt}", "leaves the card's folder"),
  ]

  @Test(arguments: wrong) func whatCannotBeCutIsAnError(_ text: String, _ card: String, _ says: String) {
    let error = #expect(throws: DatasetError.self) { try windows(text, card) }
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }

  @Test func bytesThatAreNoTextAreAnErrorWithTheirPlace() throws {
    try Data([0x61, 0x62, 0xFF, 0x63]).write(to: URL(fileURLWithPath: folder + "/b.txt"))
    let error = #expect(throws: DatasetError.self) { try TextSource(file: folder + "/b.txt").read(card: nil) }
    #expect(error?.place == .byte(2))
  }

  @Test func tokensTheModelDoesNotKnowAreAnError() throws {
    try "abz".write(toFile: folder + "/a.txt", atomically: true, encoding: .utf8)
    let source = TextSource(file: folder + "/a.txt")
    #expect(throws: DatasetError.self) {
      try source.windows(tokenizer: ByteTokenizer(), context: 10, vocabulary: 120)
    }
  }

  /// Tokens, positions and labels as tensors, of a view in another order.
  @Test func aTextIsADataset() throws {
    try "ab/cdef".write(toFile: folder + "/a.txt", atomically: true, encoding: .utf8)
    try "text: {file: a.txt, split: /}".write(
      toFile: folder + "/card.yaml", atomically: true, encoding: .utf8)
    let specs = ["tokens", "positions"].map { InputSpec(name: $0, type: .int64, dimensions: [nil, nil]) }
    let data = try BoundDataset.text(
      folder + "/card.yaml", tokenizer: ByteTokenizer(), for: specs, context: 9, vocabulary: 259
    ).selecting([1, 0])
    #expect(data.isLabelled && !data.isSynthetic && data.labels == nil && data.answerOutput == "logits")
    #expect(data.sampleShapes == ["tokens": [5], "positions": [5]])
    let batch = try data.batch([0, 1])
    #expect(batch["tokens"]?.shape == [2, 5] && batch["tokens"]?.type == .int64)
    let (a, b, c, d, e, f) = (100, 101, 102, 103, 104, 105)
    #expect(batch["tokens"]?.array(of: Int64.self).map(Int.init) == [1, c, d, e, f, 1, a, b, 1, c])
    #expect(batch["positions"]?.array(of: Int64.self) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    #expect(data.labels(of: [0, 1]) == [c, d, e, f, -1, a, b, -1, -1, -1])
    #expect(data.labels(of: [1]) == [a, b, -1, -1, -1])
  }

  @Test func otherCardsAndInputsAreErrors() throws {
    try "inputs: {x: x.npy}".write(toFile: folder + "/card.yaml", atomically: true, encoding: .utf8)
    try "abc".write(toFile: folder + "/a.txt", atomically: true, encoding: .utf8)
    let tokens = InputSpec(name: "tokens", type: .int64, dimensions: [nil, nil])
    func open(_ file: String, _ specs: [InputSpec]) throws {
      _ = try BoundDataset.text(
        folder + "/" + file, tokenizer: ByteTokenizer(), for: specs, context: 9, vocabulary: 259)
    }
    try open("a.txt", [tokens])
    for (file, spec) in [
      ("card.yaml", tokens), ("a.txt", InputSpec(name: "mask", type: .int64, dimensions: nil)),
      ("a.txt", InputSpec(name: "tokens", type: .float32, dimensions: nil)),
      ("a.txt", InputSpec(name: "tokens", type: .int64, dimensions: [nil, 7])),
    ] {
      #expect(throws: DatasetError.self) { try open(file, [spec]) }
    }
  }
}
