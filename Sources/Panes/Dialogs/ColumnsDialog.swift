import Interface
import Workbench

/// The columns of the table of layers: which are shown, and which one sorts.
struct ColumnsDialog: Overlay {
  let title = "Columns of the layers"
  /// As the pane has them; what changes here is asked of the pane too.
  private var columns: LayerColumns
  private var sort: LayerSort
  private var scroll = Scroll()

  init(columns: LayerColumns, sort: LayerSort) {
    self.columns = columns
    self.sort = sort
  }

  private var dialog: Dialog {
    Dialog(
      title: title,
      hints: [
        Run("space", .key), Run(" show/hide  "), Run("o", .key), Run(" sort, again: reverse  "),
        Run("esc", .key), Run(" close"),
      ], size: Size(width: 86, height: LayerColumn.all.count + 2))
  }

  private func list(in screen: Rect) -> Rect {
    dialog.frame(in: screen).inset(left: 2, top: 1, right: 2, bottom: 1)
  }

  mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    let (count, area) = (LayerColumn.all.count, list(in: screen))
    switch input {
    case .key(.escape), .key(.control("c")), .key(.character("q")), .key(.character("C")): return [.close]
    case .key(.space), .key(.enter): return toggle()
    case .key(.character("o")): return sortHere()
    case .key(let key):
      if let motion = Scroll.motion(for: key) { scroll.move(motion, count: count, visible: area.height) }
    case .mouse(let mouse):
      switch mouse.kind {
      case .wheelUp: scroll.move(.by(-3), count: count, visible: area.height)
      case .wheelDown: scroll.move(.by(3), count: count, visible: area.height)
      case .press(.left):
        guard dialog.frame(in: screen).contains(mouse.at) else { return [.close] }
        guard let row = List(count: count, scroll: scroll).index(at: mouse.at, in: area) else { return [] }
        if row == scroll.cursor { return toggle() }
        scroll.move(.to(row), count: count, visible: area.height)
      default: break
      }
    default: break
    }
    return []
  }

  private mutating func toggle() -> [PaneOutput] {
    let column = LayerColumn.all[scroll.cursor]
    guard scroll.cursor > 0 else { return [.toast(Toast(.info, "The name is always shown."))] }
    columns.toggle(column.id)
    return [.run(id: "layers.column-\(column.id)")]
  }

  private mutating func sortHere() -> [PaneOutput] {
    let column = LayerColumn.all[scroll.cursor]
    guard column.sort != nil else {
      return [.toast(Toast(.info, "\(column.title) has no order."))]
    }
    sort.choose(column.id)
    return [.run(id: "layers.sort-\(column.id)")]
  }

  func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    _ = dialog.draw(on: &canvas, in: screen)
    let width = LayerColumn.all.map { CharacterWidth.of($0.title) }.max() ?? 0
    List(count: LayerColumn.all.count, scroll: scroll).draw(on: &canvas, in: list(in: screen)) { row in
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
