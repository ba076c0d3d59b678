import Interface
import Workbench

/// Asks where a pane's text is written.
package struct WriteDialog: CommandedOverlay {
  package let title: String
  private let text: String
  private let what: String
  private var path: PathText

  /// - Parameter what: the pane's title.
  package init(what: String, text: String, _ state: State) {
    title = "Write as text: \(what)"
    self.text = text
    self.what = what
    path = PathText(
      base: state.files.working, home: state.files.home, field: TextField("lathe-\(what.lowercased()).txt"))
  }

  package enum Step: Sendable { case write, complete, close }

  package static let commands = CommandTable<OverlayContext<WriteDialog>, Step>([
    Command(
      "write.write", keys: [.enter], title: "write",
      explanation: "Write the file; asks before one that is there is replaced.", group: "Write", hint: 1,
      action: .write, availability: { .when(!$0.dialog.path.name.isEmpty, else: "The file needs a name.") }),
    Command(
      "write.complete", keys: [.tab], title: "complete",
      explanation: "Type the rest of the path, as far as it is clear.", group: "Write", hint: 2,
      action: .complete),
    Command(
      "write.close", keys: [.escape, .control("c")], title: "cancel",
      explanation: "Close and write nothing.", group: "Write", hint: 9, action: .close),
  ])

  /// The folder whose names complete the path.
  package var folder: String { path.folder }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = folder
    switch step {
    case .close: return [.close]
    case .complete: _ = path.complete(state.files.listings[folder])
    case .write:
      let file = path.field.text.hasPrefix("~") ? path.path : path.field.text
      return [.close, .act(.writeText(TextFile(path: file, text: text, what: what)))]
    }
    return before == folder ? [] : [.act(.list(folder))]
  }

  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = folder
    _ = path.field.handle(key)
    return before == folder ? [] : [.act(.list(folder))]
  }

  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = folder
    path.field.insert(text)
    return before == folder ? [] : [.act(.list(folder))]
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = Dialog(title: title, hints: hints(state), size: Size(width: 72, height: 4))
      .draw(on: &canvas, in: screen)
    path.field.draw(on: &canvas, in: inside.row(0), placeholder: "path")
    let row = inside.row(1)
    var status = OpenDialog.status(folder, state, width: row.width - 36)
    if let entry = state.files.listings[folder]?.entries.first(where: { $0.name == path.name }) {
      status.append(
        Run(entry.kind == .folder ? "  is a folder" : "  is there already: y will be asked", .warn))
    }
    canvas.put(status, x: row.x, y: row.y, width: row.width)
  }
}
