/// BERT's WordPiece: the longest piece of the vocabulary that the word begins with, again and again; pieces within a word
/// carry a prefix.
struct WordPieceModel: TokenModel {
  var vocabulary: Vocabulary
  let unknown: Int32
  let prefix: [UInt8]
  /// Words of more characters are unknown.
  let longestWord: Int
  private let first: ByteTrie
  private let continuing: ByteTrie

  init(vocabulary: Vocabulary, unknown: Int32, prefix: [UInt8], longestWord: Int) {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.prefix = prefix
    self.longestWord = longestWord
    var first = ByteTrie()
    var continuing = ByteTrie()
    for token in 0..<Int32(vocabulary.size) {
      guard let text = vocabulary.text(of: token) else { continue }
      first.insert(text, value: token)
      if text.starts(with: prefix), text.count > prefix.count {
        continuing.insert(text.dropFirst(prefix.count), value: token)
      }
    }
    self.first = first
    self.continuing = continuing
  }

  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch) {
    var characters = 0
    var starts = Array(repeating: false, count: word.count + 1)
    var place = 0
    while place < word.count {
      starts[place] = true
      place += scalar(of: word, at: place).length
      characters += 1
    }
    starts[word.count] = true
    guard characters <= longestWord else { return tokens.append(unknown) }
    let before = tokens.count
    place = 0
    while place < word.count {
      var found: (end: Int, token: Int32)?
      (place == 0 ? first : continuing).forEachPrefix(of: word, from: place) { end, token in
        // A piece ends where a character ends.
        if starts[end] { found = (end, token) }
      }
      guard let found else {
        tokens.removeSubrange(before...)
        return tokens.append(unknown)
      }
      tokens.append(found.token)
      place = found.end
    }
  }
}

/// One token per word.
struct WordModel: TokenModel {
  var vocabulary: Vocabulary
  let unknown: Int32?

  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch) {
    if let token = vocabulary.token(of: word) ?? unknown { tokens.append(token) }
  }
}
