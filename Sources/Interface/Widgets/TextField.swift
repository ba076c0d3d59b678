/// One line of text being typed.
package struct TextField: Hashable, Sendable {
  package private(set) var text: String
  /// Characters before the cursor.
  package private(set) var cursor: Int

  package init(_ text: String = "") {
    self.text = TextField.cleaned(text)
    cursor = self.text.count
  }

  /// Puts text in at the cursor; line breaks become blanks, other control characters are left out.
  package mutating func insert(_ addition: String) {
    let clean = TextField.cleaned(addition)
    let before = String(text.prefix(cursor)) + clean
    text = before + text.dropFirst(cursor)
    // A combining mark joins the character before it, so the number of characters is not simply the sum.
    cursor = before.count
  }

  private static func cleaned(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar == "\n" || scalar == "\r" || scalar == "\t" {
        scalars.append(" ")
      } else if CharacterWidth.kind(of: scalar) != .control {
        scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  /// Edits by a key; `false` for keys that are not for text fields.
  package mutating func handle(_ key: Key) -> Bool {
    switch key {
    case .character(let character): insert(String(character))
    case .left: cursor = max(0, cursor - 1)
    case .right: cursor = min(text.count, cursor + 1)
    case .home, .control("a"): cursor = 0
    case .end, .control("e"): cursor = text.count
    case .controlLeft: cursor = wordStart
    case .controlRight: cursor = wordEnd
    case .backspace, .control("h"): remove(from: max(0, cursor - 1), to: cursor)
    case .delete: remove(from: cursor, to: min(text.count, cursor + 1))
    case .control("u"): remove(from: 0, to: cursor)
    case .control("k"): remove(from: cursor, to: text.count)
    case .control("w"): remove(from: wordStart, to: cursor)
    default: return false
    }
    return true
  }

  private mutating func remove(from start: Int, to end: Int) {
    text = String(text.prefix(start)) + text.dropFirst(end)
    cursor = min(start, text.count)
  }

  private var wordStart: Int {
    var characters = Array(text.prefix(cursor))
    while characters.last == " " { characters.removeLast() }
    while let last = characters.last, last != " " { characters.removeLast() }
    return characters.count
  }

  private var wordEnd: Int {
    let characters = Array(text)
    var index = cursor
    while index < characters.count && characters[index] == " " { index += 1 }
    while index < characters.count && characters[index] != " " { index += 1 }
    return index
  }

  /// Draws the field in one row, scrolled so that the cursor is in it.
  package func draw(on canvas: inout Canvas, in area: Rect, isFocused: Bool = true, placeholder: String = "")
  {
    let row = area.row(0)
    guard !row.isEmpty else { return }
    canvas.fill(row, .input)
    if text.isEmpty && !placeholder.isEmpty {
      canvas.put(placeholder, x: row.x, y: row.y, width: row.width, .muted)
    }
    let characters = Array(text)
    // Scroll: the last column is for the cursor behind the text.
    var first = 0
    var before = characters.prefix(cursor).reduce(0) { $0 + CharacterWidth.of($1) }
    while before > row.width - 1 && first < cursor {
      before -= CharacterWidth.of(characters[first])
      first += 1
    }
    canvas.clipped(to: row) { canvas in
      _ = canvas.put(String(characters.dropFirst(first)), x: row.x, y: row.y, .input)
    }
    let place = Point(x: row.x + before, y: row.y)
    if isFocused && canvas.clip.contains(place) { canvas.cursor = place }
  }
}
