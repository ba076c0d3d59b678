/// Text of tokens that come one by one, given out as soon as its characters are whole.
package struct TextStream {
  private let tokenizer: any Tokenizer
  private var pending: [UInt8] = []

  package init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  /// The text that is complete with this token; bytes that can no longer become UTF-8 become U+FFFD.
  package mutating func append(_ token: Int32) -> String {
    pending += tokenizer.bytes(of: token)
    let whole = pending.count - Self.unfinished(pending)
    let text = String(decoding: pending[..<whole], as: UTF8.self)
    pending.removeSubrange(..<whole)
    return text
  }

  /// What is left when no more tokens come.
  package mutating func finish() -> String {
    defer { pending = [] }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end are the beginning of a character.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where back <= bytes.count {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
      return length > back && byte < 0xF5 ? back : 0
    }
    return 0
  }
}
