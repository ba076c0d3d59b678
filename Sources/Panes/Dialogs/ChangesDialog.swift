import Interface
import Workbench

/// The changes made and taken back, by name; going to one does or takes back all between.
package struct ChangesDialog: CommandedOverlay {
  package var title: String { "Changes" }
  /// The row under the cursor: how many changes are done there.
  private var scroll: Scroll

  package init(_ state: State) { scroll = Scroll(cursor: state.history.done.count) }

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case go
    case undo
    case redo
    case close
  }

  package static let commands = CommandTable<OverlayContext<ChangesDialog>, Step>(
    Motions.inDialog("changes", letters: true) { .move($0) } + [
      Command(
        "changes.go", keys: [.enter, .space], title: "go there",
        explanation: "Make everything as it was after the change under the cursor.", group: "Changes",
        hint: 1,
        action: .go,
        availability: { context in
          .when(
            context.dialog.row(context.state) != context.state.history.done.count,
            else: "Everything is as it was then.")
        }),
      Command(
        "changes.undo", keys: [.character("z")], title: "undo", explanation: "Take the last change back.",
        group: "Changes", hint: 2, action: .undo,
        availability: { .when(!$0.state.history.done.isEmpty, else: "There is nothing to undo.") }),
      Command(
        "changes.redo", keys: [.character("Z"), .control("r")], title: "redo",
        explanation: "Do again what was undone.", group: "Changes", hint: 3, action: .redo,
        availability: { .when(!$0.state.history.undone.isEmpty, else: "There is nothing to redo.") }),
      Command(
        "changes.close", keys: [.escape, .control("c"), .character("q")], title: "close",
        explanation: "Close the list.", group: "Changes", hint: 9, action: .close),
    ])

  package var isTyping: Bool { false }

  private func row(_ state: State) -> Int {
    scroll.settled(count: state.history.titles.count + 1, visible: 1).cursor
  }

  private func dialog(_ state: State) -> Dialog {
    Dialog(
      title: title, hints: hints(state),
      size: Size(width: 72, height: Swift.min(Swift.max(state.history.titles.count + 3, 8), 30)))
  }

  private func list(_ state: State, _ screen: Rect) -> Rect {
    dialog(state).frame(in: screen).inset(left: 2, top: 1, right: 2, bottom: 1)
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    let count = state.history.titles.count + 1
    let visible = list(state, screen).height
    switch step {
    case .move(let motion):
      scroll.move(motion, count: count, visible: visible)
      return []
    case .go: return [.act(.travel(to: row(state)))]
    case .undo:
      scroll.move(.to(state.history.done.count - 1), count: count, visible: visible)
      return [.act(.undo)]
    case .redo:
      scroll.move(.to(state.history.done.count + 1), count: count, visible: visible)
      return [.act(.redo)]
    case .close: return [.close]
    }
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    let shown = List(count: state.history.titles.count + 1, scroll: scroll)
    switch ListClick(
      mouse, frame: dialog(state).frame(in: screen), cursor: row(state),
      row: shown.index(at: mouse.at, in: list(state, screen)))
    {
    case .move(let motion): return update(.move(motion), state, screen: screen)
    case .choose: return run(id: "changes.go", state, screen: screen)
    case .close: return [.close]
    case nil: return []
    }
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    let titles = state.history.titles
    let done = state.history.done.count
    List(count: titles.count + 1, scroll: scroll).draw(on: &canvas, in: inside) { row in
      let isDone = row <= done
      let title = row == 0 ? "as it was opened" : titles[row - 1]
      let number = Fitting.pad(row == 0 ? "" : "\(row)", to: 4, align: .right)
      return [
        Run(row == done ? "▸ " : "  ", .key), Run(number + " ", .muted),
        Run(isDone ? "● " : "○ ", isDone ? .good : .muted), Run(title, isDone ? .text : .muted),
      ] + (row == done ? [Run("  now", .key)] : isDone ? [] : [Run("  undone", .muted)])
    }
  }
}
