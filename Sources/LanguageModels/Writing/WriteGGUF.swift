import Formats
import Graph
import Tensors

extension LanguageModel {
  /// Writes the model, or a candidate of it, as GGUF.
  ///
  /// Weights of a block format keep their bytes, rows of rotated heads put in the order of the file; matrices that are
  /// not encoded stay as the model's own file holds them, vectors are float32. Metadata and vocabulary are kept from a
  /// GGUF file, and made from a folder's configuration and tokenizer.
  /// - Parameters:
  ///   - encoded: the candidate; `nil` for the model as it is.
  ///   - floats: type of matrices that are not encoded, float32, float16 or bfloat16; `nil` to keep each one's.
  ///   - fileType: llama.cpp's number of the mix; `nil` for that of the type most weights have.
  /// - Returns: what the file cannot say as the candidate does, one sentence each.
  /// - Errors: `ExportError`.
  package func writeGGUF(
    _ encoded: EncodedGraph? = nil, to path: String, floats: ElementType? = nil, fileType: Int? = nil,
    progress: (_ bytes: Int, _ tensor: String) throws -> Void = { _, _ in }
  ) throws -> [String] {
    var tensors = GGUFTensors(model: self, encoded: encoded ?? EncodedGraph(graph: graph), floats: floats)
    let outputs = try tensors.outputs()
    var (metadata, notes) = ggufMetadata(file: path)
    notes = tensors.notes + notes
    metadata["general.file_type"] = .uint32(UInt32(fileType ?? tensors.fileType))
    metadata["general.quantization_version"] = .uint32(Self.quantizationVersion)
    try GGUFWriter(outputs, metadata: metadata, path: path).write(progress: progress)
    return notes
  }

  /// What describes the model in a GGUF file: kept from one, or made from a folder's configuration and tokenizer.
  ///
  /// - Parameter file: how errors name it.
  /// - Returns: also what it cannot say, one sentence each.
  func ggufMetadata(file path: String) -> (metadata: GGUFMetadata, notes: [String]) {
    if case .gguf(let file) = container {
      var metadata = file.metadata
      for key in metadata.keys where key.hasPrefix("split.") { metadata[key] = nil }
      return (metadata, [])
    }
    var metadata = GGUFMetadata(file: path)
    metadata["general.architecture"] = .string(architecture.name)
    metadata["general.type"] = .string("model")
    metadata["general.name"] = .string(graph.name)
    var notes = configuration.describe(architecture: architecture.name, into: &metadata)
    do {
      try GGUFVocabulary(openTokenizer(), file: self.path).write(into: &metadata)
    } catch {
      metadata[GGUFVocabulary.modelKey] = .string(GGUFVocabulary.noModel)
      notes.append("the file has no vocabulary, because it cannot be written: \(error)")
    }
    return (metadata, notes)
  }

  /// Of the block formats as they are today.
  private static let quantizationVersion: UInt32 = 2
}

extension GGUFTensors {
  /// llama.cpp's number of the mix whose main type most weights have.
  ///
  /// Of mixtures of one type the first in the list of them.
  var fileType: Int {
    func mixture(_ type: String) -> Mixture? { Mixture.all.first { $0.base == type } }
    let main = counts.filter { mixture($0.key) != nil }.max { ($0.value, $1.key) < ($1.value, $0.key) }
    return main.flatMap { mixture($0.key) }.map { Int($0.fileType) } ?? 0
  }
}
