import Formats
import Foundation
import Graph
import LanguageModels

/// A model as its file, or the folder of its files, holds it.
package struct ModelFile: Sendable {
  package var path: String
  /// Name of the format.
  package var format: String
  package var source: Graph
  package var files: [String]
  package var language: Language?

  /// Reads a file of any known format by its ending, a folder as Hugging Face lays it out, or a GGUF file.
  ///
  /// - Errors: `WorkflowError` for an ending that is not known; what reading throws.
  package init(_ path: String) throws {
    self.path = path
    if LanguageModel.recognises(path) {
      let model = try LanguageModel.open(path)
      language = Language(
        tokenizer: try model.openTokenizer(),
        context: Swift.min(model.configuration.contextLength, model.positions),
        vocabulary: model.configuration.vocabulary, model: model)
      (format, source, files) = (model.format, model.graph, model.files)
      return
    }
    guard let known = Format.forPath(path), let open = known.open else {
      let endings = Format.all.filter { $0.open != nil }.flatMap(\.endings).map { ".\($0)" }
      throw WorkflowError(
        "\(path): is not a model file by its ending (expected \(endings.joined(separator: ", ")), .gguf or a folder with a config.json)."
      )
    }
    (format, source, files) = (known.name, try open(path), [path])
  }
}

extension LanguageModel {
  /// What was read: configuration, tokenizer and weights.
  fileprivate var files: [String] {
    var files: [String]
    let tensors: [StoredTensor]
    switch container {
    case .folder(let folder):
      files = ["config.json", "generation_config.json", "tokenizer.json"].compactMap { folder.file($0) }
      tensors = folder.weights.tensors
    case .gguf(let file): (files, tensors) = ([file.path], file.weights.tensors)
    }
    for tensor in tensors where !files.contains(tensor.file) { files.append(tensor.file) }
    return files
  }
}
