import Tensors

/// Reads protocol-buffer fields from a range of a mapped file without copying; every length is checked first.
///
/// Source: the encoding as published by the Protocol Buffers project. Groups are refused: ONNX has none.
struct WireReader {
  let file: MappedFile
  /// Offset of the next unread byte in the file.
  private(set) var position: Int
  let end: Int

  init(_ file: MappedFile) {
    self.file = file
    position = 0
    end = file.bytes.count
  }

  init(_ file: MappedFile, _ range: Range<Int>) {
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position >= end }

  /// The next field, or `nil` at the end of the message.
  mutating func next() throws(ImportError) -> WireField? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    let number = Int(truncatingIfNeeded: tag >> 3)
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
      throw malformed("a field has the impossible number \(tag >> 3)", start)
    }
    switch tag & 7 {
    case 0: return WireField(file: file, number: number, offset: start, payload: .varint(try varint()))
    case 1: return WireField(file: file, number: number, offset: start, payload: .fixed64(try fixed64()))
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw ImportError(
          file: file.path, place: .byte(start),
          reason: .truncated(needed: Int(clamping: length), left: end - position))
      }
      let range = position..<position + Int(length)
      position = range.upperBound
      return WireField(file: file, number: number, offset: start, payload: .bytes(range))
    case 5: return WireField(file: file, number: number, offset: start, payload: .fixed32(try fixed32()))
    default: throw malformed("a field has the unknown wire type \(tag & 7)", start)
    }
  }

  mutating func varint() throws(ImportError) -> UInt64 {
    let start = position
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < end else { throw truncated(1, start) }
      let byte = file.bytes[position]
      position += 1
      if shift == 63 && byte > 1 { throw malformed("a number is longer than 64 bits", start) }
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return result }
      shift += 7
      if shift > 63 { throw malformed("a number is longer than 64 bits", start) }
    }
  }

  mutating func fixed32() throws(ImportError) -> UInt32 {
    guard end - position >= 4 else { throw truncated(4, position) }
    let value = file.bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)
    position += 4
    return UInt32(littleEndian: value)
  }

  mutating func fixed64() throws(ImportError) -> UInt64 {
    guard end - position >= 8 else { throw truncated(8, position) }
    let value = file.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    position += 8
    return UInt64(littleEndian: value)
  }

  private func truncated(_ needed: Int, _ offset: Int) -> ImportError {
    ImportError(file: file.path, place: .byte(offset), reason: .truncated(needed: needed, left: end - offset))
  }

  private func malformed(_ what: String, _ offset: Int) -> ImportError {
    ImportError(file: file.path, place: .byte(offset), reason: .malformed(what))
  }
}

/// One field of a message: number and payload, with typed access that throws where the wire type is another.
struct WireField {
  enum Payload {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// A range of the file.
    case bytes(Range<Int>)
  }

  let file: MappedFile
  let number: Int
  /// Offset of the field's tag in the file.
  let offset: Int
  let payload: Payload

  func int() throws(ImportError) -> Int {
    guard case .varint(let value) = payload else { throw wrongType("a whole number") }
    return Int(truncatingIfNeeded: value)
  }

  func float() throws(ImportError) -> Float {
    guard case .fixed32(let value) = payload else { throw wrongType("a 32-bit number") }
    return Float(bitPattern: value)
  }

  func range() throws(ImportError) -> Range<Int> {
    guard case .bytes(let range) = payload else { throw wrongType("bytes") }
    return range
  }

  func message() throws(ImportError) -> WireReader { WireReader(file, try range()) }

  /// A name: must be valid UTF-8, so that two names are equal only when their bytes are.
  func string() throws(ImportError) -> String {
    let range = try range()
    guard let text = String(validating: file.bytes[range], as: UTF8.self) else {
      throw ImportError(
        file: file.path, place: .byte(offset), reason: .malformed("a text is not valid UTF-8"))
    }
    return text
  }

  /// Text that nothing is looked up by; broken UTF-8 is repaired.
  func looseString() throws(ImportError) -> String {
    String(decoding: file.bytes[try range()], as: UTF8.self)
  }

  /// Appends the whole numbers of a repeated field, packed or not.
  func appendInts(to list: inout [Int]) throws(ImportError) {
    guard case .bytes(let range) = payload else {
      list.append(try int())
      return
    }
    var reader = WireReader(file, range)
    while !reader.isAtEnd { list.append(Int(truncatingIfNeeded: try reader.varint())) }
  }

  /// Appends the 32-bit numbers of a repeated field, packed or not.
  func appendFloats(to list: inout [Float]) throws(ImportError) {
    guard case .bytes(let range) = payload else {
      list.append(try float())
      return
    }
    var reader = WireReader(file, range)
    while !reader.isAtEnd { list.append(Float(bitPattern: try reader.fixed32())) }
  }

  /// Appends the 64-bit numbers of a repeated field, packed or not.
  func appendDoubles(to list: inout [Double]) throws(ImportError) {
    switch payload {
    case .bytes(let range):
      var reader = WireReader(file, range)
      while !reader.isAtEnd { list.append(Double(bitPattern: try reader.fixed64())) }
    case .fixed64(let value): list.append(Double(bitPattern: value))
    default: throw wrongType("a 64-bit number")
    }
  }

  private func wrongType(_ expected: String) -> ImportError {
    ImportError(
      file: file.path, place: .byte(offset), reason: .malformed("field \(number) should be \(expected)"))
  }
}
