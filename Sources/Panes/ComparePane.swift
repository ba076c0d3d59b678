import Evaluation
import Interface
import Workbench
import Workflows

/// float32 and the candidates side by side, figures as rows; and views of how the current candidate differs.
package struct ComparePane: CommandedPane {
  package static let kind = PaneKind.compare

  /// What is seen.
  package enum View: String, Sendable, CaseIterable {
    case figures, layers, classes, confusion, samples
    /// Only of language models.
    case text
  }

  package private(set) var view = View.figures
  private(set) var scroll = Scroll()
  private var firstColumn = 0

  package init() {}

  package enum Step: Sendable {
    case candidate(Int)
    case move(Scroll.Motion)
    case view(Int)
    case figures
    case goToLayer
    case prompt
    case order
    case reverse
    case hide
    case showAll
    case note
    case copy
  }

  package static let commands = CommandTable<PaneContext<ComparePane>, Step>(
    Motions.commands("compare") { .move($0) } + [
      Command(
        "compare.right", keys: [.character("l"), .right], title: "next",
        explanation: "Go to the next candidate.",
        group: "Compare", hint: 12, action: .candidate(1), availability: hasCandidates),
      Command(
        "compare.left", keys: [.character("h"), .left], title: "previous",
        explanation: "Go to the candidate before.", group: "Compare", action: .candidate(-1),
        availability: hasCandidates),
      Command(
        "compare.view", keys: [.character("v")], title: "view",
        explanation:
          "Show the next view of the current candidate: figures, layers that differ, classes, confusion, samples, and of a language model text.",
        group: "Compare", hint: 11, action: .view(1),
        availability: { $0.state.continuations.isOffered ? .available : hasCandidates($0) }),
      Command(
        "compare.figures", keys: [.escape], title: "figures", explanation: "Go back to the figures.",
        group: "Compare", hint: 11, action: .figures,
        availability: { $0.pane.view == .figures ? .hidden : .available }),
      Command(
        "compare.layer", keys: [.enter], title: "layer",
        explanation: "Go to the layer under the cursor in Layers.", group: "Compare", hint: 10,
        action: .goToLayer,
        availability: { $0.pane.view == .layers ? hasCandidates($0) : .hidden }),
      Command(
        "compare.prompt", keys: [.enter], title: "prompt",
        explanation: "Type the beginning of a text that float32 and every candidate continue.",
        group: "Compare", hint: 10, action: .prompt,
        availability: { $0.pane.view == .text ? .available : .hidden }),
      Command(
        "compare.order", keys: [.character("o")], title: "order",
        explanation: "Order the candidates by the row under the cursor, the largest first.", group: "Compare",
        hint: 20, action: .order, availability: onFigures),
      Command(
        "compare.reverse", keys: [.character("O")], title: "reverse",
        explanation: "Reverse the order of the candidates.", group: "Compare", action: .reverse,
        availability: {
          $0.pane.view == .figures
            ? .when(
              $0.state.compare.order != nil,
              else: "Nothing orders the candidates; \($0.state.keys["compare.order"]) does.") : .hidden
        }),
      Command(
        "compare.hide", keys: [.character("D")], title: "hide",
        explanation: "Hide the row under the cursor until every row is shown again.", group: "Compare",
        hint: 21,
        action: .hide,
        availability: onFigures),
      Command(
        "compare.all", keys: [.character("a")], title: "all",
        explanation: "Show every row again, and the candidates in their own order.", group: "Compare",
        hint: 22, action: .showAll,
        availability: {
          $0.pane.view == .figures
            ? .when(
              !$0.state.compare.isEmpty,
              else: "No row is hidden, and nothing orders the candidates.") : .hidden
        }),
      Command(
        "compare.note", keys: [.character("N")], title: "note",
        explanation: "Write a note on the current candidate; an empty one takes it away.", group: "Compare",
        hint: 23, action: .note,
        availability: { .when($0.state.currentEntry != nil, else: $0.state.keys.noCandidate) }),
      Command(
        "compare.copy", keys: [.character("y")], title: "copy", explanation: "Copy what is seen as text.",
        group: "Compare", hint: 30, replaces: ["copy"], action: .copy, availability: hasCandidates),
    ])

  private static let hasCandidates: @Sendable (PaneContext<ComparePane>) -> Availability = {
    .when(!$0.state.candidates.isEmpty, else: $0.state.keys.noCandidate)
  }

  private static let onFigures: @Sendable (PaneContext<ComparePane>) -> Availability = {
    $0.pane.view == .figures ? hasCandidates($0) : .hidden
  }

  // MARK: What is seen

  private func table(_ state: State, isFocused: Bool) -> CompareTable {
    CompareTable(state, scroll: scroll, firstColumn: firstColumn, isFocused: isFocused)
  }

  /// Of a note on the lower edge, so that it fits the narrowest pane.
  private static let longestFoot = 40

  /// The view in the place of the figures; `nil` for those.
  private func inquiry(_ state: State, isFocused: Bool) -> (any CompareView)? {
    switch view {
    case .figures, .text: nil
    case .layers: CompareLayers(state, scroll: scroll, isFocused: isFocused)
    case .classes: CompareClasses(state, scroll: scroll, isFocused: isFocused)
    case .confusion: CompareConfusion(state, scroll: scroll, isFocused: isFocused)
    case .samples: CompareSamples(state, scroll: scroll, isFocused: isFocused)
    }
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let table = table(state, isFocused: true)
    var choice = state.compare
    switch step {
    case .candidate(let by):
      let place = table.candidates.firstIndex { $0.entry?.id == state.current } ?? 0
      let next = Swift.min(Swift.max(place + by, 0), table.candidates.count - 1)
      guard table.candidates.indices.contains(next), let id = table.candidates[next].entry?.id else {
        return []
      }
      return [.act(.select(id))]
    case .move(let motion) where view == .text:
      let visible = Swift.max(size.height - 1, 1)
      let lines = CompareText(state, scroll: scroll).lineCount(width: size.width)
      // Without a cursor to be seen, every step turns the page.
      scroll.move(motion.asLines(visible: visible), count: Swift.max(lines - visible + 1, 1), visible: 1)
      return []
    case .move(let motion):
      let area = Rect(x: 0, y: 0, width: size.width, height: size.height)
      let (count, inside) =
        inquiry(state, isFocused: true).map { ($0.table.rowCount, $0.area(in: area)) }
        ?? (table.rows.count, area)
      scroll.move(motion, count: count, visible: Swift.max(inside.height - 1, 1))
      return []
    case .view(let by):
      let all = View.allCases.filter { $0 != .text || state.continuations.isOffered }
      show(all[((all.firstIndex(of: view) ?? 0) + by + all.count) % all.count])
      return []
    case .figures:
      show(.figures)
      return []
    case .goToLayer:
      return pointedLayer(state) == nil ? [.toast(Toast(.info, "No layer differs."))] : [.run(id: "jump")]
    case .prompt:
      return [
        .open(
          TextDialog(
            title: "Prompt", text: state.continuations.prompt, placeholder: "the beginning of a text"
          ) { [.act(.continueText(prompt: $0))] })
      ]
    case .order:
      guard let row = table.row(at: scroll) else { return [] }
      guard table.candidates.contains(where: { row.order($0) != nil }) else {
        return [.toast(Toast(.info, "\(row.title) has no numbers to order by."))]
      }
      choice.order = CompareChoice.Order(row: row.title)
      return [.act(.setCompare(choice))]
    case .reverse:
      choice.order?.isReversed.toggle()
      return [.act(.setCompare(choice))]
    case .hide:
      guard let row = table.row(at: scroll), table.rows.count > 1 else { return [] }
      choice.hidden.append(row.title)
      return [.act(.setCompare(choice))]
    case .showAll: return [.act(.setCompare(CompareChoice()))]
    case .note:
      guard let entry = state.currentEntry else { return [] }
      return [
        .open(
          TextDialog(
            title: "Note on \(entry.title)", text: entry.note, placeholder: "what is worth remembering",
            takesNothing: true
          ) { [.act(.setNote(entry.id, $0))] })
      ]
    case .copy: return [.act(.copy(text(state), what: "the comparison"))]
    }
  }

  private mutating func show(_ other: View) {
    view = other
    scroll = Scroll()
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .wheelUp: return update(.move(.up), state, size: area.size)
    case .wheelDown: return update(.move(.down), state, size: area.size)
    case .press(.left) where view != .text:
      if let inquiry = inquiry(state, isFocused: true) {
        guard let row = inquiry.table.row(at: mouse.at, in: inquiry.area(in: area)) else { return [] }
        return update(.move(.to(row)), state, size: area.size)
      }
      let shown = table(state, isFocused: true)
      let table = shown.table(width: area.width)
      if let row = table.row(at: mouse.at, in: area) { _ = update(.move(.to(row)), state, size: area.size) }
      guard let column = table.column(at: mouse.at, in: area), column >= 2,
        let id = shown.candidates[column - 2].entry?.id
      else { return [] }
      return [.act(.select(id))]
    default: return []
    }
  }

  /// The first column of figures shown so that the current candidate is in sight.
  package mutating func follow(_ state: State) {
    let ids =
      state.compare.order == nil
      ? state.candidates.map(\.id) : table(state, isFocused: true).candidates.compactMap { $0.entry?.id }
    guard let place = ids.firstIndex(where: { $0 == state.current }) else { return }
    if place < firstColumn { firstColumn = place }
  }

  package func note(_ state: State) -> [Run] {
    if view != .figures { return [Run(view.rawValue, .text)] }
    let float32 = CompareTable.float32(state)
    var parts: [String] = []
    if let base = state.baselineEntry { parts.append("from \(base.id.letter)") }
    if let samples = float32?.samples { parts.append("n \(samples)") }
    if let runs = float32?.latencyMs?.runs { parts.append("med of \(runs)") }
    return [Run(parts.joined(separator: " · "), .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    var runs: [Run] = []
    if let note = state.currentEntry?.note, !note.isEmpty {
      runs.append(Run(Fitting.cut(note, to: Self.longestFoot), .info))
    }
    let hidden = state.compare.hidden.count
    if view == .figures, hidden > 0 { runs.append(Run("  \(hidden) hidden", .muted)) }
    return runs
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    if let inquiry = inquiry(state, isFocused: isFocused) {
      inquiry.draw(on: &canvas, in: area, marked: state.marked)
      return
    }
    if view == .text { return CompareText(state, scroll: scroll).draw(on: &canvas, in: area) }
    table(state, isFocused: isFocused).draw(on: &canvas, in: area)
    if state.candidates.isEmpty, area.height > 3 {
      canvas.put(
        "No candidate yet: \(state.keys["new"]) makes one.", x: area.x, y: area.maxY - 1, width: area.width,
        .muted)
    }
  }

  /// What is seen as text, for the clipboard and screen readers.
  func text(_ state: State) -> String {
    if view == .text { return CompareText(state, scroll: scroll).text }
    return inquiry(state, isFocused: false)?.text ?? table(state, isFocused: false).text
  }
}
