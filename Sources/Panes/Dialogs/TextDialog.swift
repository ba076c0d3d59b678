import Interface
import Workbench

/// Asks for one line of text.
package struct TextDialog: CommandedOverlay {
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

  package enum Step: Sendable { case accept, close }

  package static let commands = CommandTable<OverlayContext<TextDialog>, Step>([
    Command(
      "text.accept", keys: [.enter], title: "accept", explanation: "Take the text as it is.", group: "Text",
      hint: 0, action: .accept,
      availability: {
        .when(
          !$0.dialog.field.text.isEmpty || $0.dialog.takesNothing, else: "Nothing is typed; esc closes.")
      }),
    Command(
      "text.close", keys: [.escape, .control("c")], title: "cancel", explanation: "Close and change nothing.",
      group: "Text", hint: 9, action: .close),
  ])

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .accept: [.close] + outputs(field.text)
    case .close: [.close]
    }
  }

  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] {
    _ = field.handle(key)
    return []
  }

  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] {
    field.insert(text)
    return []
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = Dialog(title: title, hints: hints(state), size: Size(width: 64, height: 3))
      .draw(on: &canvas, in: screen)
    field.draw(on: &canvas, in: inside, placeholder: placeholder)
  }
}
