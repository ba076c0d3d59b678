import Interface

/// The filter of the Layers pane: what holds, what is being typed, and what was typed before in this session.
struct LayerFilter: Sendable {
  /// The query that the rows match: what is typed, as far as it can be read.
  private(set) var query = ""
  /// While it is typed.
  private(set) var field: TextField?
  /// What is wrong with what is typed.
  private(set) var problem: String?
  /// Queries that were accepted, newest last.
  private var history: [String] = []
  /// The place in the history that is recalled, and what had been typed before.
  private var recalled: (place: Int, typed: String)?

  /// What became of a key.
  enum Answer: Equatable {
    case ignored
    /// The rows stay.
    case done
    case changed
    /// The filter is to go.
    case givenUp
    /// Ask which field to put in.
    case chooseField
  }

  /// Starts typing: at the end of what holds, with more behind it.
  mutating func edit(adding addition: String = "") {
    var text = field?.text ?? query
    if !addition.isEmpty, !text.isEmpty, !text.hasSuffix(" ") { text += " " }
    field = TextField(text + addition)
    recalled = nil
    _ = read()
  }

  mutating func clear() {
    query = ""
    stop()
  }

  private mutating func stop() {
    field = nil
    problem = nil
    recalled = nil
  }

  mutating func handle(_ key: Key) -> Answer {
    guard var editing = field else { return .ignored }
    switch key {
    case .escape:
      stop()
      return .givenUp
    case .enter:
      // What cannot be read stays to be mended.
      guard problem == nil else { return .done }
      if !query.isEmpty {
        history.removeAll { $0 == query }
        history.append(query)
      }
      stop()
      return .done
    case .tab: return .chooseField
    case .up: return recall(-1)
    case .down: return recall(1)
    default:
      guard editing.handle(key) else { return .ignored }
      field = editing
      recalled = nil
      return read()
    }
  }

  private mutating func recall(_ by: Int) -> Answer {
    guard let field else { return .ignored }
    let typed = recalled?.typed ?? field.text
    let place = (recalled?.place ?? history.count) + by
    guard (0...history.count).contains(place) else { return .done }
    self.field = TextField(place == history.count ? typed : history[place])
    recalled = (place, typed)
    return read()
  }

  /// Takes over what is typed, where it can be read.
  private mutating func read() -> Answer {
    var text = field?.text ?? ""
    do throws(LayerQuery.Problem) {
      _ = try LayerQuery(text)
      problem = nil
    } catch {
      problem = error.text
      text = error.before
    }
    defer { query = text }
    return text == query ? .done : .changed
  }

  /// Plain words of the query, for highlighting.
  var words: String { (try? LayerQuery(query))?.words ?? "" }

  // MARK: Drawing

  private func lines(width: Int) -> [String] {
    problem.map { Fitting.wrap($0, to: Swift.max(width, 1)) } ?? []
  }

  /// Rows below the table while it is typed.
  func height(in area: Rect) -> Int {
    field == nil ? 0 : Swift.min(1 + lines(width: area.width).count, Swift.max(area.height - 2, 0))
  }

  private static let placeholders = [
    "word /regex/ !not op:Conv bits<8 size>10k  tab: fields", "word /regex/ op:Conv bits<8  tab: fields",
    "op:Conv bits<8  tab: fields",
  ]

  /// The field with the number of matches behind it, and what is wrong below; on the last rows of `area`.
  func draw(on canvas: inout Canvas, in area: Rect, matches: String) {
    let height = height(in: area)
    guard let field, height > 0 else { return }
    let row = Rect(x: area.x, y: area.maxY - height, width: area.width, height: 1)
    canvas.put("/", x: row.x, y: row.y, width: 1, .key)
    let count = CharacterWidth.of(matches)
    let room = row.width - 1 - count - 1
    let inside = Rect(x: row.x + 1, y: row.y, width: room >= 8 ? room : row.width - 1, height: 1)
    let placeholder = Self.placeholders.first { CharacterWidth.of($0) < inside.width }
    field.draw(on: &canvas, in: inside, placeholder: placeholder ?? "")
    if room >= 8 {
      canvas.put(matches, x: row.maxX - count, y: row.y, width: count, problem == nil ? .info : .muted)
    }
    for (index, line) in lines(width: area.width).prefix(height - 1).enumerated() {
      canvas.put(line, x: row.x, y: row.y + 1 + index, width: row.width, .bad)
    }
  }
}
