import Tensors

/// One array from a file of any format known here, told by its first bytes.
package enum ArrayFile {
  /// Room every compressed file may claim, and how much more per compressed byte.
  ///
  /// Real arrays of one repeated
  /// value stay far below; a bomb of a few kilobytes cannot claim more than deflate allows anyway.
  static let freeExpansion = 256 << 20
  static let expansionRatio = 128

  /// The most that `compressed` bytes may unpack to.
  static func expansionLimit(_ compressed: Int) -> Int {
    let ratio = compressed.multipliedSaturating(by: expansionRatio)
    return Swift.min(
      compressed.multipliedSaturating(by: Inflater.largestRatio),
      ratio > .max - freeExpansion ? .max : ratio + freeExpansion)
  }

  /// Reads `.npy`, IDX, either of them gzipped, or the array `name` of a `.npz` (which may be left out when the
  /// archive holds only one).
  package static func read(_ path: String, array name: String? = nil) throws(DatasetError) -> Tensor {
    let mapping = try Files.map(path)
    let start = mapping.prefix(6)
    if Zip.looksLikeZip(mapping) {
      let archive = try Npz(mapping, file: path)
      if let name { return try archive.read(name) }
      guard archive.names.count == 1, let only = archive.names.first else {
        throw DatasetError(
          file: path,
          reason: .wrongValue(
            key: "array", expected: "one of \(archive.names.prefix(12).joined(separator: ", "))",
            found: "nothing"))
      }
      return try archive.read(only)
    }
    if let name {
      throw DatasetError(
        file: path,
        reason: .notThisFormat("a .npz archive, so it has no array \"\(name)\"", found: kind(start)))
    }
    if start.starts(with: [0x1F, 0x8B]) {
      let limit = expansionLimit(mapping.bytes.count)
      // The kind of array shows only after unpacking its first bytes.
      let probe = try gzip(mapping, path, limit)
      let first = try probe.bytes(2, part: "the array's signature")
      let stream = try gzip(mapping, path, limit)
      return first[0] == 0 ? try Idx.read(from: stream) : try Npy.read(from: stream)
    }
    let stream = MemoryStream(mapping, file: path, range: 0..<mapping.bytes.count)
    return start.count >= 4 && start[0] == 0 && start[1] == 0
      ? try Idx.read(from: stream) : try Npy.read(from: stream)
  }

  private static func gzip(_ mapping: MappedFile, _ path: String, _ limit: Int) throws(DatasetError)
    -> Inflater
  {
    try Inflater(
      mapping, file: path, range: 0..<mapping.bytes.count, framing: .gzip, place: .whole, limit: limit)
  }

  private static func kind(_ start: [UInt8]) -> String {
    start.isEmpty ? "an empty file" : "bytes \(hexText(start))"
  }
}
