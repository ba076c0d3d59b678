import Interface
import Workbench

/// A list to choose from by arrows or by typing part of an entry: help, palette, presets, themes.
package struct MenuDialog: Overlay {
  package var title: String
  private var menu: Menu
  private var field = TextField()
  /// What choosing each item does, beside closing.
  private let outputs: [[PaneOutput]]
  /// What happens while the cursor is on an item, for previews.
  private let previews: [[PaneOutput]]
  /// What closing without a choice does.
  private let cancel: [PaneOutput]

  package init(
    title: String, items: [Menu.Item], outputs: [[PaneOutput]], previews: [[PaneOutput]] = [],
    cursor: Int = 0,
    cancel: [PaneOutput] = []
  ) {
    precondition(items.count == outputs.count, "one outcome for each item")
    self.title = title
    menu = Menu(items: items, scroll: Scroll(cursor: cursor))
    self.outputs = outputs
    self.previews = previews
    self.cancel = cancel
  }

  /// Commands as a menu that runs them.
  package init(title: String, commands: [CommandSummary]) {
    self.init(
      title: title, items: commands.map { Menu.Item($0) }, outputs: commands.map { [.run(id: $0.id)] })
  }

  private var dialog: Dialog {
    Dialog(
      title: title, hints: [Run("enter", .key), Run(" choose  "), Run("esc", .key), Run(" close")],
      size: Size(width: 92, height: Swift.min(menu.items.count + 4, 26)))
  }

  private func list(in screen: Rect) -> Rect {
    let frame = dialog.frame(in: screen)
    return frame.inset(left: 2, top: 3, right: 2, bottom: 1)
  }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    let visible = list(in: screen).height
    switch input {
    case .key(.escape), .key(.control("c")): return [.close] + cancel
    case .key(.enter): return choose()
    case .key(let key):
      // Letters type; only keys that are no letters move.
      if let motion = Scroll.motion(for: key), key.text == nil {
        menu.scroll.move(motion, count: menu.matching.count, visible: visible)
        return preview()
      }
      guard field.handle(key) else { return [] }
      return typed()
    case .paste(let text):
      field.insert(text)
      return typed()
    case .mouse(let mouse): return handle(mouse, screen: screen)
    default: return []
    }
  }

  private mutating func typed() -> [PaneOutput] {
    menu.query = field.text
    menu.scroll = Scroll()
    return preview()
  }

  private mutating func handle(_ mouse: Mouse, screen: Rect) -> [PaneOutput] {
    let area = list(in: screen)
    switch mouse.kind {
    case .wheelUp: menu.scroll.move(.by(-3), count: menu.matching.count, visible: area.height)
    case .wheelDown: menu.scroll.move(.by(3), count: menu.matching.count, visible: area.height)
    case .press(.left):
      guard dialog.frame(in: screen).contains(mouse.at) else { return [.close] + cancel }
      guard let item = menu.index(at: mouse.at, in: area) else { return [] }
      if item == menu.selected { return choose() }
      menu.scroll.move(
        .to(menu.matching.firstIndex(of: item) ?? 0), count: menu.matching.count, visible: area.height)
    default: return []
    }
    return preview()
  }

  private func choose() -> [PaneOutput] {
    guard let index = menu.selected else { return [] }
    if let reason = menu.items[index].reason { return [.toast(Toast(.warn, reason))] }
    return [.close] + outputs[index]
  }

  private func preview() -> [PaneOutput] {
    guard let index = menu.selected, previews.indices.contains(index) else { return [] }
    return previews[index]
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog.draw(on: &canvas, in: screen)
    field.draw(on: &canvas, in: inside.row(0), placeholder: "type to search")
    menu.draw(on: &canvas, in: list(in: screen))
  }
}
