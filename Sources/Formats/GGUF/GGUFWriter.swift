import Tensors

/// A GGUF file (version 3) that is to be written: header and places are known before the first byte of a tensor.
package struct GGUFWriter {
  private let tensors: [TensorOutput]
  private let sizes: [Int]
  private let alignment: Int
  private let header: [UInt8]
  private let path: String

  /// Bytes the finished file has.
  package let fileSize: Int

  /// Longest name of a tensor that llama.cpp reads.
  static let longestName = 63
  static let mostAxes = 4

  /// - Parameters:
  ///   - metadata: written in its order; `general.alignment` holds where it is there.
  ///   - tensors: written in their order.
  /// - Errors: `ExportError` for what the format cannot hold.
  package init(
    _ tensors: [TensorOutput], metadata: GGUFMetadata, path: String
  ) throws(ExportError) {
    func failure(_ what: String) -> ExportError { ExportError(file: path, reason: .unsupported(what)) }
    let alignment = metadata[GGUFFile.alignmentKey].map { $0.integer ?? 0 } ?? GGUFFile.defaultAlignment
    guard alignment > 0, alignment & (alignment - 1) == 0 else {
      throw failure("the alignment \(alignment) is no power of two.")
    }
    var bytes = GGUFBytes()
    bytes.raw += GGUFFile.magic
    bytes.number(UInt32(3))
    bytes.number(UInt64(tensors.count))
    bytes.number(UInt64(metadata.keys.count))
    for (key, value) in metadata.entries {
      bytes.string(key)
      bytes.number(value.type.rawValue)
      bytes.value(value)
    }
    var names: Set<String> = []
    var sizes: [Int] = []
    var offset = 0
    for tensor in tensors {
      let what = "tensor \"\(tensor.name)\""
      guard names.insert(tensor.name).inserted else { throw failure("\(what) stands twice.") }
      guard tensor.name.utf8.count <= Self.longestName else {
        throw failure(
          "\(what): the name is longer than \(Self.longestName) bytes, the most that readers take.")
      }
      guard tensor.shape.count <= Self.mostAxes else {
        throw failure("\(what) has \(tensor.shape.count) axes, where GGUF has \(Self.mostAxes) at most.")
      }
      guard let type = tensor.kind.ggmlType else {
        throw failure("\(what): GGUF has no type for its elements.")
      }
      guard let size = tensor.kind.byteCount(of: tensor.shape) else {
        throw failure(
          "\(what): rows of \(tensor.shape.last ?? 1) are no whole number of \(type.name) blocks of \(type.elements)."
        )
      }
      bytes.string(tensor.name)
      bytes.number(UInt32(tensor.shape.count))
      for axis in tensor.shape.reversed() { bytes.number(UInt64(axis)) }
      bytes.number(type.id)
      bytes.number(UInt64(offset))
      sizes.append(size)
      offset += (size + alignment - 1) / alignment * alignment
    }
    bytes.pad(to: alignment)
    header = bytes.raw
    fileSize = header.count + offset
    self.tensors = tensors
    self.sizes = sizes
    self.alignment = alignment
    self.path = path
  }

  /// Writes the file beside its destination and renames it into place.
  ///
  /// - Parameter progress: told the bytes written so far before each tensor; what it throws ends the writing.
  /// - Errors: `ExportError`, and what producers throw.
  package func write(progress: (_ bytes: Int, _ tensor: String) throws -> Void = { _, _ in }) throws {
    let file = try OutputFile(path: path)
    try file.write(header)
    for (tensor, size) in zip(tensors, sizes) {
      try progress(file.count, tensor.name)
      let sink = TensorSink(file, name: tensor.name, expecting: size)
      try tensor.produce(sink)
      try sink.finish()
      try file.pad(to: alignment)
    }
    try file.commit()
  }
}

/// A header as it grows.
private struct GGUFBytes {
  var raw: [UInt8] = []

  mutating func number<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { raw.append(contentsOf: $0) }
  }

  mutating func string(_ text: String) {
    number(UInt64(text.utf8.count))
    raw.append(contentsOf: text.utf8)
  }

  mutating func pad(to alignment: Int) {
    raw.append(contentsOf: [UInt8](repeating: 0, count: (alignment - raw.count % alignment) % alignment))
  }

  mutating func value(_ value: GGUFValue) {
    switch value {
    case .uint8(let x): number(x)
    case .int8(let x): number(x)
    case .uint16(let x): number(x)
    case .int16(let x): number(x)
    case .uint32(let x): number(x)
    case .int32(let x): number(x)
    case .uint64(let x): number(x)
    case .int64(let x): number(x)
    case .float32(let x): number(x.bitPattern)
    case .float64(let x): number(x.bitPattern)
    case .bool(let x): number(x ? UInt8(1) : 0)
    case .string(let x): string(x)
    case .array(let x): array(x)
    }
  }

  private mutating func array(_ array: GGUFArray) {
    number(array.type.rawValue)
    number(UInt64(array.count))
    switch array {
    case .uint8(let x): raw.append(contentsOf: x)
    case .int8(let x): for value in x { number(value) }
    case .uint16(let x): for value in x { number(value) }
    case .int16(let x): for value in x { number(value) }
    case .uint32(let x): for value in x { number(value) }
    case .int32(let x): for value in x { number(value) }
    case .uint64(let x): for value in x { number(value) }
    case .int64(let x): for value in x { number(value) }
    case .float32(let x): for value in x { number(value.bitPattern) }
    case .float64(let x): for value in x { number(value.bitPattern) }
    case .bool(let x): for value in x { number(value ? UInt8(1) : 0) }
    case .string(let x): for value in x { string(value) }
    case .array(let x): for value in x { self.array(value) }
    }
  }
}
