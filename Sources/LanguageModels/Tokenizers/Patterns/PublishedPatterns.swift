/// Patterns that published tokenizers cut words with.
enum PublishedPatterns {
  /// OpenAI's GPT-2 (encoder.py), which the step `ByteLevel` uses.
  static let gpt2 = compiled(gpt2Source)

  static let gpt2Source = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// A pattern of ours; that each compiles is tested.
  static func compiled(_ source: String) -> Pattern {
    do throws(PatternError) {
      return try Pattern(source)
    } catch {
      preconditionFailure("\(source), character \(error.place): \(error.problem)")
    }
  }
}
