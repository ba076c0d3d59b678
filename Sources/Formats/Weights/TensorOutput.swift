import Tensors

/// A tensor that is to be written: what it is, and who produces its bytes when its turn comes.
///
/// Nothing is produced before, and only one tensor at a time, so a model may be larger than memory.
package struct TensorOutput {
  package let name: String
  /// Outermost axis first.
  package let shape: Shape
  package let kind: StoredTensor.Kind
  /// Appends exactly `byteCount` bytes.
  let produce: (TensorSink) throws -> Void

  package init(
    _ name: String, shape: Shape, kind: StoredTensor.Kind, produce: @escaping (TensorSink) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.produce = produce
  }

  package init(_ name: String, _ tensor: Tensor) {
    self.init(name, shape: tensor.shape, kind: .numbers(tensor.type)) { sink in
      try tensor.withBytes { try sink.append($0) }
    }
  }

  /// A tensor of another file as it is, under the same name or another.
  package init(_ tensor: StoredTensor, name: String? = nil) {
    self.init(name ?? tensor.name, shape: tensor.shape, kind: tensor.kind) { sink in
      let bytes = tensor.storage.bytes
      for start in stride(from: 0, to: bytes.count, by: Self.copied) {
        try sink.append(
          UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.copied, bytes.count)]))
        tensor.storage.forgetPages()
      }
    }
  }

  /// Bytes copied before their pages are given back.
  private static let copied = 16 << 20
}

/// Takes the bytes of one tensor.
package final class TensorSink {
  private let file: OutputFile
  private let name: String
  private let expected: Int
  private var written = 0

  init(_ file: OutputFile, name: String, expecting bytes: Int) {
    self.file = file
    self.name = name
    expected = bytes
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(ExportError) {
    written += bytes.count
    guard written <= expected else { throw wrongCount }
    try file.write(bytes)
  }

  func finish() throws(ExportError) { guard written == expected else { throw wrongCount } }

  private var wrongCount: ExportError {
    ExportError(
      file: file.path,
      reason: .unsupported(
        "tensor \"\(name)\" has \(written) bytes or more, where its shape asks for \(expected)."))
  }
}

extension StoredTensor.Kind {
  /// Bytes of a tensor of this shape; `nil` where rows are no whole number of blocks or the product overflows.
  package func byteCount(of shape: Shape) -> Int? {
    guard let count = shape.checkedElementCount else { return nil }
    switch self {
    case .blocks(let type): return (shape.last ?? 1) % type.elements == 0 ? type.byteCount(count) : nil
    case .numbers(let type):
      return count.multipliedReportingOverflow(by: type.bits).overflow ? nil : type.byteCount(count)
    }
  }

  /// The type as GGUF numbers it; `nil` for numbers it does not have.
  package var ggmlType: GGMLType? {
    switch self {
    case .blocks(let type): type
    case .numbers(let type): GGMLType.all.first { $0.elementType == type }
    }
  }

  package init(_ type: GGMLType) { self = type.elementType.map { .numbers($0) } ?? .blocks(type) }
}
