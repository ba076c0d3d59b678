/// A key as programs see it, whatever the terminal sends for it.
package enum Key: Hashable, Sendable {
  case character(Character)
  /// With the control key: lower-case letters, `space`.
  case control(Character)
  case alt(Character)
  case up, down, left, right, home, end, pageUp, pageDown
  case tab, backTab, enter, escape, backspace, delete, insert
  case controlUp, controlDown, controlLeft, controlRight, shiftUp, shiftDown
  case function(Int)

  package static let space = Key.character(" ")

  private static let names: [(String, Key)] = [
    ("space", .space), ("enter", .enter), ("esc", .escape), ("tab", .tab), ("S-tab", .backTab), ("up", .up),
    ("down", .down), ("left", .left), ("right", .right), ("home", .home), ("end", .end), ("pgup", .pageUp),
    ("pgdn", .pageDown), ("backspace", .backspace), ("del", .delete), ("ins", .insert), ("C-up", .controlUp),
    ("C-down", .controlDown), ("C-left", .controlLeft), ("C-right", .controlRight), ("S-up", .shiftUp),
    ("S-down", .shiftDown), ("C-space", .control(" ")),
  ]
  private static let byName = Dictionary(names, uniquingKeysWith: { first, _ in first })
  private static let byKey = Dictionary(names.map { ($0.1, $0.0) }, uniquingKeysWith: { first, _ in first })

  /// A key by its name: `space enter esc tab S-tab up down left right home end pgup pgdn backspace del ins
  /// f1…f12`, `C-p` with control, `A-x` with alt, or the character itself.
  ///
  /// `nil` for anything else.
  package init?(name: String) {
    if let key = Key.byName[name] {
      self = key
    } else if name.count == 1, let character = name.first {
      self = .character(character)
    } else if name.count == 3, let last = name.last, name.hasPrefix("C-") {
      self = .control(Character(last.lowercased()))
    } else if name.count == 3, let last = name.last, name.hasPrefix("A-") {
      self = .alt(last)
    } else if name.hasPrefix("f"), let number = Int(name.dropFirst()), (1...24).contains(number),
      name == "f\(number)"
    {
      self = .function(number)
    } else {
      return nil
    }
  }

  /// The name that `init(name:)` reads.
  package var name: String {
    if let name = Key.byKey[self] { return name }
    switch self {
    case .character(let character): return String(character)
    case .control(let character): return "C-\(character)"
    case .alt(let character): return "A-\(character)"
    case .function(let number): return "f\(number)"
    default: return ""
    }
  }

  /// How the key is shown to people: `^P`, `F5`, `↑`, else its name.
  package var label: String {
    switch self {
    case .control(let character) where character != " ": "^" + character.uppercased()
    case .function(let number): "F\(number)"
    case .up: "↑"
    case .down: "↓"
    case .left: "←"
    case .right: "→"
    default: name
    }
  }

  /// The text that the key types, if it types any.
  package var text: Character? {
    if case .character(let character) = self { return character }
    return nil
  }
}
