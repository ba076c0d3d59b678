/// Finding things by typing a part of them.
package enum Filter {
  /// Whether every word of the query is in the text, in any case; an empty query finds everything.
  package static func matches(_ query: String, _ text: String) -> Bool {
    let text = text.lowercased()
    return query.lowercased().split(separator: " ").allSatisfy { text.contains($0) }
  }

  /// The text with what the query found in the style of matches.
  package static func highlight(_ text: String, query: String, _ style: Style = .text) -> [Run] {
    let characters = Array(text)
    let lower = characters.map { Array($0.lowercased()).first ?? $0 }
    var found = [Bool](repeating: false, count: characters.count)
    for word in query.lowercased().split(separator: " ").map(Array.init) where word.count <= lower.count {
      for start in 0...(lower.count - word.count) where Array(lower[start..<(start + word.count)]) == word {
        for index in start..<(start + word.count) { found[index] = true }
      }
    }
    var runs: [Run] = []
    for (character, isFound) in zip(characters, found) {
      let own = isFound ? Style.match : style
      if runs.last?.style == own {
        runs[runs.count - 1].text.append(character)
      } else {
        runs.append(Run(String(character), own))
      }
    }
    return runs
  }
}

/// A list of things to choose from, each with a key and a few words: help, palette, pickers.
package struct Menu: Sendable {
  package struct Item: Hashable, Sendable {
    /// What the query finds it by beside its words.
    package var id: String
    /// What selects it directly, or its value.
    package var label: String
    package var title: String
    package var detail: String
    /// Why it cannot be chosen now.
    package var reason: String?
    /// What it is about; the query finds it by this too.
    package var group: String
    /// The heading it stands under while nothing is typed; neighbours share one.
    package var section: String

    package init(
      id: String = "", label: String = "", title: String, detail: String = "", reason: String? = nil,
      group: String = "", section: String = ""
    ) {
      self.id = id
      self.label = label
      self.title = title
      self.detail = detail
      self.reason = reason
      self.group = group
      self.section = section
    }

    /// An item for a command, with its keys.
    package init(_ command: CommandSummary, section: String = "") {
      self.init(
        id: command.id, label: command.keyLabel, title: command.title, detail: command.explanation,
        group: command.group, section: section)
      if case .unavailable(let reason) = command.availability { self.reason = reason }
    }
  }

  /// Where labels stand.
  package enum LabelSide: Hashable, Sendable { case left, right }

  /// An item that the query found, and what of it.
  private struct Hit {
    var item: Int
    var title: Set<Int> = []
    var detail: Set<Int> = []
  }

  /// A row of the list as drawn.
  private enum Row {
    case heading(String)
    case hit(Int)
  }

  package let items: [Item]
  package var labels: LabelSide
  /// The cursor counts what the query found; the offset counts rows, headings among them.
  package private(set) var scroll: Scroll
  /// What is typed to narrow the list; the best match comes first.
  package var query: String {
    didSet {
      hits = Menu.hits(items, query)
      scroll = Scroll()
    }
  }
  private var hits: [Hit]

  package init(items: [Item], scroll: Scroll = Scroll(), query: String = "", labels: LabelSide = .left) {
    self.items = items
    self.scroll = scroll
    self.query = query
    self.labels = labels
    hits = Menu.hits(items, query)
  }

  private static func hits(_ items: [Item], _ query: String) -> [Hit] {
    let words = query.split(separator: " ").map(String.init)
    guard !words.isEmpty else { return items.indices.map { Hit(item: $0) } }
    let scored = items.indices.compactMap { index in hit(items[index], words).map { ($0.0, index, $0.1) } }
    return scored.sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map {
      Hit(item: $0.1, title: $0.2.title, detail: $0.2.detail)
    }
  }

  /// How well every word of a query is found in an item, and where; the title counts most.
  private static func hit(_ item: Item, _ words: [String]) -> (Int, Hit)? {
    var hit = Hit(item: 0)
    var sum = 0
    for word in words {
      let title = FuzzyMatch(word, in: item.title)
      let detail = FuzzyMatch(word, in: item.detail, manner: .fromWordStarts)
      let rest = [
        FuzzyMatch(word, in: item.id).map { $0.score + 10 },
        FuzzyMatch(word, in: item.group, manner: .fromWordStarts)?.score,
        item.label.split(separator: " ").contains { $0 == word } ? 30 : nil,
      ]
      guard let best = ([title.map { $0.score + 20 }, detail?.score] + rest).compactMap({ $0 }).max() else {
        return nil
      }
      sum += best
      hit.title.formUnion(title?.places ?? [])
      hit.detail.formUnion(detail?.places ?? [])
    }
    return (sum, hit)
  }

  /// Places in `items` of those that the query finds, the best first.
  package var matching: [Int] { hits.map(\.item) }

  /// The place in `items` of the one under the cursor.
  package var selected: Int? {
    let cursor = scroll.settled(count: hits.count, visible: 1).cursor
    return hits.indices.contains(cursor) ? hits[cursor].item : nil
  }

  private var rows: [Row] {
    guard query.isEmpty else { return hits.indices.map { .hit($0) } }
    var rows: [Row] = []
    var section = ""
    for (index, hit) in hits.enumerated() {
      let own = items[hit.item].section
      if own != section { rows.append(.heading(own)) }
      section = own
      rows.append(.hit(index))
    }
    return rows
  }

  /// Rows that are drawn, headings among them.
  package var rowCount: Int { rows.count }

  package mutating func move(_ motion: Scroll.Motion, visible: Int) {
    let offset = scroll.offset
    scroll.move(motion, count: hits.count, visible: visible)
    scroll.offset = offset
    scroll.offset = settled(rows, visible: visible).offset
  }

  /// Moves the cursor to an item, where the query finds it.
  package mutating func select(_ item: Int, visible: Int) {
    if let place = hits.firstIndex(where: { $0.item == item }) { move(.to(place), visible: visible) }
  }

  /// Cursor and offset as rows; a heading is seen with the first item below it.
  private func settled(_ rows: [Row], visible: Int) -> Scroll {
    let cursor = scroll.settled(count: hits.count, visible: 1).cursor
    let row = rows.firstIndex { if case .hit(cursor) = $0 { true } else { false } } ?? 0
    var result = Scroll(cursor: row, offset: scroll.offset).settled(count: rows.count, visible: visible)
    if row > 0, result.offset == row, visible > 1, case .heading = rows[row - 1] { result.offset -= 1 }
    return result
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    guard !area.isEmpty else { return }
    if hits.isEmpty {
      canvas.put("nothing matches", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    let rows = rows
    let labelWidth = min(items.map { CharacterWidth.of($0.label) }.max() ?? 0, max(0, area.width / 3))
    let titleWidth = min(items.map { CharacterWidth.of($0.title) }.max() ?? 0, max(0, area.width / 2))
    List(count: rows.count, scroll: settled(rows, visible: area.height)).draw(on: &canvas, in: area) { row in
      switch rows[row] {
      case .heading(let title): [Run(title, .header)]
      case .hit(let index): line(hits[index], labelWidth, titleWidth, area.width)
      }
    }
  }

  private func line(_ hit: Hit, _ labelWidth: Int, _ titleWidth: Int, _ width: Int) -> [Run] {
    let item = items[hit.item]
    let style: Style = item.reason == nil ? .text : .muted
    let label = Run(
      Fitting.pad(item.label, to: labelWidth, align: .right), item.reason == nil ? .key : .muted)
    let gap = Run("  ")
    var runs = labelWidth > 0 && labels == .left ? [label, gap] : []
    let title = Fitting.cut(item.title, to: titleWidth)
    runs += FuzzyMatch.highlight(title, hit.title, style)
    runs.append(Run(String(repeating: " ", count: max(0, titleWidth - CharacterWidth.of(title)) + 2)))
    runs +=
      item.reason.map { [Run($0, .muted)] } ?? FuzzyMatch.highlight(item.detail, hit.detail, .muted)
    guard labelWidth > 0, labels == .right else { return runs }
    let room = max(0, width - labelWidth - 2)
    runs = Fitting.cut(runs, to: room)
    return runs + [Run(String(repeating: " ", count: max(0, room - Fitting.width(of: runs)))), gap, label]
  }

  /// The place in `items` of the one under the pointer.
  package func index(at point: Point, in area: Rect) -> Int? {
    let rows = rows
    let list = List(count: rows.count, scroll: settled(rows, visible: area.height))
    guard let row = list.index(at: point, in: area), case .hit(let index) = rows[row] else { return nil }
    return hits[index].item
  }
}
