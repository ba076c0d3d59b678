/// BERT's cleaning: no controls, white space as blanks, CJK characters apart, no accents, lower case.
struct BertNormalizer: Normalizer {
  var cleansText = true
  var separatesCJK = true
  var stripsAccents = true
  var lowercases = true

  func normalize(_ text: [UInt8]) -> [UInt8] {
    let table = CharacterTable.shared
    var text = text
    if cleansText || separatesCJK {
      text = text.mapScalars { scalar, result in
        var scalar = scalar
        if cleansText {
          if Self.isDropped(scalar, table) { return }
          if table.isWhitespace(scalar.value) { scalar = " " }
        }
        if separatesCJK, Self.isCJK(scalar.value) {
          result.append(0x20)
          result.append(scalar)
          result.append(0x20)
        } else {
          result.append(scalar)
        }
      }
    }
    if stripsAccents {
      text = UnicodeNormalizer(form: .nfd).normalize(text)
        .mapScalars { if $0.isASCII || !table.isIn(CategorySet(.nonspacingMark), $0.value) { $1.append($0) } }
    }
    return lowercases ? ScalarNormalizer(change: .lowercase).normalize(text) : text
  }

  private static func isDropped(_ scalar: Unicode.Scalar, _ table: CharacterTable) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: false
    case 0, 0xFFFD: true
    default: table.isIn(CategorySet(.control, .format, .privateUse), scalar.value)
    }
  }

  /// The blocks of ideographs that BERT's own code lists.
  static func isCJK(_ value: UInt32) -> Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF,
      0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
