/// The tokens of words met before, kept for the length of one text: most words of a text come again.
struct WordCache {
  /// Longer words hardly come twice.
  static let longestWord = 64
  private static let wordLimit = 1 << 16

  private var words = ByteStrings(capacity: 1024)
  private var tokens: [Int32] = []
  private var starts: [Int] = [0]

  /// Appends the tokens of a word, from memory or from the model.
  @inline(__always)
  mutating func append(
    _ word: Span<UInt8>, to result: inout [Int32], _ scratch: inout MergeScratch, _ model: any TokenModel
  ) {
    guard word.count <= Self.longestWord else { return model.tokenize(word, into: &result, &scratch) }
    if let number = words.number(of: word) {
      for place in starts[number]..<starts[number &+ 1] { result.append(tokens[place]) }
      return
    }
    let start = result.count
    model.tokenize(word, into: &result, &scratch)
    guard words.count < Self.wordLimit else { return }
    words.insert(word)
    tokens += result[start...]
    starts.append(tokens.count)
  }
}
