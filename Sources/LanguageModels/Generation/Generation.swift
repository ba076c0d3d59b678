/// A text that was generated, and how fast.
package struct Generation: Sendable {
  /// Why it ended.
  package enum Stop: Sendable, Hashable {
    /// The model wrote one of the tokens that end a text; it is not part of `tokens`.
    case end(Int)
    case limit
    /// No more tokens fit the context.
    case context
    case cancelled
  }

  /// What was written behind the prompt.
  package var tokens: [Int]
  package var stop: Stop
  package var statistics: Statistics

  /// Tokens computed and the time it took; compiling is not counted.
  package struct Statistics: Sendable, Hashable {
    /// Tokens of the prompt that were computed: those the cache held already are not.
    package var promptTokens = 0
    package var promptSeconds = 0.0
    /// Tokens computed one by one, each for the next.
    package var tokens = 0
    package var seconds = 0.0

    /// `nil` where nothing was measured.
    package var promptTokensPerSecond: Double? {
      promptTokens > 0 && promptSeconds > 0 ? Double(promptTokens) / promptSeconds : nil
    }
    package var tokensPerSecond: Double? { tokens > 0 && seconds > 0 ? Double(tokens) / seconds : nil }
  }
}

/// What keeps a model from generating.
package enum GenerationError: Error, Equatable, CustomStringConvertible {
  case unsupported(String)
  case emptyPrompt
  case promptTooLong(tokens: Int, context: Int)
  case token(Int, vocabulary: Int)
  case sampling(String)
  case notANumber(position: Int)

  package var description: String {
    switch self {
    case .unsupported(let reason): "this model cannot generate text: \(reason)"
    case .emptyPrompt: "the prompt has no tokens. Give a text, or a tokenizer that starts it with BOS."
    case .promptTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens, which leave no room in a context of \(context). Give a shorter prompt or a larger context."
    case .token(let token, let vocabulary):
      "the prompt holds token \(token), and the vocabulary has \(vocabulary)"
    case .sampling(let problem): "\(problem)"
    case .notANumber(let position): "the logits at position \(position) are not numbers"
    }
  }
}
