/// Cuts a word into tokens.
protocol TokenModel: Sendable {
  var vocabulary: Vocabulary { get }

  /// Whether a word becomes the merges of its characters, whatever stands at its ends.
  var mergesOnly: Bool { get }

  /// Appends the tokens of a word that is not empty.
  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch)
}

extension TokenModel {
  var mergesOnly: Bool { false }
}

/// The tokens `<0x00>` to `<0xFF>` that stand for bytes, for what a vocabulary has no piece for.
struct ByteTokens: Sendable {
  private let tokens: [Int32?]

  init(_ vocabulary: Vocabulary) { tokens = (0...255).map { vocabulary.token(of: Self.name(UInt8($0))) } }

  /// Appends the tokens of bytes; `false`, and nothing appended, if one of them has none.
  func append(_ bytes: Span<UInt8>, to result: inout [Int32]) -> Bool {
    for place in bytes.indices where tokens[Int(bytes[place])] == nil { return false }
    for place in bytes.indices { if let token = tokens[Int(bytes[place])] { result.append(token) } }
    return true
  }

  static func name(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
  }

  /// The byte that a token's text names.
  static func byte(named text: [UInt8]) -> UInt8? {
    guard text.count == 6, text.starts(with: "<0x".utf8), text.last == UInt8(ascii: ">") else { return nil }
    let digits = String(decoding: text.dropFirst(3).dropLast(), as: UTF8.self)
    guard digits.allSatisfy(\.isHexDigit) else { return nil }
    return UInt8(digits, radix: 16)
  }
}
