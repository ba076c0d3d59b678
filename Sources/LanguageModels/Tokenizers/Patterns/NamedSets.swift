/// The sets that `\p{…}` names: general categories by their short and long names, and a few properties and scripts.
enum NamedSets {
  static func set(_ name: String) -> ScalarSet? {
    let name = name.lowercased().filter { $0 != "_" && $0 != " " && $0 != "-" }
    if let short = longNames[name] { return ScalarSet(CategorySet(named: short)) }
    if let abbreviation = Category.abbreviations.first(where: { $0.lowercased() == name }) {
      return ScalarSet(CategorySet(named: abbreviation))
    }
    if ["l", "m", "n", "p", "s", "z", "c"].contains(name) {
      return ScalarSet(CategorySet(named: name.uppercased()))
    }
    switch name {
    case "whitespace", "space": return ScalarSet(property: CharacterTable.whitespace)
    case "word": return word
    case "digit": return ScalarSet(CategorySet(.decimalNumber))
    case "han": return han
    default: return nil
    }
  }

  private static let longNames = [
    "letter": "L", "uppercaseletter": "Lu", "lowercaseletter": "Ll", "titlecaseletter": "Lt",
    "modifierletter": "Lm",
    "otherletter": "Lo", "mark": "M", "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me",
    "number": "N", "decimalnumber": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P",
    "punct": "P",
    "symbol": "S", "mathsymbol": "Sm", "currencysymbol": "Sc", "separator": "Z", "spaceseparator": "Zs",
    "other": "C", "control": "Cc", "format": "Cf",
  ]

  /// What Oniguruma means by `\w`: alphabetic characters, marks, decimal digits, connectors, and the numbers of Latin-1
  /// (its table of the first 256 characters counts them in).
  static let word: ScalarSet = {
    var set = ScalarSet(property: CharacterTable.word)
    var joiners = ScalarSet()
    joiners.insert(0x200C...0x200D)
    joiners.finish()
    set.intersect(joiners.negated)
    set.finish()
    var whole = ScalarSet()
    whole.insert(set)
    for range: ClosedRange<UInt32> in [0xB2...0xB3, 0xB9...0xB9, 0xBC...0xBE] { whole.insert(range) }
    whole.finish()
    return whole
  }()

  /// The script Han of Unicode's Scripts.txt.
  private static let han: ScalarSet = {
    var set = ScalarSet()
    for range: ClosedRange<UInt32> in [
      0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
      0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3,
      0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1,
      0x2CEB0...0x2EBE0,
      0x2EBF0...0x2EE5D, 0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
    ] { set.insert(range) }
    set.finish()
    return set
  }()
}
