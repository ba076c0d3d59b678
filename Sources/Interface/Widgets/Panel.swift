/// The frame of a pane: `╭─ 3 Compare ───── test 10000 ─╮`, thick when it has the keyboard.
package struct Panel: Sendable {
  /// The digit that focuses the pane.
  package var number: Int?
  package var title: String
  /// On the right of the upper edge; left out where it does not fit.
  package var note: [Run]
  /// On the right of the lower edge.
  package var foot: [Run]
  package var isFocused: Bool

  package init(number: Int? = nil, title: String, note: [Run] = [], foot: [Run] = [], isFocused: Bool = false)
  {
    self.number = number
    self.title = title
    self.note = note
    self.foot = foot
    self.isFocused = isFocused
  }

  package init(number: Int? = nil, title: String, note: String, foot: String = "", isFocused: Bool = false) {
    self.init(
      number: number, title: title, note: note.isEmpty ? [] : [Run(note, .muted)],
      foot: foot.isEmpty ? [] : [Run(foot, .muted)], isFocused: isFocused)
  }

  /// Draws the frame and blanks what is inside; returns the inside.
  @discardableResult
  package func draw(on canvas: inout Canvas, in area: Rect) -> Rect {
    let inside = area.inset(by: 1)
    canvas.fill(inside)
    canvas.box(area, thick: isFocused, isFocused ? .borderFocus : .border)
    guard area.width >= 7, area.height >= 2 else { return inside }
    // Corner, line, blank … blank, line, corner.
    let room = area.width - 6
    var heading = title.isEmpty ? [] : [Run(title, .title)]
    if let number { heading.insert(Run(title.isEmpty ? "\(number)" : "\(number) ", .key), at: 0) }
    let fitted = Fitting.cut(heading, to: room)
    let used = Fitting.width(of: fitted)
    if used > 0 { canvas.put([Run(" ")] + fitted + [Run(" ")], x: area.x + 2, y: area.y) }
    // At least one piece of line stays between title and note.
    let noteWidth = Fitting.width(of: note)
    if noteWidth > 0, used + noteWidth + 3 <= room + (used > 0 ? 0 : 3) {
      canvas.put([Run(" ")] + note + [Run(" ")], x: area.maxX - 4 - noteWidth, y: area.y)
    }
    let footWidth = Fitting.width(of: foot)
    if footWidth > 0, footWidth <= room {
      canvas.put([Run(" ")] + foot + [Run(" ")], x: area.maxX - 4 - footWidth, y: area.maxY - 1)
    }
    return inside
  }
}

/// A frame in the middle of the screen, over everything else.
package struct Dialog: Sendable {
  package var title: String
  /// Keys and what they do, on the lower edge.
  package var hints: [Run]
  /// Of the whole dialog, frame included; it shrinks to the screen.
  package var size: Size

  package init(title: String, hints: [Run] = [], size: Size) {
    self.title = title
    self.hints = hints
    self.size = size
  }

  /// Draws the frame over the screen; returns the inside, with a blank column left and right.
  @discardableResult
  package func draw(on canvas: inout Canvas, in screen: Rect) -> Rect {
    let area = frame(in: screen)
    // Pairs of key and words; where they do not fit, those before the last go first.
    var hints = hints
    while hints.count >= 4, Fitting.width(of: hints) > area.width - 6 {
      hints.removeSubrange(hints.count - 4..<hints.count - 2)
    }
    Panel(title: title, foot: hints, isFocused: true).draw(on: &canvas, in: area)
    return area.inset(left: 2, top: 1, right: 2, bottom: 1)
  }

  /// Where the dialog is, for the mouse.
  package func frame(in screen: Rect) -> Rect { screen.centered(size) }
}

extension Canvas {
  /// One row with text at both ends; the right one is kept, the left one is cut where both do not fit.
  package mutating func spread(_ left: [Run], _ right: [Run], in row: Rect) {
    guard !row.isEmpty else { return }
    let rightWidth = min(Fitting.width(of: right), row.width)
    put(right, x: row.maxX - rightWidth, y: row.y, width: rightWidth)
    let room = row.width - rightWidth - (rightWidth > 0 ? 1 : 0)
    put(left, x: row.x, y: row.y, width: room)
  }
}
