import Interface
import Workbench

/// Asks for one line of text.
package struct TextDialog: Overlay {
  package var title: String
  private var field: TextField
  private let placeholder: String
  private let takesNothing: Bool
  private let outputs: @Sendable (String) -> [PaneOutput]

  /// - Parameters:
  ///   - takesNothing: whether no text is an answer too.
  ///   - outputs: what the text does; called with text that is not empty, unless nothing is taken too.
  package init(
    title: String, text: String = "", placeholder: String = "", takesNothing: Bool = false,
    outputs: @escaping @Sendable (String) -> [PaneOutput]
  ) {
    self.title = title
    field = TextField(text)
    self.placeholder = placeholder
    self.takesNothing = takesNothing
    self.outputs = outputs
  }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    switch input {
    case .key(.escape), .key(.control("c")): return [.close]
    case .key(.enter): return field.text.isEmpty && !takesNothing ? [.close] : [.close] + outputs(field.text)
    case .key(let key):
      _ = field.handle(key)
      return []
    case .paste(let text):
      field.insert(text)
      return []
    default: return []
    }
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = Dialog(
      title: title, hints: [Run("enter", .key), Run(" accept  "), Run("esc", .key), Run(" cancel")],
      size: Size(width: 64, height: 3)
    ).draw(on: &canvas, in: screen)
    field.draw(on: &canvas, in: inside, placeholder: placeholder)
  }
}
