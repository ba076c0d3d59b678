import Analysis
import Interface
import Jobs
import Workbench

/// Asks what to search for, and shows the front as it fills: a budget moved by keys selects the best point within it.
package struct SearchDialog: Overlay {
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

  private func dialog(_ state: State) -> Dialog {
    let keys: [(String, String)]
    if showsForm {
      keys =
        [("↑↓", "setting"), ("←→", "change"), ("enter", "search")]
        + (hasResult(state) ? [("tab", "result")] : []) + [("esc", "close")]
    } else {
      keys =
        [("←→", "budget"), ("enter", "open")]
        + (state.search.job(among: state.jobs) == nil ? [] : [("x", "cancel")])
        + [("tab", "settings"), ("esc", "close")]
    }
    let hints = keys.enumerated().flatMap { index, entry in
      [Run(entry.0, .key), Run(" \(entry.1)\(index + 1 < keys.count ? "  " : "")")]
    }
    return Dialog(title: title, hints: hints, size: Size(width: 96, height: 30))
  }

  private func hasResult(_ state: State) -> Bool { state.search.status(among: state.jobs) != .notAsked }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    switch input {
    case .key(.escape), .key(.control("c")), .key(.character("q")): return [.close]
    case .key(.tab), .key(.backTab):
      if showsForm, !hasResult(state) { return [] }
      showsForm.toggle()
      return []
    case .key(.character("x")):
      guard let job = state.search.job(among: state.jobs) else { return [] }
      return [.act(.cancel(job.id))]
    case .key(let key): return showsForm ? fill(key, state) : move(key, state)
    case .mouse(let mouse):
      guard !showsForm else { return [] }
      switch mouse.kind {
      case .wheelUp: return move(.right, state)
      case .wheelDown: return move(.left, state)
      default: return []
      }
    default: return []
    }
  }

  private mutating func fill(_ key: Key, _ state: State) -> [PaneOutput] {
    switch key {
    case .up, .character("k"): form.move(-1)
    case .down, .character("j"): form.move(1)
    case .left, .character("h"): form.turn(-1)
    case .right, .character("l"), .space: form.turn(1)
    case .enter:
      if let objection = form.request.objection { return [.toast(Toast(.warn, objection))] }
      if case .waiting = state.search.status(among: state.jobs) {
        return [.toast(Toast(.warn, "A search goes on; x cancels it."))]
      }
      showsForm = false
      budget = nil
      return [.act(.search(form.request))]
    default: break
    }
    return []
  }

  private mutating func move(_ key: Key, _ state: State) -> [PaneOutput] {
    guard let front = state.search.front else { return [] }
    let chart = SearchChart(front, budget: budget, isStale: state.search.isStale)
    switch key {
    case .left, .character("h"): budget = chart.moved(-1)
    case .right, .character("l"): budget = chart.moved(1)
    case .home, .character("g"): budget = 0
    case .end, .character("G"): budget = .greatestFiniteMagnitude
    case .enter: return chart.selected.map { [.close, .act(.add($0.recipe))] } ?? []
    default: break
    }
    return []
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
