/// Which characters a screen may use.
///
/// Panes write the Unicode forms; a canvas in the ASCII set replaces them one for one, so a layout is the
/// same in both.
package struct Glyphs: Hashable, Sendable {
  package enum Characters: String, Hashable, Sendable, CaseIterable { case unicode, ascii }
  /// How plots are drawn: 2×2 blocks, one character per cell, or 2×4 dots where that is asked for.
  package enum Plot: String, Hashable, Sendable, CaseIterable {
    case block, ascii, braille

    /// In a sentence.
    package var title: String {
      switch self {
      case .block: "blocks"
      case .ascii: "ASCII characters"
      case .braille: "braille, which some fonts and screen readers do not take"
      }
    }
  }

  package var characters: Characters
  package var plot: Plot

  package init(_ characters: Characters = .unicode, plot: Plot? = nil) {
    self.characters = characters
    self.plot = characters == .ascii ? .ascii : plot ?? .block
  }

  package static let unicode = Glyphs(.unicode)
  package static let ascii = Glyphs(.ascii)

  /// ASCII where it is asked for, where the locale is explicitly C or POSIX, and on terminals that have no more.
  package static func detect(environment: [String: String], forceASCII: Bool) -> Glyphs {
    if forceASCII { return .ascii }
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    if let all = value("LC_ALL"), all == "C" || all == "POSIX" { return .ascii }
    let locale = value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? ""
    let isUTF8 = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    let term = value("TERM") ?? ""
    let isPlain = term.hasPrefix("vt") || term == "linux" || term == "ansi" || term.hasPrefix("cons25")
    return isPlain && !isUTF8 ? .ascii : .unicode
  }

  /// The ASCII stand-in of a character one column wide.
  package static func asciiForm(of value: UInt32) -> UInt32 {
    if value < 0x7F { return value }
    if value >= 0x2800 && value < 0x2900 { return value == 0x2800 ? 0x20 : 0x2E }
    if value >= 0x2500 && value < 0x2580 { return lineForm(of: value) }
    return standIns[value] ?? 0x3F
  }

  /// Lines: `-` and `|`, thick ones `=` and `#`, corners and crossings `+`, thick ones `#`.
  private static func lineForm(of value: UInt32) -> UInt32 {
    switch value {
    case 0x2500, 0x2504, 0x2508, 0x254C, 0x2574, 0x2576: 0x2D
    case 0x2501, 0x2505, 0x2509, 0x254D, 0x2550, 0x2578, 0x257A: 0x3D
    case 0x2502, 0x2506, 0x250A, 0x254E, 0x2575, 0x2577: 0x7C
    case 0x2503, 0x2507, 0x250B, 0x254F, 0x2551, 0x2579, 0x257B: 0x23
    case 0x250F, 0x2513, 0x2517, 0x251B, 0x2523, 0x252B, 0x2533, 0x253B, 0x254B: 0x23
    default: 0x2B
    }
  }

  private static let standIns: [UInt32: UInt32] = {
    let pairs: [(Character, Character)] = [
      ("▸", ">"), ("▹", ">"), ("◂", "<"), ("▾", "v"), ("▴", "^"), ("▲", "^"), ("▼", "v"), ("▶", ">"),
      ("◀", "<"),
      ("✱", "*"), ("★", "*"), ("☆", "+"), ("●", "o"), ("○", "0"), ("◆", "x"), ("◇", "%"), ("■", "#"),
      ("□", "o"),
      ("·", "."), ("•", "*"), ("…", "~"), ("‹", "<"), ("›", ">"), ("«", "<"), ("»", ">"), ("→", ">"),
      ("←", "<"),
      ("↑", "^"), ("↓", "v"), ("↵", "<"), ("⇥", ">"), ("×", "x"), ("÷", "/"), ("±", "~"), ("−", "-"),
      ("–", "-"),
      ("—", "-"), ("≤", "<"), ("≥", ">"), ("≈", "~"), ("≠", "!"), ("Δ", "d"), ("δ", "d"), ("σ", "s"),
      ("µ", "u"),
      ("μ", "u"), ("✓", "v"), ("✗", "x"), ("‘", "'"), ("’", "'"), ("“", "\""), ("”", "\""), ("°", "o"),
      ("█", "#"), ("▉", "#"), ("▊", "#"), ("▋", "="), ("▌", "="), ("▍", "-"), ("▎", "."), ("▏", "."),
      ("▇", "#"), ("▆", "#"), ("▅", "="), ("▄", "="), ("▃", "-"), ("▂", "."), ("▁", "."), ("▀", "\""),
      ("░", "."), ("▒", ":"), ("▓", "#"), ("▐", "|"), ("‖", "|"), ("▕", "|"), ("▔", "-"),
      ("▖", "."), ("▗", "."), ("▘", "'"), ("▝", "'"), ("▚", "\\"), ("▞", "/"), ("▙", "#"), ("▛", "#"),
      ("▜", "#"),
      ("▟", "#"), (" ", " "),
    ]
    var table: [UInt32: UInt32] = [:]
    for (from, to) in pairs {
      if let source = from.unicodeScalars.first, let target = to.unicodeScalars.first {
        table[source.value] = target.value
      }
    }
    return table
  }()
}
