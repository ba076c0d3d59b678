import Datasets
import Tensors

extension BoundDataset {
  /// Opens a text for a language model: a card with `text:`, or any other file, which is the text itself.
  ///
  /// - Parameters:
  ///   - specs: the model's inputs.
  ///   - context: tokens the model takes at most.
  ///   - vocabulary: tokens the model knows.
  /// - Errors: `DatasetError`, as for `TextSource.windows`; a card without `text:`.
  package static func text(
    _ path: String, tokenizer: any Tokenizer, for specs: [InputSpec], context: Int, vocabulary: Int
  ) throws(DatasetError) -> BoundDataset {
    var source = TextSource(file: path)
    var (card, trainedOn) = (String?.none, false)
    if DatasetCard.isCard(path) {
      let read = try DatasetCard.read(path)
      guard let text = read.text else {
        throw DatasetError(
          file: path,
          reason: .missing("`text`, which a language model reads,", available: read.inputs.map(\.name)))
      }
      (source, card, trainedOn) = (text, path, read.trainedOn)
    }
    let windows = try source.windows(
      card: card, tokenizer: tokenizer, context: context, vocabulary: vocabulary)
    return try .text(
      windows, path: path, for: specs, answerOutput: "logits", trainedOn: trainedOn,
      notes: [
        "\(windows.count) windows of at most \(windows.length) tokens, \(windows.scoredTokens) of them scored"
      ])
  }
}
