/// SentencePiece's byte-pair encoding as GGUF files carry it: neighbours are joined whenever their text is a token, the
/// one with the highest score first, the left one of equals; what is no token in the end is written in bytes.
struct ScoredMergeModel: TokenModel {
  var vocabulary: Vocabulary
  /// By token.
  let scores: [Float]
  let unknown: Int32?
  private let byteTokens: ByteTokens
  /// Scores in the order of the queue: the greater the score, the smaller the number.
  private let orders: [UInt32]

  init(vocabulary: Vocabulary, scores: [Float], unknown: Int32?) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    byteTokens = ByteTokens(vocabulary)
    orders = scores.map { score in
      // The bits of a float in the order of its value, turned around; −0 counts as 0, a NaN as the least.
      guard !score.isNaN else { return .max }
      let bits = (score == 0 ? Float(0) : score).bitPattern
      return bits >> 31 == 0 ? 0x7FFF_FFFF - bits : bits
    }
  }

  var mergesOnly: Bool { true }

  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch) {
    scratch.begin()
    var place = 0
    var starts: [Int] = []
    starts.reserveCapacity(word.count)
    while place < word.count {
      let length = scalar(of: word, at: place).length
      let token = vocabulary.token(of: word.extracting(place..<place &+ length)) ?? -1
      scratch.append(token, length: length)
      starts.append(place)
      place &+= length
    }
    for piece in 0..<scratch.pieces.count &- 1 { queue(piece, word, starts, &scratch) }
    while let (order, piece) = scratch.pop() {
      guard let found = pair(piece, word, starts, scratch), orders[Int(found)] == order else { continue }
      scratch.join(piece, as: found)
      let previous = scratch.pieces[piece].previous
      if previous >= 0 { queue(Int(previous), word, starts, &scratch) }
      queue(piece, word, starts, &scratch)
    }
    write(word, starts, &tokens, scratch)
  }

  /// The token of a piece and the next together.
  @inline(__always)
  private func pair(_ number: Int, _ word: Span<UInt8>, _ starts: [Int], _ scratch: borrowing MergeScratch)
    -> Int32?
  {
    let piece = scratch.pieces[number]
    guard piece.length > 0, piece.next >= 0 else { return nil }
    let start = starts[number]
    let end = start &+ Int(piece.length) &+ Int(scratch.pieces[Int(piece.next)].length)
    return vocabulary.token(of: word.extracting(start..<end))
  }

  @inline(__always)
  private func queue(_ number: Int, _ word: Span<UInt8>, _ starts: [Int], _ scratch: inout MergeScratch) {
    if let token = pair(number, word, starts, scratch) {
      scratch.push(order: orders[Int(token)], place: number)
    }
  }

  private func write(
    _ word: Span<UInt8>, _ starts: [Int], _ tokens: inout [Int32], _ scratch: borrowing MergeScratch
  ) {
    var number: Int32 = scratch.pieces.isEmpty ? -1 : 0
    var lastIsUnknown = false
    while number >= 0 {
      let piece = scratch.pieces[Int(number)]
      let start = starts[Int(number)]
      let text = word.extracting(start..<start &+ Int(piece.length))
      var isUnknown = false
      if piece.token >= 0 {
        tokens.append(piece.token)
      } else if !byteTokens.append(text, to: &tokens), let unknown {
        // Unknown characters side by side are one token, as in SentencePiece.
        if !lastIsUnknown { tokens.append(unknown) }
        isUnknown = true
      }
      lastIsUnknown = isUnknown
      number = piece.next
    }
  }
}
