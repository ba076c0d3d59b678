import Interface
import Workbench
import Workflows

/// Browses folders for a model, a recipe or data; models opened before are on top.
package struct OpenDialog: CommandedOverlay {
  package var title: String { "Open a model, a recipe or data" }
  private var path: PathText
  private var scroll = Scroll()

  package init(_ state: State) {
    let model = state.project?.model.path ?? ""
    let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? ""
    path = PathText(
      base: folder.hasPrefix("/") ? folder : state.files.working + "/" + folder, home: state.files.home,
      field: TextField())
  }

  /// The folder whose entries are shown.
  package var folder: String { path.folder }

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case open
    case complete
    case close
  }

  package static let commands = CommandTable<OverlayContext<OpenDialog>, Step>(
    Motions.inDialog("open") { .move($0) } + [
      Command(
        "open.open", keys: [.enter], title: "open",
        explanation: "Go into the folder, or open the file as what it is.", group: "Open", hint: 1,
        action: .open,
        availability: { context in
          .when(
            context.dialog.choice(context.state) != nil || !context.dialog.path.name.isEmpty,
            else: "There is nothing to open here.")
        }),
      Command(
        "open.complete", keys: [.tab], title: "complete",
        explanation: "Type the rest of the name, as far as it is clear.", group: "Open", hint: 2,
        action: .complete),
      Command(
        "open.close", keys: [.escape, .control("c")], title: "close", explanation: "Close and open nothing.",
        group: "Open", hint: 9, action: .close),
    ])

  /// A line of the list.
  private enum Row: Hashable {
    case recent(OpenRequest)
    case above
    case entry(FolderListing.Entry)
  }

  /// Recent models that are shown while nothing is typed.
  private static let recentRows = 4

  private func rows(_ state: State) -> [Row] {
    let entries = state.files.listings[folder]?.entries.filter { $0.kind != .other && path.isSeen($0) } ?? []
    let recent = state.files.recent
    let name = path.name
    guard !name.isEmpty else {
      return (path.hasFolder ? [] : recent.prefix(Self.recentRows).map { .recent($0) })
        + (folder == "/" ? [] : [.above]) + entries.map { .entry($0) }
    }
    func ranked<T>(_ items: [T], _ text: (T) -> String) -> [T] {
      items.enumerated().compactMap { place, item in
        FuzzyMatch(name, in: text(item)).map { (score: $0.score, place: place, item: item) }
      }.sorted { ($1.score, $0.place) < ($0.score, $1.place) }.map(\.item)
    }
    return ranked(entries) { $0.name }.map { .entry($0) }
      + (path.hasFolder ? [] : ranked(recent) { $0.model }.map { .recent($0) })
  }

  /// What enter opens: what is typed whole, else what is under the cursor.
  private func choice(_ state: State) -> Row? {
    let rows = rows(state)
    let whole = state.files.listings[folder]?.entries.first { $0.name == path.name }
    return whole.map { .entry($0) }
      ?? (rows.isEmpty ? nil : rows[scroll.settled(count: rows.count, visible: 1).cursor])
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .close: return [.close]
    case .move(let motion):
      scroll.move(motion, count: rows(state).count, visible: list(screen).height)
      return []
    case .complete:
      let before = folder
      let isCompleted = path.complete(state.files.listings[folder]) { $0.kind != .other }
      if !isCompleted, case .entry(let entry)? = choice(state), !path.name.isEmpty {
        path.take(entry)
      }
      return moved(from: before)
    case .open:
      let before = folder
      switch choice(state) {
      case .recent(let request)?: return [.close, .openModel(request)]
      case .above?: path.goUp()
      case .entry(let entry)? where entry.kind == .folder: path.take(entry)
      case .entry(let entry)?: return [.close, .act(.openFile(folder + "/" + entry.name))]
      case nil: return [.close, .act(.openFile(path.path))]
      }
      return moved(from: before)
    }
  }

  /// The folder is read when it is another one.
  private mutating func moved(from before: String) -> [PaneOutput] {
    // Behind a folder the first row goes back up; the cursor starts below it.
    scroll = Scroll(cursor: path.hasFolder && path.name.isEmpty ? 1 : 0)
    return before == folder ? [] : [.act(.list(folder))]
  }

  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = (folder, path.field.text)
    _ = path.field.handle(key)
    return before.1 == path.field.text ? [] : moved(from: before.0)
  }

  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = folder
    path.field.insert(text)
    return moved(from: before)
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    let shown = List(count: rows(state).count, scroll: scroll)
    switch ListClick(
      mouse, frame: dialog(state).frame(in: screen), cursor: scroll.cursor,
      row: shown.index(at: mouse.at, in: list(screen)))
    {
    case .move(let motion): return update(.move(motion), state, screen: screen)
    case .choose: return update(.open, state, screen: screen)
    case .close: return [.close]
    case nil: return []
    }
  }

  private static let size = Size(width: 84, height: 26)

  private func dialog(_ state: State) -> Dialog { Dialog(title: title, hints: hints(state), size: Self.size) }

  private func list(_ screen: Rect) -> Rect {
    screen.centered(Self.size).inset(left: 2, top: 4, right: 2, bottom: 1)
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    path.field.draw(on: &canvas, in: inside.row(0), placeholder: "type a name or a path")
    let place = inside.row(1)
    canvas.put(Self.status(folder, state, width: place.width), x: place.x, y: place.y, width: place.width)
    let rows = rows(state)
    let list = list(screen)
    if rows.isEmpty {
      let isRead = state.files.listings[folder] != nil
      canvas.put(
        path.name.isEmpty || !isRead ? "" : "Nothing here is named like that; enter tries it as a path.",
        x: list.x,
        y: list.y, width: list.width, .muted)
    }
    List(count: rows.count, scroll: scroll).draw(on: &canvas, in: list) { row in
      Self.line(rows[row], name: path.name, width: list.width)
    }
  }

  /// The folder, and what is wrong with it or goes on.
  static func status(_ folder: String, _ state: State, width: Int) -> [Run] {
    let listing = state.files.listings[folder]
    let words: Run? =
      listing?.failure.map { Run(" \($0)", .bad) }
      ?? (listing == nil && state.files.asked.contains(folder) ? Run(" is being read …", .info) : nil)
    let room = width - (words.map { CharacterWidth.of($0.text) } ?? 0)
    return [Run(Fitting.cutMiddle(folder, to: Swift.max(room, 8)), .muted)] + (words.map { [$0] } ?? [])
  }

  private static func line(_ row: Row, name: String, width: Int) -> [Run] {
    let (text, kind, note): (String, String, String)
    switch row {
    case .recent(let request):
      (text, kind) = (request.model, "recent")
      note = request.data.map { String($0.split(separator: "/").last ?? "") } ?? ""
    case .above: (text, kind, note) = ("..", "folder", "")
    case .entry(let entry):
      text = entry.name + (entry.kind == .folder ? "/" : "")
      (kind, note) = (entry.kind.rawValue, entry.bytes.map { Numbers.bytes($0) } ?? "")
    }
    let right = " " + Fitting.pad(kind, to: 7) + Fitting.pad(note, to: 14, align: .right)
    let room = Swift.max(width - CharacterWidth.of(right), 4)
    let shown = Fitting.cutMiddle(text, to: room)
    let places = FuzzyMatch(name, in: shown)?.places ?? []
    let blank = String(repeating: " ", count: Swift.max(room - CharacterWidth.of(shown), 0))
    return FuzzyMatch.highlight(shown, Set(places), kind == "folder" ? .header : .text) + [
      Run(blank + right, .muted)
    ]
  }
}
