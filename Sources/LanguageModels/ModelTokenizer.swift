import Formats

extension LanguageModel {
  /// The tokenizer of the model's files: `tokenizer.json` of a folder, or what a GGUF file says under `tokenizer.ggml`.
  ///
  /// - Errors: `ImportError`.
  package func openTokenizer() throws(ImportError) -> PipelineTokenizer {
    switch container {
    case .folder(let folder): try PipelineTokenizer.open(folder.path)
    case .gguf(let file): try PipelineTokenizer(GGUFVocabulary(file.metadata), file: file.path)
    }
  }
}
