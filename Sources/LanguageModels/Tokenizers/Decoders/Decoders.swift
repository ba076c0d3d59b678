/// Turns the texts of tokens into text: one step of decoding.
protocol TokenDecoder: Sendable {
  func decode(_ texts: [[UInt8]]) -> [[UInt8]]

  /// What the step makes of one token that stands among others: neither the first nor the last.
  func decodeInside(_ text: [UInt8]) -> [UInt8]
}

extension TokenDecoder {
  func decode(_ texts: [[UInt8]]) -> [[UInt8]] { texts.map(decodeInside) }
}

/// From the alphabet of byte-level vocabularies to bytes; all in one.
struct ByteLevelDecoder: TokenDecoder {
  func decode(_ texts: [[UInt8]]) -> [[UInt8]] { [repairing(texts.flatMap(decodeInside))] }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { ByteAlphabet.shared.decode(text) ?? text }
}

/// Bytes with U+FFFD where they are no UTF-8.
func repairing(_ bytes: [UInt8]) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

/// From tokens like `<0xE2>` to bytes: as text where a run of them is UTF-8, else U+FFFD for each.
struct ByteFallbackDecoder: TokenDecoder {
  func decode(_ texts: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    var run: [UInt8] = []
    func finish() {
      guard !run.isEmpty else { return }
      if String(validating: run, as: UTF8.self) != nil {
        result.append(run)
      } else {
        result += Array(repeating: Array("\u{FFFD}".utf8), count: run.count)
      }
      run = []
    }
    for text in texts {
      if let byte = ByteTokens.byte(named: text) {
        run.append(byte)
      } else {
        finish()
        result.append(text)
      }
    }
    finish()
    return result
  }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { ByteTokens.byte(named: text).map { [$0] } ?? text }
}

/// All texts in one.
struct FuseDecoder: TokenDecoder {
  func decode(_ texts: [[UInt8]]) -> [[UInt8]] { [Array(texts.joined())] }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { text }
}

struct ReplaceDecoder: TokenDecoder {
  var replacing: ReplaceNormalizer

  func decodeInside(_ text: [UInt8]) -> [UInt8] { replacing.normalize(text) }
}

/// Strips up to some of one character from the ends of each text.
struct StripDecoder: TokenDecoder {
  var content: [UInt8]
  var start: Int
  var stop: Int

  func decode(_ texts: [[UInt8]]) -> [[UInt8]] {
    texts.map { text in
      var text = text[...]
      for _ in 0..<start where text.starts(with: content) { text = text.dropFirst(content.count) }
      for _ in 0..<stop where text.suffix(content.count).elementsEqual(content) {
        text = text.dropLast(content.count)
      }
      return Array(text)
    }
  }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { text }
}

/// From a visible character to blanks; the one before the first token goes.
struct MetaspaceDecoder: TokenDecoder {
  var replacement: [UInt8]
  var dropsFirst: Bool

  func decode(_ texts: [[UInt8]]) -> [[UInt8]] {
    texts.enumerated().map { number, text in
      number == 0 && dropsFirst ? text.replacing(replacement, by: []) : decodeInside(text)
    }
  }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { text.replacing(replacement, by: [0x20]) }
}

/// Joins pieces that carry the prefix to what is before them and puts blanks before the others.
struct WordPieceDecoder: TokenDecoder {
  var prefix: [UInt8]
  /// Whether blanks before signs and contractions of English go.
  var cleansUp: Bool

  func decode(_ texts: [[UInt8]]) -> [[UInt8]] {
    texts.enumerated().map { number, text in number == 0 ? cleaned(text) : decodeInside(text) }
  }

  func decodeInside(_ text: [UInt8]) -> [UInt8] {
    cleaned(text.starts(with: prefix) ? Array(text.dropFirst(prefix.count)) : [0x20] + text)
  }

  private func cleaned(_ text: [UInt8]) -> [UInt8] { cleansUp ? Self.cleanUp(text) : text }

  private static func cleanUp(_ text: [UInt8]) -> [UInt8] {
    [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
      (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].reduce(text) { $0.replacing(Array($1.0.utf8), by: Array($1.1.utf8)) }
  }
}

/// From a mark at the end of words to blanks between them.
struct SuffixDecoder: TokenDecoder {
  var suffix: [UInt8]

  func decode(_ texts: [[UInt8]]) -> [[UInt8]] {
    texts.enumerated().map { number, text in
      text.replacing(suffix, by: number == texts.count - 1 ? [] : [0x20])
    }
  }

  func decodeInside(_ text: [UInt8]) -> [UInt8] { text.replacing(suffix, by: [0x20]) }
}
