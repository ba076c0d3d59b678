/// What patterns and pre-tokenizers ask of a character: general category and a few properties, from Unicode's tables in
/// the standard library, looked up once for the basic plane.
struct CharacterTable: Sendable {
  static let shared = CharacterTable()

  static let whitespace: UInt8 = 0x20
  /// What the `tokenizers` package's own patterns (Rust's `regex`) mean by `\w`: alphabetic characters, marks, decimal
  /// digits, connectors and the two joiners (UTS 18, annex C).
  static let word: UInt8 = 0x40
  private static let category: UInt8 = 0x1F

  private let entries: [UInt8]

  private init() {
    entries = (0..<0x10000).map { Self.entry(UInt32($0)) }
  }

  private static func entry(_ value: UInt32) -> UInt8 {
    guard let scalar = Unicode.Scalar(value) else { return Category.surrogate.rawValue }
    let properties = scalar.properties
    let category = Category(properties.generalCategory)
    var entry = category.rawValue
    if properties.isWhitespace { entry |= whitespace }
    if properties.isAlphabetic || Category.marks.contains(category) || category == .decimalNumber
      || category == .connectorPunctuation || properties.isJoinControl
    {
      entry |= word
    }
    return entry
  }

  /// Category and properties of a scalar.
  @inline(__always)
  func entry(of value: UInt32) -> UInt8 { value < 0x10000 ? entries[Int(value)] : Self.entry(value) }

  @inline(__always)
  func isWhitespace(_ value: UInt32) -> Bool { entry(of: value) & Self.whitespace != 0 }

  @inline(__always)
  func isWord(_ value: UInt32) -> Bool { entry(of: value) & Self.word != 0 }

  @inline(__always)
  func isIn(_ categories: CategorySet, _ value: UInt32) -> Bool {
    categories.bits >> UInt32(entry(of: value) & Self.category) & 1 != 0
  }
}

/// General categories of Unicode (UAX 44), in the order of its table.
enum Category: UInt8, Sendable, CaseIterable {
  case uppercaseLetter, lowercaseLetter, titlecaseLetter, modifierLetter, otherLetter
  case nonspacingMark, spacingMark, enclosingMark
  case decimalNumber, letterNumber, otherNumber
  case connectorPunctuation, dashPunctuation, openPunctuation, closePunctuation, initialPunctuation
  case finalPunctuation, otherPunctuation
  case mathSymbol, currencySymbol, modifierSymbol, otherSymbol
  case spaceSeparator, lineSeparator, paragraphSeparator
  case control, format, surrogate, privateUse, unassigned

  init(_ category: Unicode.GeneralCategory) {
    self =
      switch category {
      case .uppercaseLetter: .uppercaseLetter
      case .lowercaseLetter: .lowercaseLetter
      case .titlecaseLetter: .titlecaseLetter
      case .modifierLetter: .modifierLetter
      case .otherLetter: .otherLetter
      case .nonspacingMark: .nonspacingMark
      case .spacingMark: .spacingMark
      case .enclosingMark: .enclosingMark
      case .decimalNumber: .decimalNumber
      case .letterNumber: .letterNumber
      case .otherNumber: .otherNumber
      case .connectorPunctuation: .connectorPunctuation
      case .dashPunctuation: .dashPunctuation
      case .openPunctuation: .openPunctuation
      case .closePunctuation: .closePunctuation
      case .initialPunctuation: .initialPunctuation
      case .finalPunctuation: .finalPunctuation
      case .otherPunctuation: .otherPunctuation
      case .mathSymbol: .mathSymbol
      case .currencySymbol: .currencySymbol
      case .modifierSymbol: .modifierSymbol
      case .otherSymbol: .otherSymbol
      case .spaceSeparator: .spaceSeparator
      case .lineSeparator: .lineSeparator
      case .paragraphSeparator: .paragraphSeparator
      case .control: .control
      case .format: .format
      case .surrogate: .surrogate
      case .privateUse: .privateUse
      case .unassigned: .unassigned
      @unknown default: .unassigned
      }
  }

  /// The two letters of the category in Unicode's files, in the order of the cases.
  static let abbreviations = [
    "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
    "Po", "Sm",
    "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
  ]

  static let letters = CategorySet(named: "L")
  static let marks = CategorySet(named: "M")
  static let numbers = CategorySet(named: "N")
  static let punctuation = CategorySet(named: "P")
}

/// A set of general categories.
struct CategorySet: Sendable, Equatable {
  var bits: UInt32 = 0

  init(bits: UInt32) { self.bits = bits }

  init(_ categories: Category...) { for category in categories { bits |= 1 << UInt32(category.rawValue) } }

  /// The categories whose abbreviation begins with `name`: `L` is all letters.
  init(named name: String) {
    for category in Category.allCases where Category.abbreviations[Int(category.rawValue)].hasPrefix(name) {
      bits |= 1 << UInt32(category.rawValue)
    }
  }

  func contains(_ category: Category) -> Bool { bits >> UInt32(category.rawValue) & 1 != 0 }
}
