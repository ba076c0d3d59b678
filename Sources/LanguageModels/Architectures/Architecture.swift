import Formats

/// One family of decoders: what its files call things, and how it differs from the plain one.
///
/// A new architecture is one file and one line in `all`.
package struct Architecture: Sendable {
  /// As GGUF names it under `general.architecture`; families of one name there share its reading.
  package let name: String
  /// As `config.json` names it under `model_type`.
  package let modelTypes: [String]
  let style: DecoderStyle
  /// Where each layer's tensors are found.
  let tensors: TensorNames
  /// What `config.json` may leave out, as the published configuration class has it.
  let defaults: [String: JSON]
  /// Whether GGUF holds q and k with the rows of a pair side by side, which are halves in a folder.
  let interleavesInGGUF: Bool
  /// Whether a folder holds weights of norms less 1.
  let storesNormsLessOne: Bool
  /// Completes what the keys common to all architectures say.
  let readFolder: @Sendable (inout DecoderConfiguration, FolderConfiguration) throws -> Void
  let readGGUF: @Sendable (inout DecoderConfiguration, GGUFConfiguration) throws -> Void

  init(
    name: String, modelTypes: [String], style: DecoderStyle = DecoderStyle(), tensors: TensorNames,
    defaults: [String: JSON] = [:], interleavesInGGUF: Bool = false, storesNormsLessOne: Bool = false,
    readFolder: @escaping @Sendable (inout DecoderConfiguration, FolderConfiguration) throws -> Void = {
      _, _ in
    },
    readGGUF: @escaping @Sendable (inout DecoderConfiguration, GGUFConfiguration) throws -> Void = { _, _ in }
  ) {
    self.name = name
    self.modelTypes = modelTypes
    self.style = style
    self.tensors = tensors
    self.defaults = defaults
    self.interleavesInGGUF = interleavesInGGUF
    self.storesNormsLessOne = storesNormsLessOne
    self.readFolder = readFolder
    self.readGGUF = readGGUF
  }

  package static let all: [Architecture] = [
    .llama, .mistral, .qwen2, .qwen3, .gemma2, .gemma3, .phi3, .gpt2, .gptNeoX,
  ]

  /// - Errors: `ImportError` that lists what is known.
  static func forFolder(modelType: String, file: String) throws(ImportError) -> Architecture {
    if let known = all.first(where: { $0.modelTypes.contains(modelType) }) { return known }
    throw ImportError(
      file: file, place: .metadata("model_type"),
      reason: .unknownArchitecture(modelType, known: all.flatMap(\.modelTypes)))
  }

  static func forGGUF(_ name: String, file: String) throws(ImportError) -> Architecture {
    if let known = all.first(where: { $0.name == name }) { return known }
    var names: [String] = []
    for each in all where !names.contains(each.name) { names.append(each.name) }
    throw ImportError(
      file: file, place: .metadata("general.architecture"), reason: .unknownArchitecture(name, known: names))
  }
}
