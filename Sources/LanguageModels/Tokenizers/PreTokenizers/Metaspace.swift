/// Writes blanks as a visible character and begins a word at each.
struct Metaspace: PreTokenizer {
  enum Prefix: String, Sendable { case always, first, never }

  var replacement: [UInt8]
  /// Which texts get the character before them, if they do not begin with it: all, the first, or none.
  var prefix: Prefix
  var splits: Bool

  func split(_ words: inout Words) {
    words.rewrite { word, isFirst, result in
      let beginsWithBlank = word[0] == 0x20 || Self.begins(word, with: replacement)
      if !beginsWithBlank, prefix == .always || prefix == .first && isFirst { result += replacement }
      for place in word.indices {
        if word[place] == 0x20 { result += replacement } else { result.append(word[place]) }
      }
    }
    if splits { TextSplit(separator: replacement, behavior: .mergedWithNext).split(&words) }
  }

  private static func begins(_ word: Span<UInt8>, with text: [UInt8]) -> Bool {
    word.count >= text.count && text.indices.allSatisfy { word[$0] == text[$0] }
  }
}
