import Tensors

/// A safetensors file, mapped: eight bytes with the header's length, a JSON header, the tensors one after another.
///
/// Source: huggingface/safetensors, "Format".
package struct SafetensorsFile: Sendable {
  package let path: String
  /// What the file says about itself under `__metadata__`.
  package let metadata: [(key: String, value: String)]
  package let weights: WeightTable

  /// As the published reader has it.
  static let longestHeader = 100_000_000
  static let metadataKey = "__metadata__"

  /// - Errors: `ImportError`.
  package static func open(_ path: String) throws(ImportError) -> SafetensorsFile {
    try SafetensorsFile(MappedFile.forImport(path))
  }

  private init(_ file: MappedFile) throws(ImportError) {
    path = file.path
    let header = try Self.header(file)
    var metadata: [(key: String, value: String)] = []
    var tensors: [StoredTensor] = []
    var ranges: [Range<Int>] = []
    let data = header.end..<file.bytes.count
    for (key, entry) in header.object.entries {
      if key == Self.metadataKey {
        metadata = try Self.metadata(entry, path)
        continue
      }
      let tensor = try TensorEntry(key, entry, path)
      let range = try tensor.range(in: data)
      ranges.append(range)
      tensors.append(
        StoredTensor(
          file: path, name: key, shape: tensor.shape, kind: .numbers(tensor.type),
          storage: Storage(mapping: file, range: range)))
    }
    // Overlaps first: they are the better explanation of a sum that is wrong.
    try WeightTable.checkOverlaps(ranges, of: tensors)
    let used = ranges.reduce(0) { $0 + $1.count }
    guard used == data.count else {
      throw ImportError(
        file: path, place: .file, reason: .count(what: "bytes of tensors", found: data.count, expected: used))
    }
    self.metadata = metadata
    // The header's order is the writer's alphabet; the order of the bytes is the file's own.
    let order = tensors.indices.sorted { (ranges[$0].lowerBound, $0) < (ranges[$1].lowerBound, $1) }
    weights = try WeightTable(order.map { tensors[$0] })
  }

  private static func header(_ file: MappedFile) throws(ImportError) -> (object: JSONObject, end: Int) {
    func failure(_ place: ImportError.Place, _ reason: ImportError.Reason) -> ImportError {
      ImportError(file: file.path, place: place, reason: reason)
    }
    guard file.bytes.count >= 8 else {
      throw failure(.file, .truncated(needed: 8, left: file.bytes.count))
    }
    let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(longestHeader) else {
      throw failure(
        .byte(0), .limit(what: "bytes of header", found: Int(clamping: length), most: longestHeader))
    }
    guard length <= UInt64(file.bytes.count - 8) else {
      throw failure(.byte(0), .truncated(needed: Int(length), left: file.bytes.count - 8))
    }
    let end = 8 + Int(length)
    let json: JSON
    do { json = try JSON(parsing: UnsafeRawBufferPointer(rebasing: file.bytes[8..<end])) } catch {
      throw failure(.byte(8 + error.offset), .malformed(error.what))
    }
    guard case .object(let object) = json else {
      throw failure(.byte(8), .malformed("the header is no object"))
    }
    return (object, end)
  }

  private static func metadata(
    _ entry: JSON, _ path: String
  ) throws(ImportError) -> [(key: String, value: String)] {
    let place = ImportError.Place.metadata(metadataKey)
    guard case .object(let object) = entry else {
      throw ImportError(file: path, place: place, reason: .malformed("it is no object"))
    }
    var result: [(key: String, value: String)] = []
    for (key, value) in object.entries {
      guard case .string(let text) = value else {
        throw ImportError(file: path, place: place, reason: .malformed("the value of \"\(key)\" is no text"))
      }
      result.append((key, text))
    }
    return result
  }
}

/// What the header says about one tensor.
private struct TensorEntry {
  let path: String
  let name: String
  let type: ElementType
  let shape: Shape
  let begin: Int
  let end: Int

  init(_ name: String, _ entry: JSON, _ path: String) throws(ImportError) {
    self.path = path
    self.name = name
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: .tensor(name), reason: reason)
    }
    func sizes(_ key: String) throws(ImportError) -> [Int] {
      guard let value = entry[key] else { throw failure(.missing("\"\(key)\"")) }
      var result: [Int] = []
      for item in value.array ?? [.null] {
        guard case .integer(let size) = item, size >= 0 else {
          throw failure(.malformed("\"\(key)\" is no list of whole numbers from 0"))
        }
        result.append(size)
      }
      return result
    }
    guard let typeName = entry["dtype"] else { throw failure(.missing("\"dtype\"")) }
    guard case .string(let typeName) = typeName else { throw failure(.malformed("\"dtype\" is no text")) }
    guard let type = ElementType(safetensors: typeName) else {
      throw failure(.unsupported(what: "element type", found: typeName))
    }
    self.type = type
    shape = try sizes("shape")
    let offsets = try sizes("data_offsets")
    guard offsets.count == 2 else {
      throw failure(.count(what: "\"data_offsets\"", found: offsets.count, expected: 2))
    }
    (begin, end) = (offsets[0], offsets[1])
  }

  /// Where the values lie in the file, checked against the bytes after the header.
  func range(in data: Range<Int>) throws(ImportError) -> Range<Int> {
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: .tensor(name), reason: reason)
    }
    guard let count = shape.checkedElementCount, !count.multipliedReportingOverflow(by: type.bits).overflow
    else { throw failure(.malformed("the shape \(shape.shapeText) is impossible")) }
    guard begin <= end else { throw failure(.malformed("its bytes end before they begin")) }
    guard end <= data.count else { throw failure(.truncated(needed: end, left: data.count)) }
    let expected = type.byteCount(count)
    guard end - begin == expected else {
      throw failure(.count(what: "bytes", found: end - begin, expected: expected))
    }
    return data.lowerBound + begin..<data.lowerBound + end
  }
}
