import Tensors

extension JSON {
  /// Reads a text.
  ///
  /// Beyond RFC 8259 `NaN`, `Infinity` and `-Infinity` are numbers, as Python writes them into configurations.
  package init(parsing bytes: UnsafeRawBufferPointer) throws(Failure) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.document()
  }

  package init(parsing text: String) throws(Failure) {
    var failure: Failure?
    var text = text
    let value: JSON? = text.withUTF8 { bytes in
      do throws(Failure) { return try JSON(parsing: UnsafeRawBufferPointer(bytes)) } catch {
        failure = error
        return nil
      }
    }
    if let failure { throw failure }
    self = value ?? .null
  }

  /// Reads a file.
  ///
  /// - Errors: `ImportError`.
  package init(path: String) throws(ImportError) {
    let file = try MappedFile.forImport(path)
    do { try self.init(parsing: file.bytes) } catch {
      throw ImportError(file: path, place: .byte(error.offset), reason: .malformed(error.what))
    }
  }
}

private struct JSONParser {
  static let deepest = 256

  let bytes: UnsafeRawBufferPointer
  var position = 0
  var depth = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func document() throws(JSON.Failure) -> JSON {
    let result = try value()
    skipBlanks()
    guard position == bytes.count else { throw failure("something follows the end of the JSON text") }
    return result
  }

  private func failure(_ what: String, at offset: Int? = nil) -> JSON.Failure {
    JSON.Failure(offset: offset ?? position, what: what)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard count <= bytes.count - position else { return false }
    for i in 0..<count where bytes[position + i] != word.utf8Start[i] { return false }
    position += count
    return true
  }

  private mutating func value() throws(JSON.Failure) -> JSON {
    skipBlanks()
    guard let byte = next else { throw failure("the JSON text ends where a value should stand") }
    switch byte {
    case UInt8(ascii: "{"): return try nested { parser throws(JSON.Failure) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSON.Failure) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): if take("true") { return .bool(true) }
    case UInt8(ascii: "f"): if take("false") { return .bool(false) }
    case UInt8(ascii: "n"): if take("null") { return .null }
    case UInt8(ascii: "N"): if take("NaN") { return .number(.nan) }
    case UInt8(ascii: "I"): if take("Infinity") { return .number(.infinity) }
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: break
    }
    throw failure("no JSON value stands here")
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSON.Failure) -> JSON
  ) throws(JSON.Failure) -> JSON {
    guard depth < Self.deepest else { throw failure("JSON values are nested more than \(Self.deepest) deep") }
    depth += 1
    position += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func object() throws(JSON.Failure) -> JSON {
    var object = JSONObject()
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object(object) }
    while true {
      skipBlanks()
      let start = position
      guard next == UInt8(ascii: "\"") else { throw failure("a key in quotes should stand here") }
      let key = try string()
      guard object[key] == nil else { throw failure("the key \"\(key)\" stands twice", at: start) }
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw failure("a colon should follow the key \"\(key)\"") }
      object[key] = try value()
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw failure("a comma or } should stand here") }
      return .object(object)
    }
  }

  private mutating func array() throws(JSON.Failure) -> JSON {
    var items: [JSON] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array(items) }
    while true {
      items.append(try value())
      skipBlanks()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw failure("a comma or ] should stand here") }
      return .array(items)
    }
  }

  private mutating func number() throws(JSON.Failure) -> JSON {
    let start = position
    if take("-Infinity") { return .number(-.infinity) }
    _ = take(UInt8(ascii: "-"))
    let whole = position
    skipDigits()
    guard position > whole, position == whole + 1 || bytes[whole] != UInt8(ascii: "0") else {
      throw failure("no JSON number stands here", at: start)
    }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      let fraction = position
      skipDigits()
      guard position > fraction else { throw failure("no JSON number stands here", at: start) }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
      let exponent = position
      skipDigits()
      guard position > exponent else { throw failure("no JSON number stands here", at: start) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw failure("no JSON number stands here", at: start) }
    return .number(value)
  }

  private mutating func skipDigits() {
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
  }

  private mutating func string() throws(JSON.Failure) -> String {
    position += 1
    let start = position
    var hasEscapes = false
    while true {
      guard let byte = next else { throw failure("a JSON text in quotes does not end", at: start - 1) }
      if byte == UInt8(ascii: "\"") { break }
      guard byte >= 0x20 else { throw failure("a control character stands in a JSON text") }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        position += 1
      }
      position += 1
    }
    // A backslash may have stepped over the end.
    guard position < bytes.count else { throw failure("a JSON text in quotes does not end", at: start - 1) }
    let range = start..<position
    position += 1
    if !hasEscapes {
      guard let text = String(validating: bytes[range], as: UTF8.self) else {
        throw failure("a text is not valid UTF-8", at: start)
      }
      return text
    }
    return try unescaped(range)
  }

  private func unescaped(_ range: Range<Int>) throws(JSON.Failure) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    var i = range.lowerBound
    while i < range.upperBound {
      let byte = bytes[i]
      i += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard i < range.upperBound else { throw failure("an escape does not end", at: i) }
      let kind = bytes[i]
      i += 1
      switch kind {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(kind)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0c)
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "r"): result.append(0x0d)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"): try appendScalar(&i, range.upperBound, to: &result)
      default: throw failure("a backslash stands before something unknown", at: i - 1)
      }
    }
    guard let text = String(validating: result, as: UTF8.self) else {
      throw failure("a text is not valid UTF-8", at: range.lowerBound)
    }
    return text
  }

  /// After `\u`: four digits, and those of the second half of a surrogate pair.
  private func appendScalar(_ i: inout Int, _ end: Int, to result: inout [UInt8]) throws(JSON.Failure) {
    let start = i
    guard let first = hex(i, end) else { throw failure("four hexadecimal digits should follow \\u", at: i) }
    i += 4
    var code = first
    if (0xd800..<0xdc00).contains(first), i + 1 < end, bytes[i] == UInt8(ascii: "\\"),
      bytes[i + 1] == UInt8(ascii: "u"), let second = hex(i + 2, end), (0xdc00..<0xe000).contains(second)
    {
      code = 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
      i += 6
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw failure("half a character (a lone surrogate) stands in a text", at: start)
    }
    result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private func hex(_ start: Int, _ end: Int) -> UInt32? {
    guard start + 4 <= end else { return nil }
    var result: UInt32 = 0
    for i in start..<start + 4 {
      guard let digit = Character(Unicode.Scalar(bytes[i])).hexDigitValue, bytes[i] < 0x80 else { return nil }
      result = result << 4 | UInt32(digit)
    }
    return result
  }
}
