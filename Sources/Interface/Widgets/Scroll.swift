/// Where the cursor of a list is, and what part of the list is seen.
package struct Scroll: Hashable, Sendable {
  package var cursor: Int
  /// The first row that is seen.
  package var offset: Int

  package init(cursor: Int = 0, offset: Int = 0) {
    self.cursor = cursor
    self.offset = offset
  }

  package enum Motion: Hashable, Sendable {
    case up, down, pageUp, pageDown, halfUp, halfDown, first, last
    case by(Int)
    case to(Int)

    /// The same in single lines, for a text of which `visible` lines are seen.
    package func asLines(visible: Int) -> Motion {
      switch self {
      case .pageUp: .by(-max(1, visible - 1))
      case .pageDown: .by(max(1, visible - 1))
      case .halfUp: .by(-max(1, visible / 2))
      case .halfDown: .by(max(1, visible / 2))
      default: self
      }
    }
  }

  /// Moves the cursor in a list of `count` rows of which `visible` are seen, and keeps it in sight.
  package mutating func move(_ motion: Motion, count: Int, visible: Int) {
    let page = max(1, visible - 1)
    switch motion {
    case .up: cursor -= 1
    case .down: cursor += 1
    case .pageUp: cursor -= page
    case .pageDown: cursor += page
    case .halfUp: cursor -= max(1, visible / 2)
    case .halfDown: cursor += max(1, visible / 2)
    case .first: cursor = 0
    case .last: cursor = count - 1
    case .by(let rows): cursor += rows
    case .to(let row): cursor = row
    }
    self = settled(count: count, visible: visible)
  }

  /// The same with the cursor inside the list and in sight, and no blank rows at the end that could be filled.
  package func settled(count: Int, visible: Int) -> Scroll {
    guard count > 0 else { return Scroll() }
    var result = self
    result.cursor = min(max(0, cursor), count - 1)
    let visible = max(1, visible)
    result.offset = min(max(0, offset), max(0, count - visible))
    if result.cursor < result.offset { result.offset = result.cursor }
    if result.cursor >= result.offset + visible { result.offset = result.cursor - visible + 1 }
    return result
  }

  /// The motion that a key stands for in every list.
  package static func motion(for key: Key) -> Motion? {
    switch key {
    case .up, .character("k"): .up
    case .down, .character("j"): .down
    case .pageUp: .pageUp
    case .pageDown: .pageDown
    case .control("u"): .halfUp
    case .control("d"): .halfDown
    case .home, .character("g"): .first
    case .end, .character("G"): .last
    default: nil
    }
  }
}

/// Rows of text with a cursor.
package struct List: Sendable {
  package var count: Int
  package var scroll: Scroll
  package var isFocused: Bool
  /// The cursor row is highlighted.
  package var showsCursor: Bool

  package init(count: Int, scroll: Scroll, isFocused: Bool = true, showsCursor: Bool = true) {
    self.count = count
    self.scroll = scroll
    self.isFocused = isFocused
    self.showsCursor = showsCursor
  }

  /// Draws the rows in sight; `row` is asked only for those.
  package func draw(on canvas: inout Canvas, in area: Rect, row: (Int) -> [Run]) {
    guard !area.isEmpty else { return }
    let scroll = scroll.settled(count: count, visible: area.height)
    for index in scroll.offset..<max(scroll.offset, min(count, scroll.offset + area.height)) {
      let place = area.row(index - scroll.offset)
      canvas.put(row(index), x: place.x, y: place.y, width: place.width)
      if showsCursor && index == scroll.cursor {
        canvas.restyle(place) { isFocused ? $0.selected : $0.selectedIdle }
      }
    }
  }

  /// The row under the pointer.
  package func index(at point: Point, in area: Rect) -> Int? {
    guard area.contains(point) else { return nil }
    let index = scroll.settled(count: count, visible: area.height).offset + point.y - area.y
    return index < count ? index : nil
  }
}
