/// Cuts at a pattern.
struct PatternSplit: PreTokenizer {
  var pattern: Pattern
  var behavior: SplitBehavior
  var isInverted = false

  func split(_ words: inout Words) {
    var scratch = PatternScratch()
    words.cut(behavior, isInverted: isInverted) { text, range, tell in
      pattern.forEachMatch(in: text, range, scratch: &scratch, tell)
    }
  }
}

/// Cuts at a text.
struct TextSplit: PreTokenizer {
  var separator: [UInt8]
  var behavior: SplitBehavior
  var isInverted = false

  func split(_ words: inout Words) {
    guard let first = separator.first else { return }
    words.cut(behavior, isInverted: isInverted) { text, range, tell in
      var place = range.lowerBound
      while place + separator.count <= range.upperBound {
        if text[place] == first, separator.indices.allSatisfy({ text[place + $0] == separator[$0] }) {
          tell(place..<place + separator.count)
          place += separator.count
        } else {
          place += 1
        }
      }
    }
  }
}

/// Cuts at each character of a kind.
struct CharacterSplit: PreTokenizer {
  enum Kind: Sendable {
    case whitespace
    /// ASCII's signs and the categories P.
    case punctuation
    /// The categories N.
    case number
  }

  var kind: Kind
  var behavior: SplitBehavior

  func split(_ words: inout Words) {
    let table = CharacterTable.shared
    words.cut(behavior) { text, range, tell in
      var place = range.lowerBound
      while place < range.upperBound {
        let next = scalar(of: text, at: place)
        if isMember(next.value, table) { tell(place..<place + next.length) }
        place += next.length
      }
    }
  }

  private func isMember(_ value: UInt32, _ table: CharacterTable) -> Bool {
    switch kind {
    case .whitespace: table.isWhitespace(value)
    case .number: table.isIn(Category.numbers, value)
    case .punctuation:
      switch value {
      case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
      default: table.isIn(Category.punctuation, value)
      }
    }
  }
}

/// Runs of word characters, and runs of what is neither word nor white space: `\w+|[^\w\s]+`.
struct WordsAndSigns: PreTokenizer {
  func split(_ words: inout Words) {
    let table = CharacterTable.shared
    // 0 white space, 1 word, 2 sign
    func kind(_ value: UInt32) -> Int {
      if table.isWord(value) { return 1 }
      return table.isWhitespace(value) ? 0 : 2
    }
    words.cut(.removed, isInverted: true) { text, range, tell in
      var place = range.lowerBound
      while place < range.upperBound {
        let start = place
        let first = scalar(of: text, at: place)
        let wanted = kind(first.value)
        place += first.length
        while place < range.upperBound, case let next = scalar(of: text, at: place),
          kind(next.value) == wanted
        {
          place += next.length
        }
        if wanted != 0 { tell(start..<place) }
      }
    }
  }
}

/// Words of a fixed number of characters.
struct FixedLengthSplit: PreTokenizer {
  var length: Int

  func split(_ words: inout Words) {
    words.cut(.isolated) { text, range, tell in
      var start = range.lowerBound
      var place = start
      var count = 0
      while place < range.upperBound {
        place += scalar(of: text, at: place).length
        count += 1
        if count == length {
          tell(start..<place)
          start = place
          count = 0
        }
      }
    }
  }
}
