/// What the metadata of a GGUF file says about its tokenizer: the keys `tokenizer.ggml.…`, named at each member.
package struct GGUFVocabulary: Sendable, Equatable {
  /// Values of `token_type`.
  package enum TokenType {
    package static let normal: Int32 = 1
    package static let unknown: Int32 = 2
    package static let control: Int32 = 3
    package static let userDefined: Int32 = 4
    package static let unused: Int32 = 5
    package static let byte: Int32 = 6
  }

  /// `model`: `llama` (SentencePiece's BPE), `gpt2` (byte-level BPE), `bert` (WordPiece) or `t5` (unigram).
  package var model: String
  /// `pre`: which patterns cut words, for `gpt2`.
  package var pre: String?
  /// `tokens`, `scores`, `token_type`: by number of the token; scores and types may be missing.
  package var tokens: [String]
  package var scores: [Float] = []
  package var types: [Int32] = []
  /// `merges`: two tokens and a blank between them, the first learned first.
  package var merges: [String] = []
  /// `bos_token_id`, `eos_token_id`, `unknown_token_id`, `seperator_token_id` (so spelled), `padding_token_id`.
  package var bos: Int32?
  package var eos: Int32?
  package var unknown: Int32?
  package var separator: Int32?
  package var padding: Int32?
  /// `add_bos_token`, `add_eos_token`, `add_sep_token`.
  package var addsBOS: Bool?
  package var addsEOS: Bool?
  package var addsSeparator: Bool?
  /// `add_space_prefix`, `remove_extra_whitespaces`.
  package var addsSpacePrefix: Bool?
  package var removesExtraSpaces: Bool?
  /// `precompiled_charsmap`, for `t5`.
  package var characterMap: [UInt8] = []
  /// `normalizer.lowercase`, `normalizer.strip_accents`, for `bert`.
  package var lowercases: Bool?
  package var stripsAccents: Bool?

  package init(model: String, tokens: [String]) {
    self.model = model
    self.tokens = tokens
  }
}
