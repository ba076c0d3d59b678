import Tensors

/// Reads a GGUF file from front to back; a length is checked against what is left before it is used, and a count
/// against the bytes that so many elements take at least.
struct GGUFCursor {
  /// Arrays of arrays of arrays … that are followed.
  static let deepest = 8

  let file: MappedFile
  /// Offset of the next unread byte.
  private(set) var position = 0

  init(_ file: MappedFile) { self.file = file }

  var left: Int { file.bytes.count - position }

  mutating func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(ImportError) -> T {
    let size = MemoryLayout<T>.size
    guard size <= left else { throw truncated(size) }
    defer { position += size }
    return T(littleEndian: file.bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// A count of things of at least `bytes` bytes each.
  mutating func count(of what: String, atLeast bytes: Int) throws(ImportError) -> Int {
    let start = position
    let value = try number(UInt64.self)
    guard value <= UInt64(left / bytes) else {
      throw ImportError(
        file: file.path, place: .byte(start),
        reason: .limit(what: "\(what) for the bytes left", found: Int(clamping: value), most: left / bytes))
    }
    return Int(value)
  }

  /// Length and UTF-8.
  mutating func string() throws(ImportError) -> String {
    let start = position
    let length = try number(UInt64.self)
    guard length <= UInt64(left) else {
      throw ImportError(
        file: file.path, place: .byte(start), reason: .truncated(needed: Int(clamping: length), left: left))
    }
    let range = position..<position + Int(length)
    guard let text = String(validating: file.bytes[range], as: UTF8.self) else {
      throw malformed("a text is not valid UTF-8", at: start)
    }
    position = range.upperBound
    return text
  }

  mutating func value() throws(ImportError) -> GGUFValue {
    switch try type() {
    case .uint8: .uint8(try number(UInt8.self))
    case .int8: .int8(try number(Int8.self))
    case .uint16: .uint16(try number(UInt16.self))
    case .int16: .int16(try number(Int16.self))
    case .uint32: .uint32(try number(UInt32.self))
    case .int32: .int32(try number(Int32.self))
    case .uint64: .uint64(try number(UInt64.self))
    case .int64: .int64(try number(Int64.self))
    case .float32: .float32(Float(bitPattern: try number(UInt32.self)))
    case .float64: .float64(Double(bitPattern: try number(UInt64.self)))
    case .bool: .bool(try bool())
    case .string: .string(try string())
    case .array: .array(try array(depth: 1))
    }
  }

  private mutating func array(depth: Int) throws(ImportError) -> GGUFArray {
    guard depth <= Self.deepest else {
      throw ImportError(
        file: file.path, place: .byte(position),
        reason: .limit(what: "lists inside each other", found: depth, most: Self.deepest))
    }
    let type = try type()
    let count = try count(of: "elements of a list", atLeast: type.leastBytes)
    switch type {
    case .uint8: return .uint8(try numbers(count))
    case .int8: return .int8(try numbers(count))
    case .uint16: return .uint16(try numbers(count))
    case .int16: return .int16(try numbers(count))
    case .uint32: return .uint32(try numbers(count))
    case .int32: return .int32(try numbers(count))
    case .uint64: return .uint64(try numbers(count))
    case .int64: return .int64(try numbers(count))
    case .float32:
      let bits: [UInt32] = try numbers(count)
      return .float32(bits.map(Float.init(bitPattern:)))
    case .float64:
      let bits: [UInt64] = try numbers(count)
      return .float64(bits.map(Double.init(bitPattern:)))
    case .bool: return .bool(try list(count) { reader throws(ImportError) in try reader.bool() })
    case .string: return .string(try list(count) { reader throws(ImportError) in try reader.string() })
    case .array:
      return .array(try list(count) { reader throws(ImportError) in try reader.array(depth: depth + 1) })
    }
  }

  private mutating func type() throws(ImportError) -> GGUFType {
    let start = position
    let id = try number(UInt32.self)
    guard let type = GGUFType(rawValue: id) else {
      throw malformed("a value has the unknown type \(id)", at: start)
    }
    return type
  }

  private mutating func bool() throws(ImportError) -> Bool {
    let start = position
    let byte = try number(UInt8.self)
    guard byte <= 1 else { throw malformed("a truth value is \(byte)", at: start) }
    return byte == 1
  }

  private mutating func list<T>(
    _ count: Int, _ element: (inout GGUFCursor) throws(ImportError) -> T
  ) throws(ImportError) -> [T] {
    var result: [T] = []
    result.reserveCapacity(count)
    for _ in 0..<count { result.append(try element(&self)) }
    return result
  }

  /// `count` was checked against what is left.
  private mutating func numbers<T: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int
  ) throws(ImportError) -> [T] {
    let size = MemoryLayout<T>.size
    guard count <= left / size else { throw truncated(count * size) }
    defer { position += count * size }
    let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[position..<position + count * size])
    return [T](unsafeUninitializedCapacity: count) { out, initialized in
      for i in 0..<count {
        out.initializeElement(
          at: i, to: T(littleEndian: bytes.loadUnaligned(fromByteOffset: i * size, as: T.self)))
      }
      initialized = count
    }
  }

  func malformed(_ what: String, at offset: Int) -> ImportError {
    ImportError(file: file.path, place: .byte(offset), reason: .malformed(what))
  }

  private func truncated(_ needed: Int) -> ImportError {
    ImportError(file: file.path, place: .byte(position), reason: .truncated(needed: needed, left: left))
  }
}
