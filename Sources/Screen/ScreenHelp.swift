import Interface
import Panes
import Workbench

/// What lists commands: help, palette, `lathe keys`.
extension Screen {
  /// The commands of the focused pane, then those of the whole screen: what keys mean here, first ones first.
  package func commandsHere(_ state: State) -> [CommandSummary] {
    let isTooSmall = layout.isTooSmall
    return keyMap.applied(
      to: (isTooSmall ? [] : panes[focus.rawValue - 1].summaries(state)) + Self.commands.summaries(in: state))
  }

  /// Help: commands of the focused pane, then those that work everywhere; choosing one runs it.
  package func help(_ state: State) -> MenuDialog {
    let here = keyMap.applied(to: panes[focus.rawValue - 1].summaries(state))
    // What every list has comes after the pane's own, and what has no key last.
    let keyed = here.filter { !$0.keys.isEmpty }
    let own =
      keyed.filter { $0.group != Motions.group } + keyed.filter { $0.group == Motions.group }
      + here.filter(\.keys.isEmpty)
    let all = own.before(keyMap.applied(to: Self.commands.summaries(in: state)))
    return MenuDialog(
      title: "Help: \(focus.title), then everywhere",
      sections: [
        (focus.title, Array(all.prefix(own.count))), ("Everywhere", Array(all.dropFirst(own.count))),
      ])
  }

  /// Whether a key opens the help of the dialog on top.
  func asksForHelp(_ key: Key, _ state: State) -> Bool {
    guard let top = overlays.last, !(top is MenuDialog), !top.summaries(state).isEmpty else { return false }
    return key == .function(1) || key == .character("?") && !top.isTyping
  }

  /// Help on a dialog.
  func help(on overlay: any Overlay, _ state: State) -> MenuDialog {
    MenuDialog(title: "Help: \(overlay.title)", sections: [(overlay.title, overlay.summaries(state))])
  }

  /// All commands, to be found by typing.
  package func palette(_ state: State) -> MenuDialog {
    let others = panes.filter { Swift.type(of: $0).kind != focus }
    let sections = [panes[focus.rawValue - 1]] + others
    return MenuDialog(
      title: "Commands",
      sections: [("Everywhere", keyMap.applied(to: Self.commands.summaries(in: state)))]
        + sections.map { (Swift.type(of: $0).kind.title, keyMap.applied(to: $0.summaries(state))) },
      labels: .right)
  }

  /// Titles and rows of every table, for `lathe keys` and the README.
  package static var commandTables: [(title: String, rows: [CommandSummary])] {
    let state = State()
    let own = commands.commands.map { $0.summary(in: state) }
    return [("Everywhere", own)] + allPanes.map { pane in (Swift.type(of: pane).kind.title, pane.everything) }
      + DialogTables.all
  }
}
