import CZlib
import Tensors

/// A `.npz` archive: named `.npy` arrays in a zip file, stored or deflated.
///
/// Arrays are read when asked for: stored ones stay mapped, deflated ones are unpacked straight into their tensor
/// after the array's own header has been checked against the entry's size.
package struct Npz: Sendable {
  package let file: String
  /// Names of the arrays, without `.npy`, in the order of the archive.
  package let names: [String]
  private let mapping: MappedFile
  private let entries: [String: Zip.Entry]

  package init(_ path: String) throws(DatasetError) {
    try self.init(try Files.map(path), file: path)
  }

  init(_ mapping: MappedFile, file: String) throws(DatasetError) {
    guard Zip.looksLikeZip(mapping) else {
      throw DatasetError(
        file: file,
        reason: .notThisFormat("a .npz archive", found: "bytes \(hexText(mapping.prefix(4)))"))
    }
    self.file = file
    self.mapping = mapping
    var names: [String] = []
    var entries: [String: Zip.Entry] = [:]
    for entry in try Zip(mapping, file: file).entries {
      guard entry.name.hasSuffix(".npy") else {
        if entry.name.hasSuffix("/") && entry.size == 0 { continue }
        throw DatasetError(
          file: file, place: .array(entry.name),
          reason: .notThisFormat("a .npy array", found: "a file of another kind"))
      }
      let name = String(entry.name.dropLast(4))
      names.append(name)
      entries[name] = entry
    }
    self.names = names
    self.entries = entries
  }

  /// The array `name`, its checksum verified.
  package func read(_ name: String) throws(DatasetError) -> Tensor {
    guard let entry = entries[name] else {
      throw DatasetError(file: file, reason: .missing("the array \"\(name)\"", available: names))
    }
    let place = DatasetError.Place.array(name)
    if entry.isDeflated {
      let stream = try Inflater(
        mapping, file: file, range: entry.data, framing: .raw, place: place, limit: entry.size,
        expectedCRC: entry.crc)
      return try Npy.read(from: stream)
    }
    let found = entry.data.isEmpty ? 0 : UInt32(truncatingIfNeeded: checksum(mapping, entry.data))
    guard found == entry.crc else {
      throw DatasetError(file: file, place: place, reason: .checksum(expected: entry.crc, found: found))
    }
    return try Npy.read(from: MemoryStream(mapping, file: file, range: entry.data, place: place))
  }

  /// The bytes of an archive holding `arrays` in order, deflated where that saves space.
  package static func encode(_ arrays: [(name: String, tensor: Tensor)]) throws(DatasetError) -> [UInt8] {
    var writer = ZipWriter()
    for (name, tensor) in arrays { writer.append(name: name + ".npy", bytes: try Npy.encode(tensor)) }
    return writer.finish()
  }
}

private func checksum(_ mapping: MappedFile, _ range: Range<Int>) -> UInt {
  let part = UnsafeRawBufferPointer(rebasing: mapping.bytes[range])
  return UInt(crc32_z(0, part.baseAddress?.assumingMemoryBound(to: UInt8.self), part.count))
}
