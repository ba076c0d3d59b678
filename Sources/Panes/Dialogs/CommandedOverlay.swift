import Interface
import Workbench

/// What availability of a dialog's command is judged by.
package struct OverlayContext<Dialog: Sendable>: Sendable {
  package var dialog: Dialog
  package var state: State
}

/// A dialog whose keys come from one table of commands; other keys type.
package protocol CommandedOverlay: Overlay {
  associatedtype Step: Sendable
  static var commands: CommandTable<OverlayContext<Self>, Step> { get }
  mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput]
  /// A key that no command has.
  mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput]
  mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput]
  mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput]
}

extension CommandedOverlay {
  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] { [] }
  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] { [] }
  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] { [] }

  package func summaries(_ state: State) -> [CommandSummary] {
    Self.commands.summaries(in: OverlayContext(dialog: self, state: state))
  }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    switch input {
    case .key(let key):
      let match = Self.commands.match(key, in: OverlayContext(dialog: self, state: state))
      if case .none = match { return type(key, state, screen: screen) }
      return perform(match, state, screen)
    case .paste(let text): return paste(text, state, screen: screen)
    case .mouse(let mouse): return handle(mouse, state, screen: screen)
    default: return []
    }
  }

  package mutating func run(id: String, _ state: State, screen: Rect) -> [PaneOutput] {
    perform(Self.commands.match(id: id, in: OverlayContext(dialog: self, state: state)), state, screen)
  }

  private mutating func perform(_ match: CommandMatch<Step>, _ state: State, _ screen: Rect) -> [PaneOutput] {
    switch match {
    case .none: []
    case .perform(let step): update(step, state, screen: screen)
    case .unavailable(let reason): [.toast(Toast(.warn, reason))]
    }
  }

  /// The keys that can be pressed, for the lower edge; neighbours with one title share it: `↑↓ move`.
  package func hints(_ state: State) -> [Run] {
    let shown = summaries(state).filter { $0.hint != nil && $0.availability == .available }
      .enumerated().sorted { ($0.element.hint ?? 0, $0.offset) < ($1.element.hint ?? 0, $1.offset) }
      .map(\.element)
    var hints: [(keys: String, title: String)] = []
    for command in shown {
      guard let key = command.keys.first else { continue }
      if hints.last?.title == command.title {
        hints[hints.count - 1].keys += key.label
      } else {
        hints.append((key.label, command.title))
      }
    }
    return hints.enumerated().flatMap { index, hint in
      [Run(hint.keys, .key), Run(" \(hint.title)\(index + 1 < hints.count ? "  " : "")")]
    }
  }

  /// What `lathe keys` says of the dialog, whatever its state.
  static func everything(_ dialog: Self) -> [CommandSummary] {
    let context = OverlayContext(dialog: dialog, state: State())
    return commands.commands.map { $0.summary(in: context) }
  }
}

extension Motions {
  /// Commands that move the cursor of a list in a dialog; with letters where the dialog has no text field.
  package static func inDialog<Context: Sendable, Step: Sendable>(
    _ prefix: String, letters: Bool = false, hint: Int = 0, step: (Scroll.Motion) -> Step
  ) -> [Command<Context, Step>] {
    let rows: [(String, [Key], [Key], String, Scroll.Motion)] = [
      ("up", [.up], [.character("k")], "Move the cursor up.", .up),
      ("down", [.down], [.character("j")], "Move the cursor down.", .down),
      ("page-up", [.pageUp], [.control("u")], "Go a page up.", .pageUp),
      ("page-down", [.pageDown], [.control("d")], "Go a page down.", .pageDown),
      ("first", letters ? [.home] : [], [.character("g")], "Go to the first row.", .first),
      ("last", letters ? [.end] : [], [.character("G")], "Go to the last row.", .last),
    ]
    return rows.compactMap { name, keys, letterKeys, explanation, motion in
      let all = letters ? keys + letterKeys : keys
      guard !all.isEmpty else { return nil }
      return Command(
        "\(prefix).\(name)", keys: all, title: "move", explanation: explanation, group: group,
        hint: name == "up" || name == "down" ? hint : nil, action: step(motion))
    }
  }
}
