import Formats
import Glibc
import Tensors

/// A GGUF file made from the tensors of another file, each in a type of its own, in a bounded working set: rows are
/// read, encoded and written a chunk at a time, and no tensor is ever held whole.
package struct FileQuantization: Sendable {
  /// Why it cannot be done.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    case unwritable(tensor: String, type: String)
    case quantizedAlready(tensor: String, from: String, to: String)
    case notFinite(tensor: String, row: Int)
    case importance(tensor: String, found: Int, expected: Int)

    package var description: String {
      switch self {
      case .unwritable(let tensor, let type):
        "tensor \"\(displayText(tensor))\": \(type) can be named but not written. Choose another type."
      case .quantizedAlready(let tensor, let from, let to):
        "tensor \"\(displayText(tensor))\" is \(from) already, and \(to) made from it is worse than from the original. "
          + "Open the float file, or allow it explicitly."
      case .notFinite(let tensor, let row):
        "tensor \"\(displayText(tensor))\", row \(row): a weight is infinite or no number. The file is damaged."
      case .importance(let tensor, let found, let expected):
        "tensor \"\(displayText(tensor))\": the importance matrix has \(found) values, \(expected) are needed. "
          + "Make it from this model."
      }
    }
  }

  let tensors: [WeightRows]
  /// Which type each tensor gets, to be shown before the work starts.
  package let plan: TypePlan
  let metadata: GGUFMetadata
  let importance: ImportanceMatrix?
  let threads: Int

  /// Bytes of encoded rows held at a time.
  static let chunkBytes = 4 << 20
  /// Weights a thread decodes and encodes at a time, at least a row.
  static let grain = 1 << 14

  /// - Parameters:
  ///   - tensors: in the order of the new file.
  ///   - plan: one choice for each of them.
  ///   - metadata: of the new file, with `general.file_type` where it is known.
  ///   - allowsRequantizing: whether blocks may become other blocks.
  /// - Errors: `Failure`.
  package init(
    _ tensors: [WeightRows], plan: TypePlan, metadata: GGUFMetadata, importance: ImportanceMatrix? = nil,
    threads: Int, allowsRequantizing: Bool = false
  ) throws {
    precondition(tensors.map(\.name) == plan.choices.map(\.name), "a choice for each tensor")
    for (tensor, choice) in zip(tensors, plan.choices) {
      if tensor.isCopied(as: choice.effective) { continue }
      guard RowEncoder(choice.effective) != nil else {
        throw Failure.unwritable(tensor: tensor.name, type: choice.effective.name)
      }
      if case .blocks(let from) = tensor.source.kind {
        guard from.isReadable else { throw tensor.source.unreadable }
        guard allowsRequantizing else {
          throw Failure.quantizedAlready(tensor: tensor.name, from: from.name, to: choice.effective.name)
        }
      }
      if let entry = importance?[tensor.name],
        entry.sums.count % tensor.rowLength != 0 || entry.sums.isEmpty
          || tensor.rowCount % (entry.sums.count / tensor.rowLength) != 0
      {
        throw Failure.importance(tensor: tensor.name, found: entry.sums.count, expected: tensor.rowLength)
      }
    }
    self.tensors = tensors
    self.plan = plan
    self.metadata = metadata
    self.importance = importance
    self.threads = threads
  }

  /// Bytes of buffers the work needs besides pages of the mapped source: the largest chunk of encoded rows, and
  /// float32 rows in each thread.
  package var workingSet: Int {
    zip(tensors, plan.choices).filter { !$0.isCopied(as: $1.effective) }.map { tensor, choice in
      let bytes = choice.effective.byteCount(tensor.rowLength) ?? 0
      return Self.chunkRows(tensor, bytes) * bytes + threads * Self.grainRows(tensor) * tensor.rowLength * 4
    }.max() ?? 0
  }

  /// Writes the file beside its destination and renames it into place.
  ///
  /// - Parameter progress: told the weights done, of how many, and the tensor; what it throws ends the work.
  /// - Errors: `Failure`, `ExportError`, `ImportError` of the source.
  package func write(
    to path: String,
    progress: @escaping (_ done: Int, _ of: Int, _ tensor: String) throws -> Void = { _, _, _ in }
  ) throws {
    let total = tensors.reduce(0) { $0 + $1.shape.elementCount }
    var starts: [String: Int] = [:]
    var done = 0
    let outputs = zip(tensors, plan.choices).map { tensor, choice in
      let start = done
      starts[tensor.name] = start
      done += tensor.shape.elementCount
      guard !tensor.isCopied(as: choice.effective) else {
        return TensorOutput(tensor.source, name: tensor.name)
      }
      return TensorOutput(tensor.name, shape: tensor.shape, kind: .init(choice.effective)) { sink in
        try encode(tensor, as: choice.effective, into: sink) { try progress(start + $0, total, tensor.name) }
      }
    }
    try GGUFWriter(outputs, metadata: metadata, path: path).write { _, tensor in
      try progress(starts[tensor] ?? 0, total, tensor)
    }
    try progress(total, total, "")
  }

  private func encode(
    _ tensor: WeightRows, as type: GGMLType, into sink: TensorSink, progress: (Int) throws -> Void
  ) throws {
    guard let encoder = RowEncoder(type), let rowBytes = type.byteCount(tensor.rowLength) else {
      throw Failure.unwritable(tensor: tensor.name, type: type.name)
    }
    let means = importance?[tensor.name].map { Tensor($0.means, shape: [$0.sums.count]) }
    let rowsPerMatrix = means.map { max(1, tensor.rowCount / ($0.count / tensor.rowLength)) } ?? 1
    let chunk = Self.chunkRows(tensor, rowBytes)
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: max(1, chunk * rowBytes), alignment: 64)
    defer { buffer.deallocate() }
    for first in stride(from: 0, to: tensor.rowCount, by: chunk) {
      let rows = first..<min(first + chunk, tensor.rowCount)
      try progress(first * tensor.rowLength)
      try encode(tensor, rows, encoder, rowBytes, means, rowsPerMatrix, into: buffer)
      try sink.append(UnsafeRawBufferPointer(start: buffer, count: rows.count * rowBytes))
      tensor.source.storage.forgetPages()
    }
  }

  /// Some rows, on the threads; the first error of the lowest row is thrown.
  private func encode(
    _ tensor: WeightRows, _ rows: Range<Int>, _ encoder: RowEncoder, _ rowBytes: Int, _ means: Tensor?,
    _ rowsPerMatrix: Int, into buffer: UnsafeMutableRawPointer
  ) throws {
    nonisolated(unsafe) let out = buffer
    let errors = Locked<[(row: Int, error: any Error)]>([])
    let length = tensor.rowLength
    let isQuantized = encoder.type.elementType == nil
    parallel(rows.count, grain: Self.grainRows(tensor), threads: threads) { part in
      let floats = UnsafeMutablePointer<Float>.allocate(capacity: max(1, part.count * length))
      defer { floats.deallocate() }
      let start = rows.lowerBound + part.lowerBound
      do {
        try tensor.read(start..<start + part.count, floats)
        for row in 0..<part.count {
          let values = floats + row * length
          if isQuantized, !Self.isFinite(values, length) {
            throw Failure.notFinite(tensor: tensor.name, row: start + row)
          }
          let target = out + (part.lowerBound + row) * rowBytes
          guard let means else {
            encoder.encode(values, count: length, importance: nil, into: target)
            continue
          }
          means.withElements(of: Float.self) { means in
            let matrix = (start + row) / rowsPerMatrix
            encoder.encode(
              values, count: length, importance: means.baseAddress.map { $0 + matrix * length }, into: target)
          }
        }
      } catch { errors.withLock { $0.append((start, error)) } }
    }
    if let first = errors.withLock({ $0.min { $0.row < $1.row } }) { throw first.error }
  }

  private static func isFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
    var highest: UInt32 = 0
    for i in 0..<count { highest = max(highest, values[i].bitPattern & 0x7fff_ffff) }
    return highest < 0x7f80_0000
  }

  private static func chunkRows(_ tensor: WeightRows, _ rowBytes: Int) -> Int {
    min(max(1, tensor.rowCount), max(1, chunkBytes / max(1, rowBytes)))
  }

  private static func grainRows(_ tensor: WeightRows) -> Int { max(1, grain / max(1, tensor.rowLength)) }
}

extension WeightRows {
  /// Whether its bytes are already those of the type.
  func isCopied(as type: GGMLType) -> Bool { isUnchanged && source.kind.ggmlType?.id == type.id }
}

extension FileQuantization {
  /// Tensors written with the types of a mixture.
  ///
  /// - Parameters:
  ///   - metadata: of the model; what is known of the mixture is put in.
  ///   - named: types of single tensors, which go before the mixture's rules.
  ///   - importance: the matrix, and the name of its file, noted in the metadata as llama.cpp does.
  /// - Errors: `Failure`, `ImportError`.
  package init(
    _ tensors: [WeightRows], metadata: GGUFMetadata, _ mixture: Mixture, named: [String: GGMLType] = [:],
    importance: (matrix: ImportanceMatrix, file: String)? = nil, threads: Int,
    allowsRequantizing: Bool = false
  ) throws {
    let context = try TypePlan.Context(metadata, hasImportance: importance != nil)
    try self.init(
      tensors, plan: TypePlan(mixture, tensors: tensors, context: context, named: named),
      metadata: Self.metadata(metadata, mixture, importance), importance: importance?.matrix,
      threads: threads, allowsRequantizing: allowsRequantizing)
  }

  /// A GGUF file written anew with the types of a mixture; as above.
  package init(
    _ file: GGUFFile, _ mixture: Mixture, named: [String: GGMLType] = [:],
    importance: (matrix: ImportanceMatrix, file: String)? = nil, threads: Int,
    allowsRequantizing: Bool = false
  ) throws {
    try self.init(
      file.weights.tensors.map { WeightRows($0) }, metadata: file.metadata, mixture, named: named,
      importance: importance, threads: threads, allowsRequantizing: allowsRequantizing)
  }

  /// What llama.cpp notes about a quantized file, put into what the original says.
  package static func metadata(
    _ original: GGUFMetadata, _ mixture: Mixture, _ importance: (matrix: ImportanceMatrix, file: String)?
  ) -> GGUFMetadata {
    var metadata = original
    // All parts of the original become one file.
    for key in original.keys where key.hasPrefix("split.") { metadata[key] = nil }
    metadata["general.file_type"] = .uint32(mixture.fileType)
    if GGMLType.named(mixture.base)?.elementType == nil {
      metadata["general.quantization_version"] = .uint32(2)
    }
    if let importance {
      metadata["quantize.imatrix.file"] = .string(importance.file)
      metadata["quantize.imatrix.dataset"] = .string(importance.matrix.datasets.joined(separator: ", "))
      metadata["quantize.imatrix.entries_count"] = .uint32(UInt32(clamping: importance.matrix.entries.count))
      metadata["quantize.imatrix.chunks_count"] = .uint32(UInt32(clamping: importance.matrix.chunks))
    }
    return metadata
  }
}
