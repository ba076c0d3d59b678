import Datasets
import Graph
import LanguageModels
import Tensors

/// What a language model is beside its graph.
package struct Language: Sendable {
  package var tokenizer: any Tokenizer
  /// Tokens that the graph takes at most.
  package var context: Int
  /// Tokens that it tells apart.
  package var vocabulary: Int
  /// The files' own description; `nil` for a graph that was not read from such.
  package var model: LanguageModel?

  package init(tokenizer: any Tokenizer, context: Int, vocabulary: Int, model: LanguageModel? = nil) {
    self.tokenizer = tokenizer
    self.context = context
    self.vocabulary = vocabulary
    self.model = model
  }

  /// The output whose rows predict the next token.
  package static let logits = "logits"

  /// Shape of one sample of each input where no data and nobody says: a window of the usual length.
  var usualSample: [ValueName: Shape] {
    let length = Swift.min(TextSource.usualWindow, context)
    return Dictionary(uniqueKeysWithValues: TokenWindows.inputNames.map { ($0, [length]) })
  }

  /// The text at `path`, as the model reads it.
  package func text(_ path: String, for specs: [InputSpec]) throws(DatasetError) -> BoundDataset {
    try .text(path, tokenizer: tokenizer, for: specs, context: context, vocabulary: vocabulary)
  }
}
