/// Writes the bytes of each word in the alphabet of byte-level vocabularies, after cutting with GPT-2's pattern.
struct ByteLevel: PreTokenizer {
  /// Whether a blank is put before each text that does not begin with one.
  var prefixesSpace: Bool
  /// `nil` where the words are cut already.
  var pattern: Pattern?

  func split(_ words: inout Words) {
    if prefixesSpace {
      words.rewrite { word, _, result in
        if word[0] != 0x20 { result.append(0x20) }
        for place in word.indices { result.append(word[place]) }
      }
    }
    if let pattern { PatternSplit(pattern: pattern, behavior: .isolated).split(&words) }
    let characters = ByteAlphabet.shared.characters
    // One word for the first two bytes of each character and its length, so that the loop reads one array.
    let packed = characters.map { UInt32($0[0]) | UInt32($0.count > 1 ? $0[1] : 0) << 8 }
    words.rewrite { word, _, result in
      for place in word.indices {
        let character = packed[Int(word[place])]
        result.append(UInt8(truncatingIfNeeded: character))
        if character > 0xFF { result.append(UInt8(character >> 8)) }
      }
    }
  }
}
