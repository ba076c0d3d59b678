import CKernels
import Tensors

/// A tensor of a weight file: found and checked, its values left in the mapped file.
///
/// Rows run along the last axis: a weight `[outputs, inputs]` has a row for each output.
package struct StoredTensor: Sendable {
  package enum Kind: Sendable {
    case numbers(ElementType)
    /// Blocks of a row, whether their values can be read here or not.
    case blocks(GGMLType)
  }

  /// Path of the file it lies in.
  package let file: String
  package let name: String
  /// Outermost axis first.
  package let shape: Shape
  package let kind: Kind
  /// Exactly the bytes of the tensor.
  package let storage: Storage

  init(file: String, name: String, shape: Shape, kind: Kind, storage: Storage) {
    self.file = file
    self.name = name
    self.shape = shape
    self.kind = kind
    self.storage = storage
  }

  package var count: Int { shape.elementCount }
  package var byteCount: Int { storage.bytes.count }
  /// Elements of a row; 1 for a scalar.
  package var rowLength: Int { shape.last ?? 1 }
  package var rowCount: Int { rowLength == 0 ? 0 : count / rowLength }
  /// Bytes of a row; `nil` where rows of packed numbers share bytes.
  package var rowBytes: Int? {
    switch kind {
    case .blocks(let type): type.byteCount(rowLength)
    case .numbers(let type): rowLength * type.bits % 8 == 0 ? rowLength * type.bits / 8 : nil
    }
  }

  /// As the file's format names it: `F16`, `Q4_K`.
  package var typeName: String {
    switch kind {
    case .blocks(let type): type.name
    case .numbers(let type): kind.ggmlType?.name ?? type.name
    }
  }

  /// How blocks become numbers; `nil` for plain numbers and for blocks that are only recognised.
  package var format: (any BlockFormat)? {
    if case .blocks(let type) = kind { type.format } else { nil }
  }

  /// Plain numbers, mapped; `nil` for blocks.
  package var tensor: Tensor? {
    guard case .numbers(let type) = kind else { return nil }
    return Tensor(shape: shape, type: type, storage: storage)
  }

  /// Blocks as they are, mapped: uint8 `[rows, bytes of a row]`; `nil` for plain numbers.
  package var blocks: Tensor? {
    guard case .blocks = kind else { return nil }
    return Tensor(
      shape: [rowCount, rowCount == 0 ? 0 : byteCount / rowCount], type: .uint8, storage: storage)
  }
}

extension StoredTensor {
  /// The values of some rows as float32.
  ///
  /// - Parameter out: room for `rows.count` · `rowLength` elements.
  /// - Errors: `ImportError` for a type whose values cannot be read.
  package func decode(rows: Range<Int>, into out: UnsafeMutablePointer<Float>) throws(ImportError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows of the tensor")
    let count = rows.count * rowLength
    guard count > 0, let base = storage.bytes.baseAddress else { return }
    // The last tensor of a file keeps it mapped.
    defer { withExtendedLifetime(storage) {} }
    switch kind {
    case .blocks(let type):
      guard let format = type.format, let bytes = type.byteCount(rowLength) else { throw unreadable }
      format.decode(base + rows.lowerBound * bytes, count: count, into: out)
    case .numbers(.float32):
      memory(out, count).copyMemory(from: bytes(from: base, rows, width: 4))
    case .numbers(.float16):
      let halves = bytes(from: base, rows, width: 2)
      guard let start = halves.baseAddress else { return }
      if Int(bitPattern: start) % 2 == 0 {
        ck_best().pointee.f16_to_f32(start.assumingMemoryBound(to: UInt16.self), count, out)
      } else {
        for i in 0..<count { out[i] = Float(halves.loadUnaligned(fromByteOffset: 2 * i, as: Float16.self)) }
      }
    case .numbers(.bfloat16):
      let words = bytes(from: base, rows, width: 2)
      for i in 0..<count {
        out[i] = Float(bitPattern: UInt32(words.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16)
      }
    case .numbers(let type):
      guard let rowBytes else { throw unreadable }
      let part = Tensor(
        shape: [rows.count, rowLength], type: type, storage: storage, byteOffset: rows.lowerBound * rowBytes)
      part.converted(to: .float32).withBytes { memory(out, count).copyMemory(from: $0) }
    }
  }

  /// All values as float32: the mapped tensor itself where it holds float32, else a new one.
  ///
  /// - Errors: `ImportError` for a type whose values cannot be read.
  package func floats(threads: Int) throws(ImportError) -> Tensor {
    if case .numbers(.float32) = kind, let tensor { return tensor }
    if case .blocks(let type) = kind, type.format == nil { throw unreadable }
    guard rowBytes != nil, rowCount > 0 else {
      guard let tensor else { return Tensor([Float](), shape: shape) }
      return tensor.converted(to: .float32)
    }
    return Tensor(of: Float.self, shape: shape) { out in
      guard let base = out.baseAddress else { return }
      nonisolated(unsafe) let start = base
      // Checked above: nothing is left that could not be read.
      parallel(rowCount, grain: max(1, 65536 / rowLength), threads: threads) { rows in
        do {
          try decode(rows: rows, into: start + rows.lowerBound * rowLength)
        } catch { preconditionFailure("\(error)") }
      }
    }
  }

  /// Why values of this type cannot be had.
  package var unreadable: ImportError {
    ImportError(
      file: file, place: .tensor(name), reason: .unsupported(what: "the values' type", found: typeName))
  }

  private func bytes(
    from base: UnsafeRawPointer, _ rows: Range<Int>, width: Int
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: base + rows.lowerBound * rowLength * width, count: rows.count * rowLength * width)
  }

  private func memory(_ out: UnsafeMutablePointer<Float>, _ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: out, count: 4 * count)
  }
}
