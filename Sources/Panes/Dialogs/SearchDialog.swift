import Analysis
import Interface
import Jobs
import Workbench

/// Asks what to search for, and shows the front as it fills: a budget moved by keys selects the best point within it.
package struct SearchDialog: CommandedOverlay {
  package var title: String { "Search: mode, width and rounding for every layer" }
  private var form: SearchForm
  private var showsForm: Bool
  /// As it was moved; a share of what float32 takes.
  private var budget: Double?

  package init(_ state: State) {
    form = SearchForm(state.search.request ?? SearchRequest())
    showsForm = state.search.status(among: state.jobs) == .notAsked
  }

  /// How it is found and why so.
  private static let explanation =
    "Each option is measured in each layer alone. To first order these costs (KL to float32) add up, so the least sum within every size is a multiple-choice knapsack, solved exactly by dynamic programming. Errors of layers do meet, so points along that front are measured, then neighbours of the best. Only samples that calibrate or choose are used."

  package enum Step: Sendable {
    /// Go to another setting.
    case move(Int)
    case turn(Int)
    case search
    case budget(Int)
    /// The smallest budget, or the largest.
    case end(Double)
    case open
    case cancel
    case otherSide
    case close
  }

  package static let commands = CommandTable<OverlayContext<SearchDialog>, Step>([
    Command(
      "search.up", keys: [.up, .character("k")], title: "setting", explanation: "Go to the setting before.",
      group: "Search", hint: 0, action: .move(-1), availability: onForm),
    Command(
      "search.down", keys: [.down, .character("j")], title: "setting", explanation: "Go to the next setting.",
      group: "Search", hint: 0, action: .move(1), availability: onForm),
    Command(
      "search.back", keys: [.left, .character("h")], title: "change", explanation: "Take the choice before.",
      group: "Search", hint: 1, action: .turn(-1), availability: onForm),
    Command(
      "search.change", keys: [.right, .character("l"), .space], title: "change",
      explanation: "Take the next choice of the setting.", group: "Search", hint: 1, action: .turn(1),
      availability: onForm),
    Command(
      "search.search", keys: [.enter], title: "search", explanation: "Search with these settings.",
      group: "Search", hint: 2, action: .search,
      availability: { context in
        guard context.dialog.showsForm else { return .hidden }
        if let objection = context.dialog.form.request.objection { return .unavailable(objection) }
        if case .waiting = context.state.search.status(among: context.state.jobs) {
          return .unavailable("A search goes on; x cancels it.")
        }
        return .available
      }),
    Command(
      "search.less", keys: [.left, .character("h")], title: "budget", explanation: "A smaller budget.",
      group: "Search", hint: 0, action: .budget(-1), availability: onFront),
    Command(
      "search.more", keys: [.right, .character("l")], title: "budget", explanation: "A larger budget.",
      group: "Search", hint: 0, action: .budget(1), availability: onFront),
    Command(
      "search.least", keys: [.home, .character("g")], title: "least", explanation: "The smallest budget.",
      group: "Search", action: .end(0), availability: onFront),
    Command(
      "search.most", keys: [.end, .character("G")], title: "most", explanation: "The largest budget.",
      group: "Search", action: .end(.greatestFiniteMagnitude), availability: onFront),
    Command(
      "search.open", keys: [.enter], title: "open",
      explanation: "Make the point within the budget a candidate.",
      group: "Search", hint: 1, action: .open,
      availability: { context in
        guard !context.dialog.showsForm else { return .hidden }
        return .when(context.dialog.chart(context.state)?.selected != nil, else: "Nothing is found yet.")
      }),
    Command(
      "search.cancel", keys: [.character("x")], title: "cancel",
      explanation: "Cancel the search; what it found so far stays.", group: "Search", hint: 3,
      action: .cancel,
      availability: {
        .when($0.state.search.job(among: $0.state.jobs) != nil, else: "No search goes on.")
      }),
    Command(
      "search.settings", keys: [.tab, .backTab], title: "settings", explanation: "Go to the settings.",
      group: "Search", hint: 4, action: .otherSide,
      availability: { $0.dialog.showsForm ? .hidden : .available }),
    Command(
      "search.result", keys: [.tab, .backTab], title: "result", explanation: "Go to what was found.",
      group: "Search", hint: 4, action: .otherSide,
      availability: { context in
        guard context.dialog.showsForm else { return .hidden }
        return .when(context.dialog.hasResult(context.state), else: "Nothing was searched yet.")
      }),
    Command(
      "search.close", keys: [.escape, .control("c"), .character("q")], title: "close",
      explanation: "Close; a search goes on.", group: "Search", hint: 9, action: .close),
  ])

  private static let onForm: @Sendable (OverlayContext<SearchDialog>) -> Availability = {
    $0.dialog.showsForm ? .available : .hidden
  }

  private static let onFront: @Sendable (OverlayContext<SearchDialog>) -> Availability = { context in
    guard !context.dialog.showsForm else { return .hidden }
    return .when(context.state.search.front != nil, else: "Nothing is found yet.")
  }

  package var isTyping: Bool { false }

  private func dialog(_ state: State) -> Dialog {
    Dialog(title: title, hints: hints(state), size: Size(width: 96, height: 30))
  }

  private func hasResult(_ state: State) -> Bool { state.search.status(among: state.jobs) != .notAsked }

  private func chart(_ state: State) -> SearchChart? {
    state.search.front.map { SearchChart($0, budget: budget, isStale: state.search.isStale) }
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .close: return [.close]
    case .otherSide: showsForm.toggle()
    case .cancel: return state.search.job(among: state.jobs).map { [.act(.cancel($0.id))] } ?? []
    case .move(let by): form.move(by)
    case .turn(let by): form.turn(by)
    case .search:
      showsForm = false
      budget = nil
      return [.act(.search(form.request))]
    case .budget(let by): budget = chart(state)?.moved(by) ?? budget
    case .end(let end): budget = end
    case .open: return chart(state)?.selected.map { [.close, .act(.add($0.recipe))] } ?? []
    }
    return []
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    guard !showsForm else { return [] }
    switch mouse.kind {
    case .wheelUp: return update(.budget(1), state, screen: screen)
    case .wheelDown: return update(.budget(-1), state, screen: screen)
    default: return []
    }
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    if showsForm { drawForm(on: &canvas, in: inside) } else { drawFront(on: &canvas, in: inside, state) }
  }

  private func drawForm(on canvas: inout Canvas, in area: Rect) {
    form.draw(on: &canvas, in: area)
    var lines = Fitting.wrap(Self.explanation, to: area.width).map { Run($0, .muted) }
    if let objection = form.request.objection {
      lines = Fitting.wrap(objection, to: area.width).map { Run($0, .warn) } + [Run("")] + lines
    }
    for (index, line) in lines.enumerated() where SearchForm.height + 1 + index < area.height {
      canvas.put([line], x: area.x, y: area.y + SearchForm.height + 1 + index, width: area.width)
    }
  }

  private func drawFront(on canvas: inout Canvas, in area: Rect, _ state: State) {
    var rows = Fitting.cut([status(state)], to: area.width)
    guard let front = state.search.front, !front.points.isEmpty else {
      if case .failed = state.search.status(among: state.jobs) {
        rows = Fitting.wrap(status(state).text, to: area.width).map { Run($0, .bad) }
      }
      for (index, row) in rows.enumerated() {
        canvas.put([row], x: area.x, y: area.y + index, width: area.width)
      }
      return
    }
    canvas.put(rows, x: area.x, y: area.y)
    let chart = SearchChart(front, budget: budget, isStale: state.search.isStale)
    let below = chart.rows(width: area.width)
    let isHigh = area.height >= 16
    if isHigh { canvas.put(chart.title, x: area.x, y: area.y + 1, width: area.width, .muted) }
    // The words keep their place, so that the chart does not jump while the budget moves.
    let kept = Swift.max(below.count, 4)
    chart.draw(on: &canvas, in: area.inset(top: isHigh ? 2 : 1, bottom: kept + (isHigh ? 1 : 0)))
    if isHigh {
      canvas.put(
        [
          Run("●", .info), Run(" measured  ", .muted), Run("◆", .good), Run(" result  ", .muted),
          Run("★", .key), Run(" within the budget, ", .muted), Run("☆", .key),
          Run(" by prediction (line)", .muted),
        ], x: area.x, y: area.maxY - kept - 1, width: area.width)
    }
    for (index, row) in below.enumerated() {
      canvas.put(row, x: area.x, y: area.maxY - kept + index, width: area.width)
    }
  }

  /// What is under way or wrong, else what there is.
  private func status(_ state: State) -> Run {
    switch state.search.status(among: state.jobs) {
    case .waiting(let fraction):
      let note = state.search.job(among: state.jobs)?.note ?? ""
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return Run("searching …\(share)\(note.isEmpty ? "" : "  \(note)")", .info)
    case .failed(let message): return Run("\(message). tab goes to the settings.", .bad)
    case .notAsked, .done:
      if state.search.isStale {
        return Run("~ other model, data, version or CPU; tab enter searches", .stale)
      }
      let points = state.search.front?.points ?? []
      let measured = points.count { $0.distance != nil }
      return Run(
        "\(Words.plural(measured, "network")) measured, \(points.count - measured) predicted", .muted)
    }
  }
}
