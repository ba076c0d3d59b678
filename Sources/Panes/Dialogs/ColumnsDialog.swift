import Interface
import Workbench

/// The columns of the table of layers: which are shown, and which one sorts.
package struct ColumnsDialog: CommandedOverlay {
  package var title: String { "Columns of the layers" }
  /// As the pane has them; what changes here is asked of the pane too.
  private var columns: LayerColumns
  private var sort: LayerSort
  private var scroll = Scroll()

  init(columns: LayerColumns, sort: LayerSort) {
    self.columns = columns
    self.sort = sort
  }

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case toggle
    case sort
    case close
  }

  package static let commands = CommandTable<OverlayContext<ColumnsDialog>, Step>(
    [
      Command(
        "columns.toggle", keys: [.space, .enter], title: "show/hide",
        explanation: "Show or hide the column under the cursor.", group: "Columns", hint: 1, action: .toggle,
        availability: { .when($0.dialog.scroll.cursor > 0, else: "The name is always shown.") }),
      Command(
        "columns.sort", keys: [.character("o")], title: "sort, again: reverse",
        explanation: "Order the layers by the column under the cursor, and again the other way.",
        group: "Columns", hint: 2, action: .sort,
        availability: {
          let column = LayerColumn.all[$0.dialog.scroll.cursor]
          return .when(column.sort != nil, else: "\(column.title) has no order.")
        }),
      Command(
        "columns.close", keys: [.escape, .control("c"), .character("q"), .character("C")], title: "close",
        explanation: "Close the list.", group: "Columns", hint: 9, action: .close),
    ] + Motions.inDialog("columns", letters: true) { .move($0) })

  package var isTyping: Bool { false }

  private func dialog(_ state: State) -> Dialog {
    Dialog(title: title, hints: hints(state), size: Size(width: 86, height: LayerColumn.all.count + 2))
  }

  private func list(_ state: State, in screen: Rect) -> Rect {
    dialog(state).frame(in: screen).inset(left: 2, top: 1, right: 2, bottom: 1)
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .move(let motion):
      scroll.move(motion, count: LayerColumn.all.count, visible: list(state, in: screen).height)
      return []
    case .toggle: return toggle()
    case .sort: return sortHere()
    case .close: return [.close]
    }
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    let shown = List(count: LayerColumn.all.count, scroll: scroll)
    switch ListClick(
      mouse, frame: dialog(state).frame(in: screen), cursor: scroll.cursor,
      row: shown.index(at: mouse.at, in: list(state, in: screen)))
    {
    case .move(let motion): return update(.move(motion), state, screen: screen)
    case .choose: return run(id: "columns.toggle", state, screen: screen)
    case .close: return [.close]
    case nil: return []
    }
  }

  private mutating func toggle() -> [PaneOutput] {
    let column = LayerColumn.all[scroll.cursor]
    columns.toggle(column.id)
    return [.run(id: "layers.column-\(column.id)")]
  }

  private mutating func sortHere() -> [PaneOutput] {
    let column = LayerColumn.all[scroll.cursor]
    sort.choose(column.id)
    return [.run(id: "layers.sort-\(column.id)")]
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    _ = dialog(state).draw(on: &canvas, in: screen)
    let width = LayerColumn.all.map { CharacterWidth.of($0.title) }.max() ?? 0
    List(count: LayerColumn.all.count, scroll: scroll).draw(on: &canvas, in: list(state, in: screen)) { row in
      let column = LayerColumn.all[row]
      let isShown = columns.isShown(column)
      let arrow = sort.column == column.id ? sort.isDescending ? "▾" : "▴" : " "
      return [
        Run(isShown ? "[x] " : "[ ] ", isShown ? .key : .muted),
        Run(Fitting.pad(column.title, to: width), isShown ? .text : .muted), Run(" \(arrow) ", .key),
        Run(column.explanation, .muted),
      ]
    }
  }
}
