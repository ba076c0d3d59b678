import Tensors

/// What the header of a `.npy` array says.
///
/// Source: the NEP 1 format, versions 1.0 to 3.0: `\x93NUMPY`, version, header length (2 or 4 bytes, little
/// endian), then a Python dictionary with `descr`, `fortran_order` and `shape`.
struct NpyHeader: Equatable {
  var type: ElementType
  var bigEndian: Bool
  var fortranOrder: Bool
  var shape: Shape

  /// Longest header read, in bytes; NumPy's own limit is 10 000.
  static let longest = 65536
  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// Reads the header from the start of `stream`, which then stands at the data.
  static func read(from stream: some ByteStream) throws(DatasetError) -> NpyHeader {
    let place = stream.place
    let prefix = try stream.bytes(8, part: "the .npy signature")
    guard Array(prefix[0..<6]) == magic else {
      throw DatasetError(
        file: stream.file, place: place,
        reason: .notThisFormat("a .npy array", found: "bytes \(hexText(prefix.prefix(6)))"))
    }
    guard (1...3).contains(prefix[6]), prefix[7] == 0 else {
      throw DatasetError(
        file: stream.file, place: place,
        reason: .unsupported(
          ".npy version \(prefix[6]).\(prefix[7])", advice: "Save it as version 1.0, 2.0 or 3.0."))
    }
    let lengthBytes = try stream.bytes(prefix[6] == 1 ? 2 : 4, part: "the header length")
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= longest else {
      throw DatasetError(
        file: stream.file, place: place,
        reason: .tooLarge(part: "the .npy header", found: length, limit: longest))
    }
    let textPlace = stream.place
    let text = try stream.bytes(length, part: "the .npy header")
    do {
      var parser = NpyHeaderParser(bytes: text)
      return try parser.parse()
    } catch {
      throw DatasetError(file: stream.file, place: textPlace, reason: error.reason)
    }
  }
}

func hexText(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

/// The small part of Python's literal syntax that a `.npy` header uses.
private struct NpyHeaderParser {
  struct Failure: Error { var reason: DatasetError.Reason }

  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func parse() throws(Failure) -> NpyHeader {
    var descriptor: String?
    var fortran: Bool?
    var shape: Shape?
    try expect("{")
    while true {
      skipBlanks()
      if take("}") { break }
      let key = try string()
      try expect(":")
      skipBlanks()
      switch key {
      case "descr":
        guard descriptor == nil else { throw Failure(reason: .duplicate("the header's \"descr\"")) }
        guard peek == UInt8(ascii: "'") || peek == UInt8(ascii: "\"") else {
          throw Failure(
            reason: .unsupported("an array of records", advice: "Save each field as an array of its own."))
        }
        descriptor = try string()
      case "fortran_order":
        guard fortran == nil else { throw Failure(reason: .duplicate("the header's \"fortran_order\"")) }
        fortran = try boolean()
      case "shape":
        guard shape == nil else { throw Failure(reason: .duplicate("the header's \"shape\"")) }
        shape = try tuple()
      default:
        throw Failure(reason: .unknownKey(key, known: ["descr", "fortran_order", "shape"]))
      }
      skipBlanks()
      if !take(",") {
        try expect("}")
        break
      }
    }
    skipBlanks()
    guard position == bytes.count || bytes[position...].allSatisfy({ $0 == 0 }) else {
      throw Failure(reason: .malformed("the header goes on after its closing brace"))
    }
    guard let descriptor, let fortran, let shape else {
      let names = ["descr", "fortran_order", "shape"]
      let found = [descriptor != nil, fortran != nil, shape != nil]
      throw Failure(
        reason: .missing(
          zip(names, found).filter { !$1 }.map { "\"\($0.0)\"" }.joined(separator: ", ") + " in the header",
          available: zip(names, found).filter { $1 }.map(\.0)))
    }
    let (type, bigEndian) = try elementType(descriptor)
    try check(shape, type: type)
    return NpyHeader(type: type, bigEndian: bigEndian, fortranOrder: fortran, shape: shape)
  }

  /// Sizes must multiply without overflow even where an empty axis makes the count zero.
  private func check(_ shape: Shape, type: ElementType) throws(Failure) {
    guard shape.count <= 64 else {
      throw Failure(reason: .unsupported("an array with \(shape.count) axes", advice: "Use at most 64."))
    }
    guard let count = shape.map({ Swift.max($0, 1) }).checkedElementCount,
      !count.multipliedReportingOverflow(by: 16).overflow
    else {
      throw Failure(
        reason: .malformed("the shape \(shape.prefix(8).map { $0 }.shapeText) is too large to address"))
    }
  }

  private func elementType(_ descriptor: String) throws(Failure) -> (ElementType, Bool) {
    let table: [String: ElementType] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64,
      "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "b1": .bool,
    ]
    var code = Substring(descriptor)
    var bigEndian = false
    if let first = code.first, "<>|=".contains(first) {
      bigEndian = first == ">"
      code = code.dropFirst()
    }
    if let type = table[String(code)] { return (type, bigEndian && type.bits > 8) }
    if code.first == "O" {
      throw Failure(
        reason: .unsupported("an array of Python objects (pickle)", advice: "Save it as an array of numbers.")
      )
    }
    throw Failure(
      reason: .unsupported(
        "the element type \"\(descriptor)\"", advice: "Save it as integers, floats or booleans."))
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 32 || byte == 9 || byte == 10 || byte == 13 { position += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    guard peek == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(Failure) {
    skipBlanks()
    guard take(character) else {
      let found = peek.map { $0 >= 32 && $0 < 127 ? "\"\(Character(Unicode.Scalar($0)))\"" : "byte \($0)" }
      throw Failure(
        reason: .malformed(
          "the header is not a dictionary (found \(found ?? "its end"), expected \"\(character)\")"))
    }
  }

  private mutating func string() throws(Failure) -> String {
    let quote: Character = peek == UInt8(ascii: "\"") ? "\"" : "'"
    try expect(quote)
    let start = position
    while let byte = peek, byte != quote.asciiValue { position += 1 }
    guard position < bytes.count else {
      throw Failure(reason: .malformed("a string in the header does not end"))
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    position += 1
    return text
  }

  private mutating func boolean() throws(Failure) -> Bool {
    for (word, value) in [("True", true), ("False", false)] {
      let letters = Array(word.utf8)
      if bytes[position...].starts(with: letters) {
        position += letters.count
        return value
      }
    }
    throw Failure(reason: .malformed("\"fortran_order\" is neither True nor False"))
  }

  private mutating func tuple() throws(Failure) -> Shape {
    try expect("(")
    var shape: Shape = []
    while true {
      skipBlanks()
      if take(")") { return shape }
      shape.append(try number())
      _ = take("L")  // Python 2 wrote long integers so
      skipBlanks()
      if !take(",") {
        try expect(")")
        return shape
      }
    }
  }

  private mutating func number() throws(Failure) -> Int {
    let start = position
    while let byte = peek, (48...57).contains(byte) { position += 1 }
    guard position > start, let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw Failure(reason: .malformed("the shape in the header is not a list of sizes"))
    }
    return value
  }
}
