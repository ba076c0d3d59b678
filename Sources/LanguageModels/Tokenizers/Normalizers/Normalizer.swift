/// Changes a text before it is cut into words: one step of a tokenizer's normalization.
protocol Normalizer: Sendable {
  func normalize(_ text: [UInt8]) -> [UInt8]
}

/// Puts a text before every text that is not empty.
struct PrependNormalizer: Normalizer {
  var content: [UInt8]

  func normalize(_ text: [UInt8]) -> [UInt8] { text.isEmpty ? text : content + text }
}

/// Puts `content` where a text or a pattern is found.
struct ReplaceNormalizer: Normalizer {
  enum Target: Sendable {
    case text([UInt8])
    case pattern(Pattern)
  }

  var target: Target
  var content: [UInt8]

  func normalize(_ text: [UInt8]) -> [UInt8] {
    switch target {
    case .text(let wanted): return text.replacing(wanted, by: content)
    case .pattern(let pattern):
      var result: [UInt8] = []
      var place = 0
      var scratch = PatternScratch()
      pattern.forEachMatch(in: text.span, 0..<text.count, scratch: &scratch) { match in
        result += text[place..<match.lowerBound]
        result += content
        place = match.upperBound
      }
      return result + text[place...]
    }
  }
}

/// Strips white space from the ends.
struct StripNormalizer: Normalizer {
  var left: Bool
  var right: Bool

  func normalize(_ text: [UInt8]) -> [UInt8] {
    var scalars = Substring(String(decoding: text, as: UTF8.self)).unicodeScalars
    while left, let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return Array(String(scalars).utf8)
  }
}

/// Changes scalars one by one.
struct ScalarNormalizer: Normalizer {
  enum Change: Sendable {
    /// To lower case, by the full mapping of each scalar alone.
    case lowercase
    /// Without combining marks (categories Mn, Mc, Me).
    case stripAccents
    /// SentencePiece's "nmt" rules: some controls go, odd blanks become a blank.
    case nmt
  }

  var change: Change

  func normalize(_ text: [UInt8]) -> [UInt8] {
    let table = CharacterTable.shared
    switch change {
    case .lowercase:
      return text.mapScalars { scalar, result in
        if scalar.isASCII {
          result.append(
            Unicode.Scalar(scalar.value | ((0x41...0x5A).contains(scalar.value) ? 0x20 : 0)) ?? scalar)
        } else {
          result += scalar.properties.lowercaseMapping.utf8
        }
      }
    case .stripAccents:
      return text.mapScalars { if $0.isASCII || !table.isIn(Category.marks, $0.value) { $1.append($0) } }
    case .nmt: return text.mapScalars(Self.nmt)
    }
  }

  private static func nmt(_ scalar: Unicode.Scalar, _ result: inout [UInt8]) {
    switch scalar.value {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
      result.append(0x20)
    default: result.append(scalar)
    }
  }
}

/// Writes each byte as the character that byte-level vocabularies show for it.
struct ByteLevelNormalizer: Normalizer {
  func normalize(_ text: [UInt8]) -> [UInt8] { text.flatMap { ByteAlphabet.shared.characters[Int($0)] } }
}
