import Interface
import Workbench

/// A list to choose from by arrows or by typing part of an entry: help, palette, presets, themes.
package struct MenuDialog: CommandedOverlay {
  package var title: String
  private(set) var menu: Menu
  /// Rows with nothing typed; the dialog keeps its size while they get fewer.
  private let rowCount: Int
  private var field = TextField()
  /// What choosing each item does, beside closing.
  private let outputs: [[PaneOutput]]
  /// What happens while the cursor is on an item, for previews.
  private let previews: [[PaneOutput]]
  /// What closing without a choice does.
  private let cancel: [PaneOutput]

  package init(
    title: String, items: [Menu.Item], outputs: [[PaneOutput]], previews: [[PaneOutput]] = [],
    cursor: Int = 0, labels: Menu.LabelSide = .left, cancel: [PaneOutput] = []
  ) {
    precondition(items.count == outputs.count, "one outcome for each item")
    self.title = title
    menu = Menu(items: items, scroll: Scroll(cursor: cursor), labels: labels)
    rowCount = menu.rowCount
    self.outputs = outputs
    self.previews = previews
    self.cancel = cancel
  }

  /// Commands as a menu that runs them, under headings.
  package init(
    title: String, sections: [(title: String, commands: [CommandSummary])], labels: Menu.LabelSide = .left
  ) {
    let all = sections.flatMap { section in section.commands.map { (section.title, $0) } }
    self.init(
      title: title, items: all.map { Menu.Item($0.1, section: $0.0) },
      outputs: all.map { [.run(id: $0.1.id)] },
      labels: labels)
  }

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case choose
    case close
  }

  package static let commands = CommandTable<OverlayContext<MenuDialog>, Step>(
    Motions.inDialog("menu") { .move($0) } + [
      Command(
        "menu.choose", keys: [.enter], title: "choose", explanation: "Take what is under the cursor.",
        group: "List", hint: 1, action: .choose,
        availability: { context in
          guard let index = context.dialog.menu.selected else { return .unavailable("Nothing matches.") }
          return context.dialog.menu.items[index].reason.map { .unavailable($0) } ?? .available
        }),
      Command(
        "menu.close", keys: [.escape, .control("c")], title: "close",
        explanation: "Close and change nothing.",
        group: "List", hint: 9, action: .close),
    ])

  private func dialog(_ state: State) -> Dialog {
    Dialog(
      title: title, hints: hints(state),
      size: Size(width: 96, height: Swift.min(rowCount + 4 + (explains ? Self.explained + 1 : 0), 34)))
  }

  /// Whether entries have sentences, of which the one under the cursor is shown whole.
  private var explains: Bool { menu.items.contains { !$0.detail.isEmpty } }
  /// Rows for that sentence.
  private static let explained = 2

  private func list(in screen: Rect, _ state: State) -> Rect {
    let inside = dialog(state).frame(in: screen).inset(left: 2, top: 3, right: 2, bottom: 1)
    return explains && inside.height >= 8 ? inside.inset(bottom: Self.explained + 1) : inside
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .move(let motion):
      menu.move(motion, visible: list(in: screen, state).height)
      return preview()
    case .choose: return menu.selected.map { [.close] + outputs[$0] } ?? []
    case .close: return [.close] + cancel
    }
  }

  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] {
    let before = field.text
    guard field.handle(key), field.text != before else { return [] }
    return typed()
  }

  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] {
    field.insert(text)
    return typed()
  }

  private mutating func typed() -> [PaneOutput] {
    menu.query = field.text
    return preview()
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    let area = list(in: screen, state)
    switch ListClick(
      mouse, frame: dialog(state).frame(in: screen), cursor: menu.selected,
      row: menu.index(at: mouse.at, in: area))
    {
    case .move(.to(let item)): menu.select(item, visible: area.height)
    case .move(let motion): menu.move(motion, visible: area.height)
    case .choose: return run(id: "menu.choose", state, screen: screen)
    case .close: return [.close] + cancel
    case nil: return []
    }
    return preview()
  }

  private func preview() -> [PaneOutput] {
    guard let index = menu.selected, previews.indices.contains(index) else { return [] }
    return previews[index]
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    field.draw(on: &canvas, in: inside.row(0), placeholder: "type to search")
    let list = list(in: screen, state)
    menu.draw(on: &canvas, in: list)
    guard list.maxY < inside.maxY, let index = menu.selected else { return }
    let item = menu.items[index]
    canvas.horizontalLine(x: list.x, y: list.maxY, length: list.width)
    let words = (item.reason.map { [($0, Style.warn)] } ?? []) + [(item.detail, Style.text)]
    let rows = words.flatMap { words in Fitting.wrap(words.0, to: list.width).map { Run($0, words.1) } }
    for (offset, row) in rows.prefix(Self.explained).enumerated() {
      canvas.put([row], x: list.x, y: list.maxY + 1 + offset, width: list.width)
    }
    // The id is what the configuration's `keys:` names; it stands where the words leave room.
    let last = rows.count < Self.explained ? "" : rows[Self.explained - 1].text
    if !item.id.isEmpty, CharacterWidth.of(last) + 2 + CharacterWidth.of(item.id) <= list.width {
      canvas.put(item.id, x: list.x, y: list.maxY + Self.explained, width: list.width, .muted, align: .right)
    }
  }
}

extension MenuDialog {
  /// What can be found, by id, in the order of the list.
  package var listedIDs: [String] { menu.items.map(\.id) }
  /// The id of the entry under the cursor.
  package var chosenID: String? { menu.selected.map { menu.items[$0].id } }
  /// The keys shown of an entry.
  package func label(of id: String) -> String? { menu.items.first { $0.id == id }?.label }
}
