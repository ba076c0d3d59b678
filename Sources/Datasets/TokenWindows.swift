import Tensors

/// A text as a language model reads it: windows of tokens, each read on its own from position 0.
package struct TokenWindows: Sendable {
  /// Tokens of each window.
  package let length: Int
  /// `[count · length]`.
  package let tokens: [Int32]
  /// Positions of each window from which the next token is predicted and scored, so that the last position of a window
  /// is in none.
  package let scored: [Range<Int>]

  package init(length: Int, tokens: [Int32], scored: [Range<Int>]) {
    precondition(length > 0 && tokens.count == scored.count * length, "as many tokens as the windows hold")
    precondition(
      scored.allSatisfy { $0.lowerBound >= 0 && $0.upperBound < length }, "a next token to predict")
    self.length = length
    self.tokens = tokens
    self.scored = scored
  }

  package var count: Int { scored.count }
  /// Number of tokens that are predicted.
  package var scoredTokens: Int { scored.reduce(0) { $0 + $1.count } }

  /// Names of the inputs that can be served.
  package static let inputNames = ["tokens", "positions"]

  /// int64 `[windows, length]` for each name.
  func batch(_ windows: [Int], names: [String]) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for name in names {
      result[name] = Tensor(of: Int64.self, shape: [windows.count, length]) { out in
        for (row, window) in windows.enumerated() {
          for place in 0..<length {
            out[row * length + place] = Int64(name == "tokens" ? Int(tokens[window * length + place]) : place)
          }
        }
      }
    }
    return result
  }

  /// The token that follows each position, −1 where none is scored; `[windows · length]`.
  func labels(_ windows: [Int]) -> [Int] {
    var labels = [Int](repeating: -1, count: windows.count * length)
    for (row, window) in windows.enumerated() {
      for place in scored[window] { labels[row * length + place] = Int(tokens[window * length + place + 1]) }
    }
    return labels
  }
}

extension BoundDataset {
  /// Windows of a text, as the inputs `tokens` and `positions` of a language model want them.
  ///
  /// - Parameters:
  ///   - path: for messages.
  ///   - answerOutput: the output that holds logits `[windows, length, vocabulary]`.
  ///   - isSynthetic: whether the tokens are made up; then nothing is right or wrong.
  /// - Errors: an input that is neither, or does not take int64 `[?, ?]`.
  package static func text(
    _ windows: TokenWindows, path: String, for specs: [InputSpec], answerOutput: String,
    trainedOn: Bool = false,
    isSynthetic: Bool = false, notes: [String] = []
  ) throws(DatasetError) -> BoundDataset {
    for spec in specs {
      guard TokenWindows.inputNames.contains(spec.name) else {
        throw DatasetError(
          file: path,
          reason: .missing("data for the model's input \"\(spec.name)\"", available: TokenWindows.inputNames))
      }
      let dimensions = spec.dimensions ?? [nil, nil]
      guard spec.type == .int64, dimensions.count == 2, dimensions[1] ?? windows.length == windows.length
      else {
        throw DatasetError(
          file: path, place: .array(spec.name),
          reason: .shape(
            found: "\(dimensionText([nil, windows.length])) of int64",
            expected: "\(dimensionText(dimensions)) of \(spec.type.name)",
            advice: "Give windows of the model's length (`window:` in a card)."))
      }
    }
    return BoundDataset(
      path: path, inputs: specs,
      sampleShapes: Dictionary(uniqueKeysWithValues: specs.map { ($0.name, [windows.length]) }),
      count: windows.count, feed: .text(windows, isMadeUp: isSynthetic), answerOutput: answerOutput,
      trainedOn: trainedOn, notes: notes)
  }
}
