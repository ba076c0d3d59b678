import Interface
import Workbench

/// Asks before something that cannot be undone: `y` does it, everything else does not.
package struct ConfirmDialog: CommandedOverlay {
  package var title: String
  private let lines: [String]
  private let outputs: [PaneOutput]

  package init(title: String, lines: [String], outputs: [PaneOutput]) {
    self.title = title
    self.lines = lines
    self.outputs = outputs
  }

  package enum Step: Sendable { case yes, no }

  package static let commands = CommandTable<OverlayContext<ConfirmDialog>, Step>([
    // Enter is the safe one, so that no row of enters does what cannot be undone.
    Command(
      "confirm.no",
      keys: [.character("n"), .character("N"), .escape, .enter, .control("c"), .character("q")],
      title: "no", explanation: "Leave everything as it is.", group: "Question", hint: 1, action: .no),
    Command(
      "confirm.yes", keys: [.character("y"), .character("Y")], title: "yes", explanation: "Do it.",
      group: "Question", hint: 0, action: .yes),
  ])

  package var isTyping: Bool { false }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .yes: [.close] + outputs
    case .no: [.close]
    }
  }

  private func wrapped(_ screen: Rect) -> [String] {
    lines.flatMap { Fitting.wrap($0, to: Swift.max(Swift.min(64, screen.width) - 4, 1)) }
  }

  private func dialog(_ state: State, _ screen: Rect) -> Dialog {
    Dialog(
      title: title,
      size: Size(width: Swift.min(64, screen.width), height: wrapped(screen).count + 4))
  }

  /// The two answers, the safe one first.
  private func buttons(_ row: Rect) -> (no: Rect, yes: Rect) {
    (
      no: Rect(x: row.x, y: row.y, width: 6, height: 1),
      yes: Rect(x: row.x + 8, y: row.y, width: 7, height: 1)
    )
  }

  private func buttonRow(_ inside: Rect) -> Rect { inside.row(inside.height - 1) }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    guard case .press(.left) = mouse.kind else { return [] }
    let frame = dialog(state, screen).frame(in: screen)
    let buttons = buttons(buttonRow(frame.inset(left: 2, top: 1, right: 2, bottom: 1)))
    if buttons.yes.contains(mouse.at) { return update(.yes, state, screen: screen) }
    return buttons.no.contains(mouse.at) || !frame.contains(mouse.at) ? [.close] : []
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state, screen).draw(on: &canvas, in: screen)
    for (row, line) in wrapped(screen).enumerated() where row < inside.height - 2 {
      canvas.put(line, x: inside.x, y: inside.y + row, width: inside.width)
    }
    let buttons = buttons(buttonRow(inside))
    canvas.put([Run(" n", .key), Run(" no ")], x: buttons.no.x, y: buttons.no.y, width: buttons.no.width)
    canvas.put([Run(" y", .key), Run(" yes ")], x: buttons.yes.x, y: buttons.yes.y, width: buttons.yes.width)
    canvas.restyle(buttons.no) { $0.selected }
  }
}
