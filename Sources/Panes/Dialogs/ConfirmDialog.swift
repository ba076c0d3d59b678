import Interface
import Workbench

/// Asks before something that cannot be undone: `y` does it, everything else does not.
package struct ConfirmDialog: Overlay {
  package var title: String
  private let lines: [String]
  private let outputs: [PaneOutput]

  package init(title: String, lines: [String], outputs: [PaneOutput]) {
    self.title = title
    self.lines = lines
    self.outputs = outputs
  }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    switch input {
    case .key(.character("y")), .key(.character("Y")): return [.close] + outputs
    case .key(.escape), .key(.character("n")), .key(.character("N")), .key(.control("c")),
      .key(.character("q")):
      return [.close]
    default: return []
    }
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let width = Swift.min(64, screen.width)
    let wrapped = lines.flatMap { Fitting.wrap($0, to: Swift.max(width - 4, 1)) }
    let inside = Dialog(
      title: title, hints: [Run("y", .key), Run(" yes  "), Run("n", .key), Run(" no")],
      size: Size(width: width, height: wrapped.count + 2)
    ).draw(on: &canvas, in: screen)
    for (row, line) in wrapped.enumerated() where row < inside.height {
      canvas.put(line, x: inside.x, y: inside.y + row, width: inside.width)
    }
  }
}
