/// The unigram language model of SentencePiece (Kudo 2018): of all ways to cut a word into pieces, the one whose scores
/// add up to the most.
struct UnigramModel: TokenModel {
  /// How much worse than the worst piece an unknown character is.
  static let unknownPenalty = 10.0

  var vocabulary: Vocabulary
  /// Logarithms of probabilities, by token.
  let scores: [Double]
  let unknown: Int32?
  let byteTokens: ByteTokens?
  private let unknownScore: Double
  private let trie: ByteTrie

  init(vocabulary: Vocabulary, scores: [Double], unknown: Int32?, usesBytes: Bool) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    byteTokens = usesBytes ? ByteTokens(vocabulary) : nil
    unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    var trie = ByteTrie()
    for token in 0..<Int32(vocabulary.size) {
      if let text = vocabulary.text(of: token), !text.isEmpty, vocabulary.token(of: Array(text)) == token {
        trie.insert(text, value: token)
      }
    }
    self.trie = trie
  }

  private struct Best {
    var score = 0.0
    var start = -1
    var token: Int32 = -1
  }

  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch) {
    let best = bestEnds(of: word)
    // Backwards; unknown characters side by side are one piece.
    var pieces: [Range<Int>] = []
    var end = word.count
    var lastIsUnknown = false
    while end > 0 {
      let start = best[end].start
      let isUnknown = best[end].token < 0 || best[end].token == unknown
      if isUnknown, lastIsUnknown, let last = pieces.popLast() {
        pieces.append(start..<last.upperBound)
      } else {
        pieces.append(start..<end)
      }
      lastIsUnknown = isUnknown
      end = start
    }
    for piece in pieces.reversed() {
      let text = word.extracting(piece)
      if let token = vocabulary.token(of: text) {
        tokens.append(token)
      } else if let byteTokens, byteTokens.append(text, to: &tokens) {
      } else if let unknown {
        tokens.append(unknown)
      }
    }
  }

  /// The best cut of the text up to each byte.
  private func bestEnds(of word: Span<UInt8>) -> [Best] {
    var best = Array(repeating: Best(), count: word.count + 1)
    var start = 0
    while start < word.count {
      let score = best[start].score
      let length = scalar(of: word, at: start).length
      var coversCharacter = false
      trie.forEachPrefix(of: word, from: start) { end, token in
        let candidate = scores[Int(token)] + score
        if best[end].start < 0 || candidate > best[end].score {
          best[end] = Best(score: candidate, start: start, token: token)
        }
        if end - start == length { coversCharacter = true }
      }
      if !coversCharacter {
        let candidate = unknownScore + score
        let end = start + length
        if best[end].start < 0 || candidate > best[end].score {
          best[end] = Best(score: candidate, start: start, token: -1)
        }
      }
      start += length
    }
    return best
  }
}
