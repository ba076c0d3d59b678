import Formats

/// Reads JSON (RFC 8259) from bytes, at most `depthLimit` levels deep.
struct JSONReader {
  static let depthLimit = 64

  private let file: String
  private let bytes: [UInt8]
  private var place = 0

  private init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  static func read(_ bytes: [UInt8], file: String) throws(ImportError) -> JSONValue {
    guard !bytes.isEmpty else { throw ImportError(file: file, place: .file, reason: .empty) }
    var reader = JSONReader(bytes, file: file)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.place = 3 }
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.place == bytes.count else {
      throw reader.malformed("text follows the end of the JSON value")
    }
    return value
  }

  private func malformed(_ what: String) -> ImportError {
    ImportError(file: file, place: .byte(place), reason: .malformed(what))
  }

  private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipBlanks() {
    while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
  }

  private mutating func take(_ expected: Character) throws(ImportError) {
    guard byte == expected.asciiValue else {
      throw malformed(
        byte == nil ? "the text ends where \"\(expected)\" is expected" : "\"\(expected)\" is expected")
    }
    place += 1
  }

  private mutating func value(depth: Int) throws(ImportError) -> JSONValue {
    guard depth < Self.depthLimit else {
      throw ImportError(
        file: file, place: .byte(place),
        reason: .limit(what: "levels of JSON", found: depth + 1, most: Self.depthLimit))
    }
    skipBlanks()
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case .some(let first) where first == UInt8(ascii: "-") || (0x30...0x39).contains(first):
      return try number()
    case .some: throw malformed("a JSON value is expected")
    case nil: throw malformed("the text ends where a JSON value is expected")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(ImportError) -> JSONValue {
    guard bytes[place...].starts(with: word.utf8) else { throw malformed("a JSON value is expected") }
    place += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(ImportError) -> JSONValue {
    place += 1
    var members: [JSONValue.Member] = []
    skipBlanks()
    if byte == UInt8(ascii: "}") {
      place += 1
      return .object(members)
    }
    while true {
      skipBlanks()
      guard byte == UInt8(ascii: "\"") else { throw malformed("a key in quotes is expected") }
      let key = try string()
      skipBlanks()
      try take(":")
      members.append(.init(key: key, value: try value(depth: depth + 1)))
      skipBlanks()
      guard byte == UInt8(ascii: ",") else { break }
      place += 1
    }
    try take("}")
    return .object(members)
  }

  private mutating func array(depth: Int) throws(ImportError) -> JSONValue {
    place += 1
    var values: [JSONValue] = []
    skipBlanks()
    if byte == UInt8(ascii: "]") {
      place += 1
      return .array(values)
    }
    while true {
      values.append(try value(depth: depth + 1))
      skipBlanks()
      guard byte == UInt8(ascii: ",") else { break }
      place += 1
    }
    try take("]")
    return .array(values)
  }

  private mutating func number() throws(ImportError) -> JSONValue {
    let start = place
    while let byte, "+-.eE0123456789".utf8.contains(byte) { place += 1 }
    guard let value = Double(String(decoding: bytes[start..<place], as: UTF8.self)), value.isFinite else {
      place = start
      throw malformed("this is no number")
    }
    return .number(value)
  }

  private mutating func string() throws(ImportError) -> [UInt8] {
    let start = place
    place += 1
    var text: [UInt8] = []
    var hasHighBytes = false
    while let byte, byte != UInt8(ascii: "\"") {
      if byte == UInt8(ascii: "\\") {
        place += 1
        try escape(into: &text)
        continue
      }
      guard byte >= 0x20 else { throw malformed("a control character stands in a text") }
      hasHighBytes = hasHighBytes || byte >= 0x80
      text.append(byte)
      place += 1
    }
    try take("\"")
    if hasHighBytes, String(validating: text, as: UTF8.self) == nil {
      place = start
      throw malformed("the text is not UTF-8")
    }
    return text
  }

  private mutating func escape(into text: inout [UInt8]) throws(ImportError) {
    guard let kind = byte else { throw malformed("the text ends within an escape") }
    place += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if (0xD800..<0xDC00).contains(value), bytes[place...].starts(with: "\\u".utf8) {
        place += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else {
          throw malformed("half of a pair of surrogates stands alone")
        }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else {
        throw malformed("half of a pair of surrogates stands alone")
      }
      text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default: throw malformed("this escape is unknown")
    }
  }

  private mutating func hexadecimal() throws(ImportError) -> UInt32 {
    guard place + 4 <= bytes.count,
      bytes[place..<place + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
    else { throw malformed("four hexadecimal digits are expected") }
    place += 4
    return value
  }
}
