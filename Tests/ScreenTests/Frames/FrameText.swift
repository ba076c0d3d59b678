import Interface
import Workbench

@testable import Screen

/// The frames of a scene at every size, as one text: characters in Unicode and in ASCII, then a letter per cell for its
/// style where there are colours, and for its attributes where there are none.
///
/// Letters are explained at the end: `k key: yellow bold`. Of the ASCII frame only those rows of letters follow that
/// differ from the Unicode one's, with their number. Rows a dialog leaves as they are behind it are one line, `⋮`, so
/// that a pane that changes does not change every dialog. Trailing blanks and letters of plain text are left away.
struct FrameText {
  static let sizes = [(60, 16), (80, 24), (120, 36), (200, 60)].map { Size(width: $0.0, height: $0.1) }

  private var colors = Letters<Style>()
  private var attributes = Letters<Attributes>()

  static func of(_ scene: Scene) throws -> String {
    var text = FrameText()
    var theme = ThemeLibrary.fallback
    var parts: [String] = []
    for size in sizes {
      var unicode: [[String]] = []
      for (name, glyphs) in [("Unicode", Glyphs.unicode), ("ASCII", .ascii)] {
        let (screen, state) = try scene.played(glyphs, size)
        theme = screen.theme
        let canvas = screen.draw(state, size: size)
        let hidden = backdrop(of: screen, state, canvas)
        let title = "== \(size.width)x\(size.height)"
        parts.append("\(title) \(name)\n\(joined(canvas.lines(), hidden))")
        let letters = text.letters(canvas, theme)
        for (index, kind) in ["colour", "mono"].enumerated() {
          if unicode.isEmpty {
            parts.append("\(title) \(kind)\n\(joined(letters[index], hidden))")
          } else {
            let rows = zip(letters[index], unicode[index]).enumerated().filter {
              $0.element.0 != $0.element.1 && !hidden.contains($0.offset)
            }
            guard !rows.isEmpty else { continue }
            let lines = rows.map { "\($0.offset + 1): \($0.element.0)" }.joined(separator: "\n")
            parts.append("\(title) \(kind), ASCII\n\(lines)")
          }
        }
        if unicode.isEmpty { unicode = letters }
      }
    }
    let legend = text.colors.order.map { letter, style in
      "\(letter) \(style): \(words(theme.resolve(style, depth: .sixteen)))"
    }
    let mono = text.attributes.order.map { letter, attributes in "\(letter) \(words(attributes))" }
    parts += ["== colour letters\n" + legend.joined(separator: "\n")]
    parts += ["== mono letters\n" + mono.joined(separator: "\n")]
    return parts.joined(separator: "\n")
  }

  /// Rows that look as they would without the dialogs.
  private static func backdrop(of screen: Screen, _ state: State, _ canvas: Canvas) -> Set<Int> {
    guard !screen.overlays.isEmpty else { return [] }
    var behind = screen
    behind.overlays = []
    let other = behind.draw(state, size: canvas.bounds.size)
    return Set(
      (0..<canvas.height).filter { y in (0..<canvas.width).allSatisfy { canvas[$0, y] == other[$0, y] } })
  }

  private static func joined(_ lines: [String], _ hidden: Set<Int>) -> String {
    lines.indices.compactMap { row in
      hidden.contains(row) ? hidden.contains(row - 1) ? nil : "⋮" : lines[row]
    }.joined(separator: "\n")
  }

  /// Letters for the styles of a canvas, and for the attributes that are left of them without colours, row by row.
  private mutating func letters(_ canvas: Canvas, _ theme: Theme) -> [[String]] {
    var rows: [[String]] = [[], []]
    var last: (style: Style, letters: (Character, Character))?
    for y in 0..<canvas.height {
      var row = ("", "")
      for x in 0..<canvas.width {
        let style = canvas[x, y].style
        if last?.style != style {
          let mono = theme.resolve(style, depth: .mono).attributes
          last = (style, (colors.letter(for: Self.seen(style)), attributes.letter(for: mono)))
        }
        if let letters = last?.letters {
          row.0.append(letters.0)
          row.1.append(letters.1)
        }
      }
      rows[0].append(Self.trimmed(row.0))
      rows[1].append(Self.trimmed(row.1))
    }
    return rows
  }

  /// What can be told apart on a screen: a selection hides the role, and of a gradient eight steps are enough.
  private static func seen(_ style: Style) -> Style {
    var style = style
    for (mark, role) in [(Attributes.selected, Role.selection), (.selectedIdle, .selectionIdle)]
    where style.attributes.contains(mark) {
      return Style(role, style.attributes.subtracting([.selected, .selectedIdle]))
    }
    if Gradient.allCases.contains(where: { $0.role == style.role }) { style.detail &= 0xE0 }
    return style
  }

  private static func trimmed(_ row: String) -> String {
    String(row.reversed().drop { $0 == "." }.reversed())
  }

  private static func words(_ look: ResolvedStyle) -> String {
    func word(_ color: Color) -> String {
      guard case .indexed(let index) = color, index < 16 else { return "default" }
      return Color.names[Int(index)]
    }
    let ground = look.background == .terminal ? "" : " on \(word(look.background))"
    let more = look.attributes.isEmpty ? "" : " \(words(look.attributes))"
    return word(look.foreground) + ground + more
  }

  private static func words(_ attributes: Attributes) -> String {
    // Style names its attributes after its role.
    attributes.isEmpty ? "plain" : String("\(Style(.text, attributes))".dropFirst("text ".count))
  }
}

/// A letter for each look, the one it prefers where that is free, so that a new look elsewhere changes no others.
private struct Letters<Look: LetterPreference> {
  private var letters: [Look: Character] = [:]
  private(set) var order: [(letter: Character, look: Look)] = []
  private var taken: Set<Character> = []

  /// All of printable ASCII, then Cyrillic, which fonts draw as wide.
  private static var alphabet: [Character] {
    (Array(0x61...0x7A) + Array(0x41...0x5A) + Array(0x30...0x39) + Array(0x21...0x2F) + Array(0x410...0x4FF))
      .compactMap(Unicode.Scalar.init).map(Character.init)
  }

  mutating func letter(for look: Look) -> Character {
    if let letter = letters[look] { return letter }
    let choices = [look.preferredLetter] + Self.alphabet
    let letter = choices.first { !taken.contains($0) } ?? "?"
    taken.insert(letter)
    letters[look] = letter
    order.append((letter, look))
    return letter
  }
}

private protocol LetterPreference: Hashable {
  var preferredLetter: Character { get }
}

extension Style: LetterPreference {
  fileprivate var preferredLetter: Character {
    switch role {
    case .text: "."
    case .muted: "m"
    case .border: "b"
    case .borderFocus: "B"
    case .selection: "S"
    case .selectionIdle: "s"
    case .title: "T"
    case .key: "k"
    case .header: "h"
    case .mark: "M"
    case .match: "f"
    case .input: "i"
    case .gauge: "#"
    case .toast: "t"
    case .good: "g"
    case .warn: "w"
    case .bad: "x"
    case .info: "n"
    case .stale: "o"
    case .series: Character("\(detail % 10)")
    case .sensitivity: "E"
    case .histogram: "H"
    case .load: "L"
    }
  }
}

extension Attributes: LetterPreference {
  fileprivate var preferredLetter: Character {
    switch self {
    case []: "."
    case .bold: "B"
    case .dim: "D"
    case .italic: "I"
    case .underline: "U"
    case .reverse: "R"
    default: "a"
    }
  }
}
