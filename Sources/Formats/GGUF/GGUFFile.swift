import Tensors

/// A GGUF file, version 2 or 3, mapped; of a model in several files all of them.
///
/// Source: ggml, `docs/gguf.md`.
package struct GGUFFile: Sendable {
  package let path: String
  package let version: Int
  /// Tensors start at multiples of it.
  package let alignment: Int
  package let metadata: GGUFMetadata
  package let weights: WeightTable

  static let defaultAlignment = 32
  static let mostAlignment = 1 << 20
  static let magic = Array("GGUF".utf8)
  static let alignmentKey = "general.alignment"

  /// Opens a file, and the others of a model in several files (`…-00001-of-00003.gguf`).
  ///
  /// - Errors: `ImportError`.
  package static func open(_ path: String) throws(ImportError) -> GGUFFile {
    let part = try GGUFPart(path)
    let count = try part.metadata.integer(GGUFShards.countKey) ?? 1
    if count > 1 { return try GGUFShards.join(part, count: count) }
    return try GGUFFile(path: path, first: part, tensors: part.tensors)
  }

  init(path: String, first: GGUFPart, tensors: [StoredTensor]) throws(ImportError) {
    self.path = path
    version = first.version
    alignment = first.alignment
    metadata = first.metadata
    weights = try WeightTable(tensors)
  }
}

/// One GGUF file by itself.
struct GGUFPart {
  let path: String
  let version: Int
  let alignment: Int
  let metadata: GGUFMetadata
  let tensors: [StoredTensor]

  init(_ path: String) throws(ImportError) {
    self.path = path
    let file = try MappedFile.forImport(path)
    func failure(_ place: ImportError.Place, _ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: place, reason: reason)
    }
    guard file.bytes.starts(with: GGUFFile.magic) else {
      throw failure(.file, .notThisFormat(expected: "a GGUF file"))
    }
    var cursor = GGUFCursor(file)
    _ = try cursor.number(UInt32.self)
    let version = try cursor.number(UInt32.self)
    guard (2...3).contains(version) else {
      let swapped = (2...3).contains(version.byteSwapped)
      throw failure(
        .byte(4), .unsupported(what: "GGUF version", found: swapped ? "big-endian" : "\(version)"))
    }
    self.version = Int(version)
    let tensorCount = try cursor.count(of: "tensors", atLeast: TensorInfo.leastBytes)
    let entryCount = try cursor.count(of: "metadata entries", atLeast: 8 + 4 + 1)

    var metadata = GGUFMetadata(file: path)
    for _ in 0..<entryCount {
      let start = cursor.position
      let key = try cursor.string()
      guard metadata[key] == nil else { throw failure(.byte(start), .writtenTwice(key)) }
      metadata[key] = try cursor.value()
    }
    self.metadata = metadata
    alignment = try metadata.integer(GGUFFile.alignmentKey) ?? GGUFFile.defaultAlignment
    guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= GGUFFile.mostAlignment else {
      throw failure(
        .metadata(GGUFFile.alignmentKey),
        .malformed("the alignment \(alignment) is no power of two up to \(GGUFFile.mostAlignment)"))
    }

    var infos: [TensorInfo] = []
    infos.reserveCapacity(tensorCount)
    for _ in 0..<tensorCount { infos.append(try TensorInfo(&cursor)) }
    let start = (cursor.position + alignment - 1) / alignment * alignment
    var tensors: [StoredTensor] = []
    var ranges: [Range<Int>] = []
    for info in infos {
      let range = try info.range(in: file, from: start, alignment: alignment)
      ranges.append(range)
      tensors.append(
        StoredTensor(
          file: path, name: info.name, shape: info.shape, kind: info.kind,
          storage: Storage(mapping: file, range: range)))
    }
    try WeightTable.checkOverlaps(ranges, of: tensors)
    self.tensors = tensors
  }
}

/// What the file says about one tensor.
private struct TensorInfo {
  static let leastBytes = 8 + 4 + 4 + 8
  static let mostAxes = 4

  let name: String
  let shape: Shape
  let type: GGMLType
  let offset: UInt64

  init(_ cursor: inout GGUFCursor) throws(ImportError) {
    name = try cursor.string()
    let place = ImportError.Place.tensor(name)
    let path = cursor.file.path
    let axes = try cursor.number(UInt32.self)
    guard axes <= Self.mostAxes else {
      throw ImportError(
        file: path, place: place, reason: .limit(what: "axes", found: Int(axes), most: Self.mostAxes))
    }
    // Files count axes from the innermost.
    var sizes: Shape = []
    for _ in 0..<axes { sizes.insert(Int(clamping: try cursor.number(UInt64.self)), at: 0) }
    shape = sizes
    let id = try cursor.number(UInt32.self)
    guard let type = GGMLType.numbered(id) else {
      throw ImportError(
        file: path, place: place, reason: .unsupported(what: "tensor type", found: "number \(id)"))
    }
    self.type = type
    offset = try cursor.number(UInt64.self)
  }

  var kind: StoredTensor.Kind { StoredTensor.Kind(type) }

  /// Where the values lie, checked against the file.
  func range(in file: MappedFile, from start: Int, alignment: Int) throws(ImportError) -> Range<Int> {
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: file.path, place: .tensor(name), reason: reason)
    }
    guard let count = shape.checkedElementCount else {
      throw failure(.malformed("the shape \(shape.shapeText) is impossible"))
    }
    guard (shape.last ?? 1) % type.elements == 0 else {
      throw failure(
        .malformed(
          "rows of \(shape.last ?? 1) are no whole number of \(type.name) blocks of \(type.elements)"))
    }
    guard let bytes = type.byteCount(count) else {
      throw failure(.malformed("the shape \(shape.shapeText) is impossible"))
    }
    guard offset % UInt64(alignment) == 0 else {
      throw failure(.malformed("the offset \(offset) is no multiple of the alignment \(alignment)"))
    }
    let room = file.bytes.count - start
    guard bytes == 0 || (room >= 0 && offset <= UInt64(room) && bytes <= room - Int(offset)) else {
      throw failure(.truncated(needed: bytes, left: max(0, room - Int(clamping: offset))))
    }
    return bytes == 0 ? 0..<0 : start + Int(offset)..<start + Int(offset) + bytes
  }
}
