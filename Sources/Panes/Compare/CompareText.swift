import Interface
import Workbench

/// What float32 and the candidates write behind a prompt, side by side; words that float32 has not stand out.
struct CompareText {
  private let shown: [ShownContinuation]
  private let prompt: String
  private let keys: KeyLabels
  let scroll: Scroll

  /// Fewest columns of a text that can be read.
  private static let narrowest = 28
  private static let gap = 2

  init(_ state: State, scroll: Scroll) {
    shown = state.shownContinuations
    prompt = state.continuations.prompt
    keys = state.keys
    self.scroll = scroll
  }

  /// Lines of the longest text, to scroll over.
  func lineCount(width: Int) -> Int { columns(width: width).map(\.count).max() ?? 0 }

  func draw(on canvas: inout Canvas, in area: Rect) {
    guard !prompt.isEmpty else {
      let hint =
        "No text yet: \(keys["compare.prompt"]) takes the beginning of one, and float32 and every candidate continue it."
      for (row, line) in Fitting.wrap(hint, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
      return
    }
    let columns = columns(width: area.width)
    let width = columnWidth(columns.count, of: area.width)
    let rows = Swift.max(area.height - 1, 0)
    let from = Swift.min(scroll.cursor, Swift.max((columns.map(\.count).max() ?? 0) - rows, 0))
    for (place, lines) in columns.enumerated() {
      let x = area.x + place * (width + Self.gap)
      canvas.put(heading(shown[place], width: width), x: x, y: area.y, width: width)
      for (row, line) in lines.dropFirst(from).prefix(rows).enumerated() {
        canvas.put(line, x: x, y: area.y + 1 + row, width: width)
      }
    }
  }

  /// All of it as text, one below the other.
  var text: String {
    shown.map { one in
      let answer = one.continuation.map { prompt + $0.text } ?? "(\(state(one)))"
      return "\(one.title)\(speed(one).map { " · \($0)" } ?? "")\n\(answer)"
    }.joined(separator: "\n\n")
  }

  private func columnWidth(_ count: Int, of width: Int) -> Int {
    count < 1 ? width : (width - Self.gap * (count - 1)) / count
  }

  /// As many texts as fit, float32 and the current candidate first.
  private func columns(width: Int) -> [[[Run]]] {
    let count = Swift.max(Swift.min((width + Self.gap) / (Self.narrowest + Self.gap), shown.count), 1)
    let each = columnWidth(count, of: width)
    let reference = shown.first?.continuation.map { Self.words($0.text) }
    return shown.prefix(count).enumerated().map { place, one in
      guard let answer = one.continuation else {
        return Fitting.wrap(state(one), to: each).map { [Run($0, .muted)] }
      }
      let words = Self.words(answer.text)
      let common = place == 0 || reference == nil ? nil : Self.common(words, reference ?? [])
      var styled = Self.words(prompt).map { ($0, Style.muted) }
      for (index, word) in words.enumerated() {
        styled.append((word, common?.contains(index) ?? true ? .text : .warn))
      }
      if !answer.isWhole { styled.append(("…", .muted)) }
      return Self.lines(styled, width: each)
    }
  }

  private func heading(_ one: ShownContinuation, width: Int) -> [Run] {
    let speed = speed(one)
    let room = width - (speed.map { CharacterWidth.of($0) + 2 } ?? 0)
    return [Run(Fitting.cut(one.title, to: Swift.max(room, 1)), .header)]
      + (speed.map { [Run("  \($0)", .muted)] } ?? [])
  }

  private func speed(_ one: ShownContinuation) -> String? {
    one.continuation?.tokensPerSecond.map { "\(Numbers.significant($0)) tok/s" }
  }

  private func state(_ one: ShownContinuation) -> String {
    switch one.status {
    case .waiting: "writing …"
    case .failed(let message): message
    case .notAsked, .done: "\(keys["compare.prompt"]) lets it continue."
    }
  }

  /// Words, and line breaks as words of their own.
  private static func words(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return Array(
      lines.map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }.joined(separator: ["\n"]))
  }

  /// The words of `a` that belong to a longest common subsequence with `b`.
  static func common(_ a: [String], _ b: [String]) -> Set<Int> {
    let width = b.count + 1
    var lengths = [Int](repeating: 0, count: (a.count + 1) * width)
    for i in a.indices.reversed() {
      for j in b.indices.reversed() {
        lengths[i * width + j] =
          a[i] == b[j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Swift.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1])
      }
    }
    var (i, j, result) = (0, 0, Set<Int>())
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        result.insert(i)
        (i, j) = (i + 1, j + 1)
      } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return result
  }

  private static func lines(_ words: [(text: String, style: Style)], width: Int) -> [[Run]] {
    var lines: [[Run]] = [[]]
    var used = 0
    for word in words {
      if word.text == "\n" {
        lines.append([])
        used = 0
        continue
      }
      for (part, text) in Fitting.wrap(word.text, to: width).enumerated() {
        let length = CharacterWidth.of(text)
        if part > 0 || (used > 0 && used + 1 + length > width) {
          lines.append([])
          used = 0
        }
        if used > 0 {
          lines[lines.count - 1].append(Run(" "))
          used += 1
        }
        lines[lines.count - 1].append(Run(text, word.style))
        used += length
      }
    }
    return lines
  }
}
