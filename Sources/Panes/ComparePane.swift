import Analysis
import Evaluation
import Foundation
import Interface
import Workbench
import Workflows

/// float32 and the candidates side by side, figures as rows.
package struct ComparePane: CommandedPane {
  package static let kind = PaneKind.compare
  private var firstColumn = 0
  private var scroll = Scroll()

  package init() {}

  package enum Step: Sendable {
    case candidate(Int)
    case scroll(Scroll.Motion)
    case copy
  }

  package static let commands = CommandTable<PaneContext<ComparePane>, Step>([
    Command(
      "compare.right", keys: [.character("l"), .right], title: "next",
      explanation: "Go to the next candidate.",
      group: "Compare", hint: 12, action: .candidate(1), availability: hasCandidates),
    Command(
      "compare.left", keys: [.character("h"), .left], title: "previous",
      explanation: "Go to the candidate before.", group: "Compare", action: .candidate(-1),
      availability: hasCandidates),
    Command(
      "compare.down", keys: [.character("j"), .down], title: "down", explanation: "Scroll the figures down.",
      group: "Compare", action: .scroll(.down)),
    Command(
      "compare.up", keys: [.character("k"), .up], title: "up", explanation: "Scroll the figures up.",
      group: "Compare", action: .scroll(.up)),
    Command(
      "compare.copy", keys: [.character("y")], title: "copy", explanation: "Copy the table as text.",
      group: "Compare", hint: 30, action: .copy, availability: hasCandidates),
  ])

  private static let hasCandidates: @Sendable (PaneContext<ComparePane>) -> Availability = {
    .when(!$0.state.candidates.isEmpty, else: "There is no candidate; n makes one.")
  }

  /// One figure: its title, and its text for float32 and for a candidate.
  private struct Figure: Sendable {
    var title: String
    var text: @Sendable (Trial) -> [Run]?
    /// Drawn even when no trial has it.
    var isAlways = false
    /// Depends on the clock, so it is doubtful when the machine changed.
    var isLatency = false
    /// Its text for a candidate that is not measured, with float32 as measured before.
    var predicted: @Sendable (Prediction, _ float32: Trial?) -> String? = { _, _ in nil }
    /// What is predicted is certain.
    var isExact = false
  }

  private static func plain(_ text: String?) -> [Run]? { text.map { [Run($0)] } }

  /// Differences below this are drawn as neither good nor bad.
  private static func judged(_ text: String, _ value: Double, good: ClosedRange<Double>, bad: Double) -> [Run]
  {
    [Run(text, good.contains(value) ? .good : value < bad ? .bad : .warn)]
  }

  private static let figures: [Figure] = [
    Figure(
      title: "accuracy %", text: { plain($0.top1.map { Numbers.percent($0) }) },
      predicted: { prediction, float32 in
        prediction.top1Delta.flatMap { delta in float32?.top1.map { Numbers.percent($0 + delta) } }
      }),
    Figure(
      title: "Δ points",
      text: { trial in
        if trial.execution == .float { return trial.top1 == nil ? nil : [Run("ref", .muted)] }
        return trial.top1Delta.map { judged(Numbers.points($0), $0, good: -0.005...1, bad: -0.02) }
      }, predicted: { prediction, _ in prediction.top1Delta.map { Numbers.points($0) } }),
    Figure(
      title: "95 %",
      text: { plain($0.top1DeltaCi95.map { "\(Numbers.points($0[0]))…\(Numbers.points($0[1]))" }) }),
    Figure(
      title: "weights KiB", text: { plain(Numbers.kibibytes($0.weightBytes)) },
      predicted: { prediction, _ in Numbers.kibibytes(prediction.weightBytes) }, isExact: true),
    Figure(
      title: "ratio",
      text: { plain($0.execution == .float ? "1.0×" : $0.compression.map { Numbers.ratio($0) }) },
      predicted: { prediction, _ in Numbers.ratio(prediction.compression) }, isExact: true),
    Figure(
      title: "p50 ms", text: { plain($0.latencyMs.map { Numbers.milliseconds($0.median) }) }, isLatency: true,
      predicted: { prediction, _ in prediction.latencyMs.map { Numbers.milliseconds($0) } }),
    Figure(
      title: "speed-up",
      text: { trial in
        if trial.execution == .float { return trial.latencyMs == nil ? nil : [Run("1.0×")] }
        return trial.speedup.map { [Run(Numbers.ratio($0), $0 > 1.05 ? .good : $0 < 0.95 ? .bad : .warn)] }
      }, isLatency: true, predicted: { prediction, _ in prediction.speedup.map { Numbers.ratio($0) } }),
    Figure(
      title: "energy mJ", text: { plain($0.energyJoules.map { Numbers.significant($0 * 1000) }) },
      isLatency: true),
    Figure(
      title: "agreement %", text: { plain($0.agreement.map { Numbers.percent($0) }) },
      predicted: { prediction, _ in prediction.agreement.map { Numbers.percent($0) } }),
    Figure(
      title: "SQNR dB", text: { plain($0.sqnrDb.map { Numbers.fixed($0, 1) }) },
      predicted: { prediction, _ in prediction.sqnrDb.map { Numbers.fixed($0, 1) } }),
    Figure(title: "loss", text: { plain($0.loss.map { Numbers.fixed($0, 4) }) }),
    Figure(
      title: "KL", text: { plain($0.kl.map { Numbers.significant($0, 2) }) },
      predicted: { prediction, _ in prediction.kl.map { Numbers.significant($0, 2) } }),
    Figure(title: "McNemar p", text: { plain($0.pValue.map { Numbers.significant($0, 2) }) }),
    Figure(title: "top-5 %", text: { plain($0.top5.map { Numbers.percent($0) }) }),
    Figure(
      title: "bits/weight", text: { plain($0.bitsPerWeight.map { Numbers.fixed($0, 2) }) },
      predicted: { prediction, _ in prediction.bitsPerWeight.map { Numbers.fixed($0, 2) } }, isExact: true),
    Figure(title: "memory KiB", text: { plain($0.peakMemoryBytes.map { Numbers.kibibytes($0) }) }),
    Figure(title: "file KiB", text: { plain($0.sizeBytes.map { Numbers.kibibytes($0) }) }),
  ]

  /// Figures that at least one column has, in order; the first few are always there.
  private func figures(_ shown: [Shown], _ float32: Trial?) -> [Figure] {
    let trials = shown.compactMap(\.trial) + (float32.map { [$0] } ?? [])
    let predictions = shown.compactMap(\.prediction)
    let always: Set<String> = ["accuracy %", "Δ points", "weights KiB", "ratio", "p50 ms", "speed-up"]
    let labelled = trials.isEmpty || trials.contains { $0.top1 != nil }
    return Self.figures.filter { figure in
      if !labelled, ["accuracy %", "Δ points"].contains(figure.title) { return false }
      return always.contains(figure.title) || trials.contains { figure.text($0) != nil }
        || predictions.contains { figure.predicted($0, float32) != nil }
    }
  }

  /// A candidate's figure with the mark of what it is: predicted or provisional (`≈`), of an older recipe (`~`).
  private static func cell(_ figure: Figure, _ shown: Shown, _ float32: Trial?) -> [Run] {
    if let text = shown.prediction.flatMap({ figure.predicted($0, float32) }) {
      return (figure.isExact ? [] : [Run("≈", .info)]) + [Run(text)]
    }
    guard let runs = shown.trial.flatMap(figure.text) else { return [Run(Numbers.none, .muted)] }
    if shown.isProvisional { return [Run("≈", .info)] + runs }
    guard shown.isStale || (figure.isLatency && shown.latencyIsStale) else { return runs }
    return [Run("~", .stale)] + runs.map { Run($0.text, .stale) }
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .candidate(let by):
      let place = state.candidates.firstIndex { $0.id == state.current } ?? 0
      let next = Swift.min(Swift.max(place + by, 0), state.candidates.count - 1)
      guard state.candidates.indices.contains(next) else { return [] }
      return [.act(.select(state.candidates[next].id))]
    case .scroll(let motion):
      scroll.move(motion, count: Self.figures.count + 1, visible: Swift.max(size.height - 1, 1))
      return []
    case .copy: return [.act(.copy(Self.text(state), what: "the comparison"))]
    }
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .wheelUp: return update(.scroll(.up), state, size: area.size)
    case .wheelDown: return update(.scroll(.down), state, size: area.size)
    case .press(.left):
      let table = table(state, rows: 1, width: area.width, isFocused: true)
      guard let column = table.column(at: mouse.at, in: area), column >= 2 else { return [] }
      return [.act(.select(state.candidates[column - 2].id))]
    default: return []
    }
  }

  /// The first column of figures shown so that the current candidate is in sight.
  package mutating func follow(_ state: State) {
    guard let place = state.candidates.firstIndex(where: { $0.id == state.current }) else { return }
    if place < firstColumn { firstColumn = place }
  }

  package func note(_ state: State) -> [Run] {
    guard let float32 = state.currentEntry.flatMap({ state.shown($0).float32 }) ?? state.float32 else {
      return []
    }
    var parts: [String] = []
    if let samples = float32.samples { parts.append("n \(samples)") }
    if let runs = float32.latencyMs?.runs { parts.append("med of \(runs)") }
    return [Run(parts.joined(separator: " · "), .muted)]
  }

  private func table(_ state: State, rows: Int, width: Int, isFocused: Bool) -> Table {
    let columns =
      [
        Column("", minimum: 11, maximum: 14, growth: 1),
        Column("float32", align: .right, minimum: 9, maximum: 12, growth: 1),
      ]
      + state.candidates.map {
        Column(Fitting.cut($0.title, to: 14), align: .right, minimum: 12, maximum: 16, growth: 1)
      }
    var table = Table(
      columns: columns, rowCount: rows, scroll: scroll, isFocused: isFocused, showsCursor: false,
      scrollsSideways: true, fixedColumns: 2, firstColumn: firstColumn,
      cursorColumn: state.candidates.firstIndex { $0.id == state.current }.map { $0 + 2 })
    if let column = table.cursorColumn {
      table.firstColumn = table.firstColumn(showing: column, width: width)
    }
    return table
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let shown = state.candidates.map { state.shown($0) }
    let float32 = state.currentEntry.flatMap { state.shown($0).float32 } ?? state.float32
    let figures = figures(shown, float32)
    let table = table(state, rows: figures.count + 1, width: area.width, isFocused: isFocused)
    // The status comes after what a decision needs first, so that it is seen in a low pane too.
    let statusRow = (figures.firstIndex { $0.title == "speed-up" } ?? figures.count - 1) + 1
    table.draw(on: &canvas, in: area) { row, column in
      if row == statusRow {
        if column == 0 { return [Run("status", .muted)] }
        return column == 1 ? [] : Self.status(shown[column - 2])
      }
      let figure = figures[row < statusRow ? row : row - 1]
      if column == 0 { return [Run(figure.title, .muted)] }
      if column == 1 { return float32.flatMap(figure.text) ?? [Run(Numbers.none, .muted)] }
      return Self.cell(figure, shown[column - 2], float32)
    }
    if state.candidates.isEmpty, area.height > 3 {
      canvas.put("No candidate yet: n makes one.", x: area.x, y: area.maxY - 1, width: area.width, .muted)
    }
  }

  private static func status(_ shown: Shown) -> [Run] {
    let badge = shown.trial.map { $0.execution == .simulated ? "sim " : "int " } ?? ""
    switch shown.status {
    case .notRun: return [Run(shown.isStale ? "r reruns" : "r runs it", .muted)]
    case .queued: return [Run("queued", .info)]
    case .running(let fraction): return [Run(Numbers.percent(fraction, 0) + " %", .info)]
    case .training(let epoch, let epochs): return [Run("epoch \(epoch)/\(epochs)", .info)]
    case .done: return [Run(badge, .muted), Run("✓ done", .good)]
    case .failed: return [Run("✗ failed", .bad)]
    }
  }

  /// The table as text, for the clipboard and screen readers.
  static func text(_ state: State) -> String {
    let shown = state.candidates.map { state.shown($0) }
    let float32 = state.currentEntry.flatMap { state.shown($0).float32 } ?? state.float32
    return TextTable.text(
      header: ["", "float32"] + state.candidates.map(\.title),
      rows: figures.map { figure in
        [figure.title, float32.flatMap(figure.text)?.map(\.text).joined() ?? Numbers.none]
          + shown.map { cell(figure, $0, float32).map(\.text).joined() }
      }, leftColumns: 1)
  }
}
