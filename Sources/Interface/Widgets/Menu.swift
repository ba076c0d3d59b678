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
    /// What selects it directly, or its value; shown on the left.
    package var label: String
    package var title: String
    package var detail: String
    /// Why it cannot be chosen now.
    package var reason: String?
    /// Where it belongs; the query finds it by this too.
    package var group: String

    package init(
      label: String = "", title: String, detail: String = "", reason: String? = nil, group: String = ""
    ) {
      self.label = label
      self.title = title
      self.detail = detail
      self.reason = reason
      self.group = group
    }

    /// An item for a command, with its keys.
    package init(_ command: CommandSummary) {
      self.init(
        label: command.keyLabel, title: command.title, detail: command.explanation, group: command.group)
      if case .unavailable(let reason) = command.availability { self.reason = reason }
    }
  }

  package var items: [Item]
  package var scroll: Scroll
  /// What is typed to narrow the list; matches are highlighted.
  package var query: String

  package init(items: [Item], scroll: Scroll = Scroll(), query: String = "") {
    self.items = items
    self.scroll = scroll
    self.query = query
  }

  /// Places in `items` of those that the query finds, by title, detail, key and group.
  package var matching: [Int] {
    items.indices.filter {
      let item = items[$0]
      return Filter.matches(query, "\(item.title) \(item.detail) \(item.label) \(item.group)")
    }
  }

  /// The place in `items` of the one under the cursor.
  package var selected: Int? {
    let matching = matching
    let cursor = scroll.settled(count: matching.count, visible: 1).cursor
    return matching.indices.contains(cursor) ? matching[cursor] : nil
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    let matching = matching
    let labels = min(items.map { CharacterWidth.of($0.label) }.max() ?? 0, max(0, area.width / 3))
    let titles = min(items.map { CharacterWidth.of($0.title) }.max() ?? 0, max(0, area.width / 2))
    if matching.isEmpty {
      canvas.put("nothing matches", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    List(count: matching.count, scroll: scroll).draw(on: &canvas, in: area) { row in
      let item = items[matching[row]]
      let style: Style = item.reason == nil ? .text : .muted
      var runs: [Run] = []
      if labels > 0 {
        runs.append(
          Run(Fitting.pad(item.label, to: labels, align: .right), item.reason == nil ? .key : .muted))
        runs.append(Run("  "))
      }
      let title = Fitting.cut(item.title, to: titles)
      runs += Filter.highlight(title, query: query, style)
      runs.append(Run(String(repeating: " ", count: max(0, titles - CharacterWidth.of(title)) + 2)))
      if let reason = item.reason {
        runs.append(Run(reason, .muted))
      } else {
        runs += Filter.highlight(item.detail, query: query, .muted)
      }
      return runs
    }
  }

  /// The place in `items` of the one under the pointer.
  package func index(at point: Point, in area: Rect) -> Int? {
    let matching = matching
    return List(count: matching.count, scroll: scroll).index(at: point, in: area).map { matching[$0] }
  }
}
