/// Text that grows token by token: a character that is cut between two tokens appears when it is whole.
package struct GrowingText: Sendable {
  /// Bytes of a character that is not whole yet.
  private var rest: [UInt8] = []

  package init() {}

  /// The characters that the bytes of the next token make whole; bytes that are no UTF-8 become U+FFFD.
  package mutating func append(_ bytes: some Sequence<UInt8>) -> String {
    rest += bytes
    let whole = rest.count - cut
    defer { rest.removeFirst(whole) }
    return String(decoding: rest[..<whole], as: UTF8.self)
  }

  /// What is left at the end of the text.
  package mutating func finish() -> String {
    defer { rest = [] }
    return String(decoding: rest, as: UTF8.self)
  }

  /// Bytes at the end that may be the beginning of a character.
  private var cut: Int {
    for length in 1..<4 where length <= rest.count {
      let byte = rest[rest.count - length]
      if byte & 0xC0 == 0x80 { continue }
      let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return needed > length ? length : 0
    }
    return 0
  }
}
