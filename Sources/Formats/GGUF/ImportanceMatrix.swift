import Tensors

/// How much each input of each layer matters: sums of squared activations, in llama.cpp's GGUF form.
///
/// Source: llama.cpp, `tools/imatrix`.
package struct ImportanceMatrix: Sendable, Equatable {
  /// One weight, or several of one name (experts).
  package struct Entry: Sendable, Equatable {
    /// Name of the weight as GGUF has it: `blk.0.attn_q.weight`.
    package var name: String
    /// Σ x² for each input, `[matrices, inputs]`.
    package var sums: [Float]
    /// Rows of activations that were summed, one number for each matrix.
    package var counts: [Float]

    package init(name: String, sums: [Float], counts: [Float]) {
      precondition(!counts.isEmpty && sums.count % counts.count == 0, "whole matrices")
      self.name = name
      self.sums = sums
      self.counts = counts
    }

    /// Mean of x² for each input, `[matrices, inputs]`; 1 for a matrix no activation came to.
    package var means: [Float] {
      let inputs = sums.count / counts.count
      return sums.indices.map { counts[$0 / inputs] > 0 ? sums[$0] / counts[$0 / inputs] : 1 }
    }
  }

  /// Names of the texts.
  package var datasets: [String]
  package var chunks: Int
  /// Tokens of a chunk.
  package var chunkSize: Int
  package var entries: [Entry]

  package init(datasets: [String], chunks: Int, chunkSize: Int, entries: [Entry]) {
    self.datasets = datasets
    self.chunks = chunks
    self.chunkSize = chunkSize
    self.entries = entries
  }

  private static let typeKey = "general.type"
  private static let typeName = "imatrix"
  private static let datasetsKey = "imatrix.datasets"
  private static let chunksKey = "imatrix.chunk_count"
  private static let chunkSizeKey = "imatrix.chunk_size"
  private static let sumsEnding = ".in_sum2"
  private static let countsEnding = ".counts"

  /// - Errors: `ImportError`.
  package static func read(path: String) throws(ImportError) -> ImportanceMatrix {
    let file = try GGUFFile.open(path)
    guard try file.metadata.string(typeKey) == typeName else {
      throw ImportError(
        file: path, place: .file, reason: .notThisFormat(expected: "an importance matrix in GGUF"))
    }
    var entries: [Entry] = []
    for tensor in file.weights.tensors where tensor.name.hasSuffix(sumsEnding) {
      func failure(_ reason: ImportError.Reason) -> ImportError {
        ImportError(file: path, place: .tensor(tensor.name), reason: reason)
      }
      let name = String(tensor.name.dropLast(sumsEnding.count))
      guard let counts = file.weights[name + countsEnding] else {
        throw failure(.missing("\"\(name + countsEnding)\""))
      }
      let (sums, rows) = (try tensor.floats(threads: 1).floats, try counts.floats(threads: 1).floats)
      guard !rows.isEmpty, tensor.rowCount == rows.count else {
        throw failure(.count(what: "matrices", found: tensor.rowCount, expected: rows.count))
      }
      guard (sums + rows).allSatisfy({ $0 >= 0 && $0.isFinite }) else {
        throw failure(.malformed("a sum of squares is negative or no number"))
      }
      entries.append(Entry(name: name, sums: sums, counts: rows))
    }
    return ImportanceMatrix(
      datasets: try file.metadata.strings(datasetsKey) ?? [],
      chunks: try file.metadata.integer(chunksKey) ?? 0,
      chunkSize: try file.metadata.integer(chunkSizeKey) ?? 0, entries: entries)
  }

  /// - Errors: `ExportError`.
  package func write(path: String) throws {
    var metadata = GGUFMetadata(file: path)
    metadata[Self.typeKey] = .string(Self.typeName)
    metadata[Self.datasetsKey] = .array(.string(datasets))
    metadata[Self.chunksKey] = .uint32(UInt32(clamping: chunks))
    metadata[Self.chunkSizeKey] = .uint32(UInt32(clamping: chunkSize))
    let tensors = entries.sorted { $0.name < $1.name }.flatMap { entry in
      [
        TensorOutput(
          entry.name + Self.sumsEnding,
          Tensor(entry.sums, shape: [entry.counts.count, entry.sums.count / entry.counts.count])),
        TensorOutput(entry.name + Self.countsEnding, Tensor(entry.counts, shape: [entry.counts.count, 1])),
      ]
    }
    try GGUFWriter(tensors, metadata: metadata, path: path).write()
  }

  package subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
