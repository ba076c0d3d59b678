import Interface
import Panes
import Quantization
import Workbench

/// What panes show, as text.
extension Screen {
  /// The focused pane as it stands on the screen, frame and all.
  func paneText(_ state: State) -> String {
    let pane = panes[focus.rawValue - 1]
    let area = layout.place(of: focus)?.area ?? bounds
    var canvas = Canvas(Size(width: area.width, height: area.height), glyphs: glyphs)
    let inside = Panel(title: focus.title, note: pane.note(state), foot: pane.foot(state)).draw(
      on: &canvas, in: canvas.bounds)
    canvas.clipped(to: inside) { canvas in pane.draw(on: &canvas, in: inside, state, isFocused: false) }
    return canvas.text()
  }

  /// In Config the recipe, which is what it shows; elsewhere the pane's text.
  mutating func copyPane(_ state: inout State) -> [Request] {
    if focus == .config, let entry = state.currentEntry {
      return apply(.copy(entry.recipe.yaml, what: "the recipe of \(entry.title)"), &state)
    }
    return apply(.copy(paneText(state), what: "\(focus.title) as text"), &state)
  }

  mutating func openWrite(_ state: inout State) -> [Request] {
    let dialog = WriteDialog(what: focus.title, text: paneText(state) + "\n", state)
    overlays.append(dialog)
    return apply(.list(dialog.folder), &state)
  }

  /// Text pasted while no dialog is open goes into the pane's text field, else nowhere: a command must not run by it.
  mutating func paste(_ text: String, _ state: inout State) -> [Request] {
    let index = focus.rawValue - 1
    guard panes[index].isTyping, !layout.isTooSmall else {
      say(Toast(.info, "Pasted text goes into text fields only; none is open."), state)
      return []
    }
    var requests: [Request] = []
    for character in TextField(text).text where panes[index].isTyping {
      if case .done(let outputs) = panes[index].handle(.character(character), state, size: inside(focus)) {
        requests += perform(outputs, &state)
      }
    }
    return requests
  }

  /// The hint of the tour for the status row.
  func tourRuns() -> [Run] {
    guard let hint = tour.hint else { return [] }
    let place = (Tour.hints.firstIndex(of: hint) ?? 0) + 1
    var runs = [Run("hint \(place)/\(Tour.hints.count): ", .info)]
    for (index, piece) in hint.text.split(separator: "[", omittingEmptySubsequences: false).enumerated() {
      let parts = piece.split(separator: "]", maxSplits: 1, omittingEmptySubsequences: false)
      if index > 0, parts.count == 2 {
        runs += [Run(keyLabels[String(parts[0])], .key), Run(String(parts[1]), .muted)]
      } else {
        runs.append(Run(String(piece), .muted))
      }
    }
    return runs + [Run("  \(keyLabels["tour"])", .key), Run(" dismisses ", .muted)]
  }
}
