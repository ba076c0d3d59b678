/// Where text stands in a field that is wider.
package enum Alignment: Hashable, Sendable {
  case left, right, center

  /// Columns before the text when `room` columns are free.
  package func offset(in room: Int) -> Int {
    switch self {
    case .left: 0
    case .right: max(0, room)
    case .center: max(0, room / 2)
    }
  }
}

/// Making text fit a number of columns.
package enum Fitting {
  package static let ellipsis = "…"

  /// The text, cut so that it takes at most `width` columns; where it is cut it ends in `…`.
  package static func cut(_ text: String, to width: Int) -> String {
    if text.utf8.count <= width { return text }
    guard width > 0 else { return "" }
    if CharacterWidth.of(text) <= width { return text }
    return prefix(of: text, columns: width - 1) + ellipsis
  }

  /// The text, cut in the middle, for names whose end says most: `layer1…conv2`.
  package static func cutMiddle(_ text: String, to width: Int) -> String {
    if text.utf8.count <= width || CharacterWidth.of(text) <= width { return text }
    guard width > 4 else { return cut(text, to: width) }
    let tail = (width - 1) / 2
    let reversed = String(text.reversed())
    return prefix(of: text, columns: width - 1 - tail) + ellipsis
      + String(prefix(of: reversed, columns: tail).reversed())
  }

  package static func cut(_ runs: [Run], to width: Int) -> [Run] {
    if Fitting.width(of: runs) <= width { return runs }
    guard width > 0 else { return [] }
    var room = width - 1
    var result: [Run] = []
    for run in runs {
      let columns = CharacterWidth.of(run.text)
      if columns <= room {
        result.append(run)
        room -= columns
        continue
      }
      result.append(Run(prefix(of: run.text, columns: room) + ellipsis, run.style))
      break
    }
    return result
  }

  package static func width(of runs: [Run]) -> Int { runs.reduce(0) { $0 + CharacterWidth.of($1.text) } }

  /// The text with blanks to exactly `width` columns, cut where it is longer.
  package static func pad(_ text: String, to width: Int, align: Alignment = .left) -> String {
    let fitted = cut(text, to: width)
    let room = max(0, width - CharacterWidth.of(fitted))
    let before = align.offset(in: room)
    return String(repeating: " ", count: before) + fitted + String(repeating: " ", count: room - before)
  }

  /// Lines of at most `width` columns, broken at blanks where possible; line breaks in the text are kept.
  package static func wrap(_ text: String, to width: Int) -> [String] {
    guard width > 0 else { return [] }
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = ""
      for word in paragraph.split(separator: " ") {
        var rest = String(word)
        if !line.isEmpty && CharacterWidth.of(line) + 1 + CharacterWidth.of(rest) <= width {
          line += " " + rest
          continue
        }
        if !line.isEmpty { lines.append(line) }
        while CharacterWidth.of(rest) > width {
          var head = prefix(of: rest, columns: width)
          if head.isEmpty { head = String(rest.prefix(1)) }
          lines.append(head)
          rest.removeFirst(head.count)
        }
        line = rest
      }
      // A word that was broken may have ended exactly at the edge.
      if !line.isEmpty || paragraph.isEmpty { lines.append(line) }
    }
    return lines
  }

  /// Groups of runs in as few lines as they fit in, two columns apart; a group is broken only where it is wider than
  /// the line.
  package static func flow(_ groups: [[Run]], to width: Int) -> [[Run]] {
    var lines: [[Run]] = []
    for group in groups {
      if let last = lines.last, Fitting.width(of: last) + 2 + Fitting.width(of: group) <= width {
        lines[lines.count - 1] += [Run("  ")] + group
      } else if let run = group.first, group.count == 1, Fitting.width(of: group) > width {
        lines += Fitting.wrap(run.text, to: width).map { [Run($0, run.style)] }
      } else {
        lines.append(group)
      }
    }
    return lines
  }

  /// As many whole characters as fit.
  package static func prefix(of text: String, columns: Int) -> String {
    var room = columns
    var result = ""
    for character in text {
      let width = CharacterWidth.of(character)
      if width > room { break }
      room -= width
      result.append(character)
    }
    return result
  }
}
