/// Turns text into numbers of tokens and back.
package protocol Tokenizer: Sendable {
  /// Number of tokens, those without a text of their own included.
  var vocabularySize: Int { get }
  /// What starts a document, and what ends one; `nil` where the model has none.
  var bos: Int32? { get }
  var eos: Int32? { get }

  /// - Parameters:
  ///   - addsSpecialTokens: whether what the tokenizer's own template puts around a text (BOS, `[CLS]`) is put there.
  ///   - prefixSpace: whether a blank is put before the text; `nil` leaves it to the tokenizer.
  func encode(_ text: String, addsSpecialTokens: Bool, prefixSpace: Bool?) -> [Int32]

  /// The text of tokens; bytes that are no UTF-8 become U+FFFD.
  func decode(_ tokens: [Int32], skipsSpecialTokens: Bool) -> String

  /// The bytes of one token, for a text that grows token by token (a character may be cut between two of them).
  func bytes(of token: Int32) -> [UInt8]
}

extension Tokenizer {
  package func encode(_ text: String) -> [Int32] {
    encode(text, addsSpecialTokens: true, prefixSpace: nil)
  }

  package func decode(_ tokens: [Int32]) -> String { decode(tokens, skipsSpecialTokens: true) }
}
