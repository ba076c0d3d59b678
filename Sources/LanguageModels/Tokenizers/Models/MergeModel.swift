/// Byte-pair encoding: a word begins as its characters, and the pair whose merge was learned first is joined until none
/// is left.
///
/// Source: Sennrich, Haddow, Birch 2016; details as in the `tokenizers` package.
struct MergeModel: TokenModel {
  var vocabulary: Vocabulary
  /// The pairs and what they become.
  private var merges: PairTable
  /// The merges in the order they were learned.
  let list: [(left: Int32, right: Int32, token: Int32)]
  var unknown: Int32?
  /// Whether neighbouring unknown characters are one unknown token.
  var fusesUnknown = false
  var byteTokens: ByteTokens?
  /// Whether a word that is in the vocabulary is one token whatever the merges say.
  var ignoresMerges = false
  var continuingPrefix: [UInt8] = []
  var endSuffix: [UInt8] = []

  /// - Parameter merges: left, right and new token, the first learned first; a pair that comes again counts by its last place.
  init(vocabulary: Vocabulary, merges: [(left: Int32, right: Int32, token: Int32)]) {
    self.vocabulary = vocabulary
    self.merges = PairTable(capacity: merges.count)
    list = merges
    for (rank, merge) in merges.enumerated() {
      self.merges.insert(merge.left, merge.right, .init(rank: Int32(rank), token: merge.token))
    }
  }

  var mergesOnly: Bool { !ignoresMerges && continuingPrefix.isEmpty && endSuffix.isEmpty }

  func tokenize(_ word: Span<UInt8>, into tokens: inout [Int32], _ scratch: inout MergeScratch) {
    if ignoresMerges, let token = vocabulary.token(of: word) {
      tokens.append(token)
      return
    }
    scratch.begin()
    if continuingPrefix.isEmpty, endSuffix.isEmpty {
      cut(word, &scratch)
    } else {
      cutAffixed(word, &scratch)
    }
    guard !scratch.pieces.isEmpty else { return }
    merge(&scratch)
    var place: Int32 = 0
    while place >= 0 {
      let piece = scratch.pieces[Int(place)]
      tokens.append(piece.token)
      place = piece.next
    }
  }

  /// `waiting` is the length in bytes of unknown characters that are not among the pieces yet.
  private func cut(_ word: Span<UInt8>, _ scratch: inout MergeScratch) {
    var waiting = 0
    var place = 0
    while place < word.count {
      let length = scalar(of: word, at: place).length
      let character = word.extracting(place..<place &+ length)
      add(character, vocabulary.token(of: character), length, &waiting, &scratch)
      place &+= length
    }
    flush(&waiting, &scratch)
  }

  private func cutAffixed(_ word: Span<UInt8>, _ scratch: inout MergeScratch) {
    var waiting = 0
    var place = 0
    while place < word.count {
      let length = scalar(of: word, at: place).length
      var text = place > 0 ? continuingPrefix : []
      for offset in 0..<length { text.append(word[place + offset]) }
      if place + length == word.count { text += endSuffix }
      add(text.span, vocabulary.token(of: text.span), length, &waiting, &scratch)
      place += length
    }
    flush(&waiting, &scratch)
  }

  private func flush(_ waiting: inout Int, _ scratch: inout MergeScratch) {
    if waiting > 0, let unknown { scratch.append(unknown, length: waiting) }
    waiting = 0
  }

  private func add(
    _ text: Span<UInt8>, _ token: Int32?, _ length: Int, _ waiting: inout Int, _ scratch: inout MergeScratch
  ) {
    if let token {
      flush(&waiting, &scratch)
      scratch.append(token, length: length)
      return
    }
    if let byteTokens {
      var bytes: [Int32] = []
      if byteTokens.append(text, to: &bytes) {
        for byte in bytes { scratch.append(byte, length: 1) }
        return
      }
    }
    guard unknown != nil else { return }
    if !fusesUnknown { flush(&waiting, &scratch) }
    waiting += length
  }

  private func merge(_ scratch: inout MergeScratch) {
    for place in 0..<scratch.pieces.count &- 1 {
      if let merge = merges[scratch.pieces[place].token, scratch.pieces[place &+ 1].token] {
        scratch.push(order: UInt32(bitPattern: merge.rank), place: place)
      }
    }
    while let (order, place) = scratch.pop() {
      let piece = scratch.pieces[place]
      guard piece.length > 0, piece.next >= 0 else { continue }
      // The pair may have changed since it was queued; what counts is whether it still becomes the same token.
      let token = list[Int(order)].token
      guard merges[piece.token, scratch.pieces[Int(piece.next)].token]?.token == token else { continue }
      scratch.join(place, as: token)
      let joined = scratch.pieces[place]
      if joined.previous >= 0, let merge = merges[scratch.pieces[Int(joined.previous)].token, token] {
        scratch.push(order: UInt32(bitPattern: merge.rank), place: Int(joined.previous))
      }
      if joined.next >= 0, let merge = merges[token, scratch.pieces[Int(joined.next)].token] {
        scratch.push(order: UInt32(bitPattern: merge.rank), place: place)
      }
    }
  }
}
