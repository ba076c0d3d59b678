/// A text and the protocol a perplexity is measured by, so that a published figure can be repeated.
///
/// The text becomes documents, documents become tokens, and tokens become windows that a model reads each on its own.
package struct TextSource: Sendable, Equatable {
  /// What stands first in a window.
  package enum Start: String, Sendable, CaseIterable {
    /// The text's own tokens.
    case none = "false"
    /// The token that starts a document, in front of the text's.
    case added = "true"
    /// The same, in place of the first of the text's.
    case replacing = "replace"
  }

  /// The first position of a window whose prediction is scored.
  package enum ScoreFrom: Sendable, Equatable {
    case position(Int)
    /// The middle of the window.
    case half
  }

  /// A named set of the other keys, which may still be given.
  package enum Preset: String, Sendable, CaseIterable {
    /// Documents between `<|endoftext|>`, without blanks around them; each is a window of its own, from the token that
    /// starts a document, and all of its tokens are scored.
    case documents
    /// The text as it stands in windows that do not overlap, each from the token that starts a document; all scored.
    case stream
    /// As llama.cpp's `perplexity` has it: windows of the context's length whose first token is replaced by the one that
    /// starts a document; what is predicted from the middle on is scored.
    case llamaCpp = "llama.cpp"
  }

  /// Relative to the card.
  package var file: String
  /// The first byte that is read.
  package var from = 0
  /// Only this many bytes from there.
  package var bytes: Int?
  /// Text between documents; without it the file is one document.
  package var split: String?
  /// Whether blanks around a document are removed.
  package var strip = false
  package var bos = Start.added
  /// Whether the token that ends a document stands behind each, to be predicted too.
  package var eos = false
  /// Whether a blank is put before each document; `nil` leaves it to the tokenizer.
  package var prefixSpace: Bool?
  /// Tokens in a window; without it a document is one window, or several where it is longer than `usualWindow` or the
  /// model's context.
  package var window: Int?
  /// Tokens of the text between the starts of windows; without it windows do not overlap.
  package var stride: Int?
  /// Without it everything that no window before has scored.
  package var scoreFrom: ScoreFrom?

  package static let usualWindow = 512

  package init(file: String) { self.file = file }

  package init(file: String, preset: Preset) {
    self.init(file: file)
    switch preset {
    case .stream: break
    case .documents:
      split = "<|endoftext|>"
      strip = true
    case .llamaCpp:
      bos = .replacing
      scoreFrom = .half
    }
  }
}
