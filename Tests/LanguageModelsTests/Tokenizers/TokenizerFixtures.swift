import Foundation
import LanguageModels
import Testing

/// The tokenizers of Tests/Fixtures/tokenizers and of the shared folder, and what the `tokenizers` package makes of them.
enum TokenizerFixtures {
  static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")

  static let shared: URL = {
    if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return URL(fileURLWithPath: path) }
    return folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("shared")
  }()

  static let sharedExists = FileManager.default.fileExists(
    atPath: shared.appendingPathComponent("models").path)

  struct Texts: Decodable {
    struct Results: Decodable {
      var ids: [[Int32]]
      /// Whether the template adds nothing to the text of that number.
      var bare: [Bool]
      var decoded: [String]
      /// Absent where the package writes special tokens otherwise than the file does.
      var decodedWithSpecial: [String]?

      enum CodingKeys: String, CodingKey {
        case ids, bare, decoded
        case decodedWithSpecial = "decoded with special"
      }
    }

    var texts: [String]
    var tokenizers: [String: Results]
  }

  struct Shared: Decodable {
    struct Chunks: Decodable {
      var first: [Int32]?
      var counts: [Int]
      var hashes: [String]
    }

    var chunk: Int
    var tokenizers: [String: [String: Chunks]]
    var preTokenizers: [String: Chunks]

    enum CodingKeys: String, CodingKey {
      case chunk, tokenizers
      case preTokenizers = "pre-tokenizers"
    }
  }

  static func texts() throws -> Texts {
    try JSONDecoder().decode(
      Texts.self, from: Data(contentsOf: folder.appendingPathComponent("expected/texts.json")))
  }

  static func sharedResults() throws -> Shared {
    try JSONDecoder().decode(
      Shared.self, from: Data(contentsOf: folder.appendingPathComponent("expected/shared.json")))
  }

  /// The names of the tokenizers in this folder.
  static let own = ["bert-cased", "clip", "gemma", "gpt2", "llama2", "llama3", "qwen2", "unigram", "words"]
  static let sharedModels = ["models/llm/tinystories-656K", "models/text/all-MiniLM-L6-v2"]

  static func open(_ name: String) throws -> PipelineTokenizer {
    try PipelineTokenizer.open(
      own.contains(name)
        ? folder.appendingPathComponent("\(name).json").path : shared.appendingPathComponent(name).path)
  }

  /// A shared text in chunks of so many characters (scalars).
  static func chunks(_ name: String, length: Int) throws -> [String] {
    let text = String(
      decoding: try Data(contentsOf: shared.appendingPathComponent("data/text/\(name)")), as: UTF8.self)
    let scalars = Array(text.unicodeScalars)
    return stride(from: 0, to: scalars.count, by: length).map { start in
      var part = String.UnicodeScalarView()
      part.append(contentsOf: scalars[start..<min(start + length, scalars.count)])
      return String(part)
    }
  }

  /// FNV-1a, 64 bits, over each number as four little-endian bytes.
  static func hash(_ numbers: some Sequence<Int32>) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for number in numbers {
      for shift in stride(from: 0, to: 32, by: 8) {
        value = (value ^ UInt64(UInt32(bitPattern: number) >> UInt32(shift) & 0xFF)) &* 0x100_0000_01B3
      }
    }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
