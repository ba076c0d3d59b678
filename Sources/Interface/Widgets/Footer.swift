/// The row of keys at the bottom: the first hint is never left out, the others go from the right.
package struct Footer: Sendable {
  package struct Hint: Hashable, Sendable {
    package var key: String
    package var title: String

    package init(key: String, title: String) {
      self.key = key
      self.title = title
    }
  }

  package var hints: [Hint]

  package init(_ hints: [Hint]) { self.hints = hints }

  /// The hints of commands that can run now, in their order; each with its first key.
  package init(_ commands: [CommandSummary]) {
    let shown = commands.filter { $0.hint != nil && $0.availability == .available && !$0.keys.isEmpty }
    // Equal places keep the order of the table.
    let sorted = shown.enumerated().sorted {
      ($0.element.hint ?? 0, $0.offset) < ($1.element.hint ?? 0, $1.offset)
    }
    hints = sorted.map { Hint(key: $0.element.keys.first?.label ?? "", title: $0.element.title) }
  }

  /// Where each hint that fits is drawn, from the left of the row.
  package func slots(width: Int) -> [(hint: Int, x: Int, width: Int)] {
    var slots: [(hint: Int, x: Int, width: Int)] = []
    var x = width >= 10 ? 1 : 0
    for (index, hint) in hints.enumerated() {
      let needed = CharacterWidth.of(hint.key) + 1 + CharacterWidth.of(hint.title)
      if x + needed > width && index > 0 { break }
      slots.append((index, x, min(needed, width - x)))
      x += needed + 2
    }
    return slots
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    let row = area.row(0)
    guard !row.isEmpty else { return }
    for slot in slots(width: row.width) {
      let hint = hints[slot.hint]
      // With no room for the title, at least the key.
      let isShort = slot.width < CharacterWidth.of(hint.key) + 3
      let runs = isShort ? [Run(hint.key, .key)] : [Run(hint.key, .key), Run(" "), Run(hint.title, .muted)]
      canvas.put(runs, x: row.x + slot.x, y: row.y, width: slot.width)
    }
  }

  /// The hint under the pointer.
  package func hint(at point: Point, in area: Rect) -> Int? {
    guard area.row(0).contains(point) else { return nil }
    let x = point.x - area.x
    return slots(width: area.width).first { x >= $0.x && x < $0.x + $0.width }?.hint
  }
}

/// A short message that goes away by itself.
package struct Toast: Hashable, Sendable {
  package enum Kind: Hashable, Sendable { case good, info, warn, bad }

  package var kind: Kind
  package var text: String

  package init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }

  /// Said by a sign too, not by colour alone.
  private var sign: String {
    switch kind {
    case .good: "✓"
    case .info: "·"
    case .warn: "!"
    case .bad: "✗"
    }
  }

  /// Draws the message on the right of the last row of `area`.
  package func draw(on canvas: inout Canvas, in area: Rect) {
    guard !area.isEmpty else { return }
    let message = Fitting.cut(" \(sign) \(text) ", to: area.width)
    canvas.put(message, x: area.maxX - CharacterWidth.of(message), y: area.maxY - 1, .toast)
  }
}
