import Tensors

/// Writes safetensors files.
package enum SafetensorsWriter {
  /// Writes a file beside its destination and renames it into place.
  ///
  /// Tensors stand by falling width of their elements, then in the order given, so that each is aligned.
  ///
  /// - Parameter progress: told the bytes written so far before each tensor; what it throws ends the writing.
  /// - Errors: `ExportError` for what the format cannot hold, and what producers throw.
  package static func write(
    _ tensors: [TensorOutput], metadata: [(key: String, value: String)] = [], path: String,
    progress: (_ bytes: Int, _ tensor: String) throws -> Void = { _, _ in }
  ) throws {
    func failure(_ what: String) -> ExportError { ExportError(file: path, reason: .unsupported(what)) }
    var header = JSONObject()
    if !metadata.isEmpty {
      header[SafetensorsFile.metadataKey] = .object(JSONObject(metadata.map { ($0.key, .string($0.value)) }))
    }
    var offset = 0
    var placed: [(tensor: TensorOutput, size: Int)] = []
    for (tensor, type) in try tensors.map({ ($0, try type($0, path)) }).stablySorted(by: {
      $0.1.bits > $1.1.bits
    }) {
      guard header[tensor.name] == nil, tensor.name != SafetensorsFile.metadataKey else {
        throw failure("tensor \"\(tensor.name)\" stands twice, or has a name of the format's own.")
      }
      guard let name = type.safetensorsName, let size = tensor.kind.byteCount(of: tensor.shape),
        tensor.shape.elementCount * type.bits % 8 == 0
      else {
        throw failure(
          "tensor \"\(tensor.name)\": safetensors has no \(type.name) of \(tensor.shape.shapeText).")
      }
      header[tensor.name] = .object(
        JSONObject([
          ("dtype", .string(name)), ("shape", .array(tensor.shape.map { .integer($0) })),
          ("data_offsets", .array([.integer(offset), .integer(offset + size)])),
        ]))
      placed.append((tensor, size))
      offset += size
    }
    var text = Array(JSON.object(header).text.utf8)
    text.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    guard text.count <= SafetensorsFile.longestHeader else { throw failure("the header would be too long.") }

    let file = try OutputFile(path: path)
    try file.write(withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) })
    try file.write(text)
    for (tensor, size) in placed {
      try progress(file.count, tensor.name)
      let sink = TensorSink(file, name: tensor.name, expecting: size)
      try tensor.produce(sink)
      try sink.finish()
    }
    try file.commit()
  }

  private static func type(_ tensor: TensorOutput, _ path: String) throws(ExportError) -> ElementType {
    if case .numbers(let type) = tensor.kind { return type }
    throw ExportError(
      file: path,
      reason: .unsupported("tensor \"\(tensor.name)\": safetensors holds no blocks, only numbers."))
  }
}

extension Array {
  /// Sorted; equals keep their order.
  fileprivate func stablySorted(by isBefore: (Element, Element) -> Bool) -> [Element] {
    enumerated().sorted { a, b in
      isBefore(a.element, b.element) || (!isBefore(b.element, a.element) && a.offset < b.offset)
    }.map(\.element)
  }
}
