/// A token that is found in the text before anything else is done with it.
struct AddedToken: Sendable, Equatable {
  var token: Int32
  var content: [UInt8]
  /// Whether decoding may leave it away.
  var isSpecial = false
  /// Whether it is found only where no word goes on before or behind it.
  var isSingleWord = false
  /// Whether white space before it, or behind it, becomes part of it.
  var stripsLeft = false
  var stripsRight = false
  /// Whether it is looked for in the normalized text rather than in the text as it is.
  var isNormalized = false
}

/// Cuts a text at added tokens: the leftmost, and of those the longest.
struct AddedTokenSplitter: Sendable {
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Int32)
  }

  private let trie: ByteTrie
  private let tokens: [AddedToken]

  /// - Parameter normalize: what is done to a token's text before it is looked for.
  init(_ tokens: [AddedToken], normalize: ([UInt8]) -> [UInt8] = { $0 }) {
    self.tokens = tokens
    var trie = ByteTrie()
    for (number, token) in tokens.enumerated() {
      let content = normalize(token.content)
      if !content.isEmpty { trie.insert(content, value: Int32(number)) }
    }
    self.trie = trie
  }

  func split(_ text: Span<UInt8>) -> [Part] {
    guard !tokens.isEmpty else { return text.isEmpty ? [] : [.text(0..<text.count)] }
    var parts: [Part] = []
    var start = 0
    var place = 0
    while place < text.count {
      guard trie.firstBytes[Int(text[place])], let match = trie.longestPrefix(of: text, from: place) else {
        place += 1
        continue
      }
      let found = tokens[Int(match.value)]
      var range = place..<match.end
      place = match.end
      if found.isSingleWord, Self.isWithinWord(text, range) { continue }
      if found.stripsLeft {
        range = max(Self.blanksStart(text, before: range.lowerBound), start)..<range.upperBound
      }
      if found.stripsRight { range = range.lowerBound..<Self.blanksEnd(text, after: range.upperBound) }
      if start < range.lowerBound { parts.append(.text(start..<range.lowerBound)) }
      parts.append(.token(found.token))
      start = range.upperBound
      place = max(place, start)
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private static func isWithinWord(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let table = CharacterTable.shared
    if range.lowerBound > 0 {
      let before = startOfScalar(of: text, before: range.lowerBound)
      if table.isWord(scalar(of: text, at: before).value) { return true }
    }
    return range.upperBound < text.count
      && table.isWord(scalar(of: text, at: range.upperBound).value)
  }

  private static func blanksStart(_ text: Span<UInt8>, before place: Int) -> Int {
    var place = place
    while place > 0, case let before = startOfScalar(of: text, before: place),
      CharacterTable.shared.isWhitespace(scalar(of: text, at: before).value)
    {
      place = before
    }
    return place
  }

  private static func blanksEnd(_ text: Span<UInt8>, after place: Int) -> Int {
    var place = place
    while place < text.count, case let next = scalar(of: text, at: place),
      CharacterTable.shared.isWhitespace(next.value)
    {
      place += next.length
    }
    return place
  }
}
