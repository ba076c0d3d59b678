import Tensors

/// The table of contents of a zip archive, with 64-bit extensions.
///
/// Every offset and length is checked against the file before use; entries may not be encrypted or compressed by
/// anything but deflate. Source: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3.
struct Zip {
  struct Entry: Equatable {
    var name: String
    var isDeflated: Bool
    var crc: UInt32
    var compressedSize: Int
    var size: Int
    /// Where the entry's data lie in the file.
    var data: Range<Int>
  }

  let entries: [Entry]

  static func looksLikeZip(_ mapping: MappedFile) -> Bool {
    let start = mapping.prefix(4)
    return start == [0x50, 0x4B, 0x03, 0x04] || start == [0x50, 0x4B, 0x05, 0x06]
  }

  init(_ mapping: MappedFile, file: String) throws(DatasetError) {
    let reader = Reader(mapping: mapping, file: file)
    let fileSize = mapping.bytes.count
    let directory = try reader.directory()
    var position = directory.lowerBound
    var entries: [Entry] = []
    var names: Set<String> = []
    var packed = 0
    var unpacked = 0
    while position < directory.upperBound {
      let (entry, next) = try reader.entry(at: position, directory: directory)
      position = next
      guard names.insert(entry.name).inserted else {
        throw reader.error(position, .duplicate("the entry \"\(entry.name)\""))
      }
      // Entries that share their data would unpack to more than the file can justify.
      packed += entry.compressedSize
      guard packed <= fileSize else {
        throw reader.error(position, .malformed("the entries overlap or are longer than the file"))
      }
      let (sum, overflow) = unpacked.addingReportingOverflow(entry.size)
      let limit = ArrayFile.expansionLimit(fileSize)
      guard !overflow, sum <= Swift.max(limit, fileSize) else {
        throw reader.error(
          position, .tooLarge(part: "the archive", found: overflow ? .max : sum, limit: limit))
      }
      unpacked = sum
      entries.append(entry)
    }
    self.entries = entries
  }
}

/// Checked access to the records of an archive.
private struct Reader {
  let mapping: MappedFile
  private var bytes: UnsafeRawBufferPointer { mapping.bytes }
  let file: String

  init(mapping: MappedFile, file: String) {
    self.mapping = mapping
    self.file = file
  }

  func error(_ offset: Int, _ reason: DatasetError.Reason) -> DatasetError {
    DatasetError(file: file, place: .byte(offset), reason: reason)
  }

  func u16(_ offset: Int) -> Int {
    Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }
  func u32(_ offset: Int) -> Int {
    Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
  }

  /// A 64-bit size or offset; one that no file can have is refused.
  func u64(_ offset: Int) throws(DatasetError) -> Int {
    let value = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    guard value <= UInt64(Int.max / 4) else {
      throw error(offset, .malformed("a size or offset of \(value) is impossible"))
    }
    return Int(value)
  }

  func require(_ count: Int, at offset: Int, part: String) throws(DatasetError) {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      throw error(
        Swift.max(offset, 0), .truncated(part: part, needed: count, left: bytes.count - Swift.max(offset, 0)))
    }
  }

  /// The bytes of the central directory.
  func directory() throws(DatasetError) -> Range<Int> {
    guard bytes.count >= 22 else {
      throw error(0, .truncated(part: "the end of the archive", needed: 22, left: bytes.count))
    }
    // The end record is last, but for a comment of up to 65 535 bytes.
    let lowest = Swift.max(0, bytes.count - 22 - 65535)
    var end = bytes.count - 22
    while end >= lowest, u32(end) != 0x0605_4B50 || end + 22 + u16(end + 20) != bytes.count { end -= 1 }
    guard end >= lowest else {
      throw error(
        bytes.count, .truncated(part: "the archive's table of contents", needed: 22, left: 0))
    }
    var count = u16(end + 10)
    var size = u32(end + 12)
    var offset = u32(end + 16)
    guard u16(end + 4) == 0 && u16(end + 6) == 0 || u16(end + 4) == 0xFFFF else {
      throw error(end, .unsupported("an archive in several parts", advice: "Join it into one file."))
    }
    var last = end
    if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
      let locator = end - 20
      if locator >= 0, u32(locator) == 0x0706_4B50 {
        let record = try u64(locator + 8)
        try require(56, at: record, part: "the 64-bit end of the archive")
        guard record <= locator, u32(record) == 0x0606_4B50 else {
          throw error(record, .malformed("the 64-bit end of the archive is not where it should be"))
        }
        count = try u64(record + 32)
        size = try u64(record + 40)
        offset = try u64(record + 48)
        last = record
      }
    }
    try require(size, at: offset, part: "the table of contents")
    guard offset + size <= last else {
      throw error(offset, .malformed("the table of contents runs over the end of the archive"))
    }
    guard count.multipliedSaturating(by: 46) <= size else {
      throw error(end, .malformed("\(count) entries do not fit a table of contents of \(size) bytes"))
    }
    return offset..<offset + size
  }

  /// The entry whose central record starts at `offset`, and where the next one starts.
  func entry(at offset: Int, directory: Range<Int>) throws(DatasetError) -> (Zip.Entry, Int) {
    guard directory.upperBound - offset >= 46 else {
      throw error(
        offset,
        .truncated(part: "an entry of the table of contents", needed: 46, left: directory.upperBound - offset)
      )
    }
    guard u32(offset) == 0x0201_4B50 else {
      throw error(offset, .malformed("an entry of the table of contents has the wrong signature"))
    }
    let flags = u16(offset + 8)
    let method = u16(offset + 10)
    var compressed = u32(offset + 20)
    var size = u32(offset + 24)
    let nameLength = u16(offset + 28)
    let extraLength = u16(offset + 30)
    var local = u32(offset + 42)
    let next = offset + 46 + nameLength + extraLength + u16(offset + 32)
    guard next <= directory.upperBound else {
      throw error(
        offset,
        .truncated(part: "an entry's name", needed: next - offset, left: directory.upperBound - offset))
    }
    let name = String(decoding: bytes[offset + 46..<offset + 46 + nameLength], as: UTF8.self)
    guard flags & 1 == 0 else {
      throw error(
        offset, .unsupported("the encrypted entry \"\(name)\"", advice: "Save it without a password."))
    }
    guard method == 0 || method == 8 else {
      throw error(
        offset,
        .unsupported("the compression method \(method) of \"\(name)\"", advice: "Save it stored or deflated.")
      )
    }
    var extra = offset + 46 + nameLength
    let extraEnd = extra + extraLength
    while extraEnd - extra >= 4 {
      let id = u16(extra)
      let length = u16(extra + 2)
      guard length <= extraEnd - extra - 4 else {
        throw error(extra, .truncated(part: "an extra field", needed: length, left: extraEnd - extra - 4))
      }
      if id == 1 {
        var field = extra + 4
        for which in 0..<3 {
          let wanted = [size, compressed, local][which] == 0xFFFF_FFFF
          guard wanted else { continue }
          guard field + 8 <= extra + 4 + length else {
            throw error(
              extra, .truncated(part: "the 64-bit sizes", needed: 8, left: extra + 4 + length - field))
          }
          let value = try u64(field)
          field += 8
          switch which {
          case 0: size = value
          case 1: compressed = value
          default: local = value
          }
        }
      }
      extra += 4 + length
    }
    let data = try dataRange(local, compressed: compressed, name: name)
    guard method == 8 || compressed == size else {
      throw error(offset, .malformed("the stored entry \"\(name)\" has two sizes, \(compressed) and \(size)"))
    }
    let limit = ArrayFile.expansionLimit(compressed)
    guard method == 0 || size <= limit else {
      throw error(offset, .tooLarge(part: "the entry \"\(name)\"", found: size, limit: limit))
    }
    let entry = Zip.Entry(
      name: name, isDeflated: method == 8, crc: UInt32(u32(offset + 16)), compressedSize: compressed,
      size: size,
      data: data)
    return (entry, next)
  }

  /// Where an entry's data lie, from its local record.
  private func dataRange(_ local: Int, compressed: Int, name: String) throws(DatasetError) -> Range<Int> {
    try require(30, at: local, part: "the record of \"\(name)\"")
    guard u32(local) == 0x0403_4B50 else {
      throw error(local, .malformed("the record of \"\(name)\" has the wrong signature"))
    }
    let start = local + 30 + u16(local + 26) + u16(local + 28)
    try require(compressed, at: start, part: "the data of \"\(name)\"")
    return start..<start + compressed
  }
}
