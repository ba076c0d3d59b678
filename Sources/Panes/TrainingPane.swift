import Interface
import Jobs
import Training
import Workbench
import Workflows

/// How the current candidate's training goes: loss, and what its epochs score on the samples held back.
package struct TrainingPane: CommandedPane {
  package static let kind = PaneKind.training

  /// What is drawn over the epochs.
  package enum Figure: String, Sendable, CaseIterable {
    case top1 = "top-1 %"
    case divergence = "KL"
    case loss
  }

  /// What was asked to be seen; `nil` is what says most.
  private var figure: Figure?

  package init() {}

  package enum Step: Sendable {
    case figure
    case candidate(Int)
  }

  package static let commands = CommandTable<PaneContext<TrainingPane>, Step>([
    Command(
      "training.figure", keys: [.character("o")], title: "figure",
      explanation: "Draw another figure over the epochs: top-1, KL from float32, or the loss.",
      group: "Training", hint: 10, action: .figure,
      availability: {
        if case .training = $0.state.shownTraining { return .available }
        return .unavailable("Nothing is drawn.")
      }),
    Command(
      "training.right", keys: [.character("l"), .right], title: "next",
      explanation: "Go to the next candidate.",
      group: "Training", action: .candidate(1), availability: hasCandidates),
    Command(
      "training.left", keys: [.character("h"), .left], title: "previous",
      explanation: "Go to the candidate before.",
      group: "Training", action: .candidate(-1), availability: hasCandidates),
  ])

  private static let hasCandidates: @Sendable (PaneContext<TrainingPane>) -> Availability = {
    .when(!$0.state.candidates.isEmpty, else: $0.state.keys.noCandidate)
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .figure:
      guard case .training(let training, _) = state.shownTraining else { return [] }
      let plot = TrainingPlot(training, state)
      let all = plot.figures.filter { $0 != .loss || !TrainingPlot.isWide(size) }
      let place = all.firstIndex(of: plot.figure(figure, isWide: TrainingPlot.isWide(size))) ?? -1
      if !all.isEmpty { figure = all[(place + 1) % all.count] }
      return []
    case .candidate(let by):
      let place = state.candidates.firstIndex { $0.id == state.current } ?? 0
      let next = Swift.min(Swift.max(place + by, 0), state.candidates.count - 1)
      guard state.candidates.indices.contains(next) else { return [] }
      return [.act(.select(state.candidates[next].id))]
    }
  }

  package func note(_ state: State) -> [Run] {
    guard case .training = state.shownTraining, let entry = state.currentEntry else { return [] }
    return [Run(Fitting.cut(entry.title, to: 20), .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    switch state.shownTraining {
    case .nothing(let sentence):
      for (row, line) in Fitting.wrap(sentence, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
    case .training(let training, let isStale):
      TrainingPlot(training, state, isStale: isStale).draw(on: &canvas, in: area, figure)
    }
  }
}

/// Draws one training: where it is in words, and its figures over the epochs.
private struct TrainingPlot {
  let training: CandidateTraining
  let job: JobStatus?
  let isStale: Bool
  /// Whether a stopped training can go on from a checkpoint.
  let hasCheckpoint: Bool
  let style: Style

  init(_ training: CandidateTraining, _ state: State, isStale: Bool = false) {
    self.training = training
    self.isStale = isStale
    job = state.current.flatMap { state.job(of: $0) }
    hasCheckpoint = state.project?.trainingFolder != nil
    style = .series(state.candidates.firstIndex { $0.id == state.current } ?? 0)
  }

  private var progress: TrainingProgress { training.progress }

  /// Whether there is room for two charts side by side.
  static func isWide(_ size: Size) -> Bool { size.width >= 60 }

  /// What can be drawn.
  var figures: [TrainingPane.Figure] {
    TrainingPane.Figure.allCases.filter { figure in
      figure == .loss || (progress.start.flatMap { value($0, figure) } != nil)
    }
  }

  /// What is drawn where this was asked for; the loss has a chart of its own where there is room.
  func figure(_ asked: TrainingPane.Figure?, isWide: Bool) -> TrainingPane.Figure {
    let all = figures
    if let asked, all.contains(asked), !(isWide && asked == .loss) { return asked }
    return all.first ?? .loss
  }

  private func value(_ point: TrainingPoint, _ figure: TrainingPane.Figure) -> Double? {
    switch figure {
    case .top1: point.top1.map { $0 * 100 }
    case .divergence: point.divergence
    case .loss: point.loss.isFinite ? point.loss : nil
    }
  }

  private func text(_ value: Double, _ figure: TrainingPane.Figure) -> String {
    switch figure {
    case .top1: Numbers.fixed(value, 2)
    case .divergence: Numbers.significant(value)
    case .loss: Numbers.fixed(value, 4)
    }
  }

  // MARK: words

  /// Where the training is: its phase, the present step, time, memory.
  private var status: [[Run]] {
    var groups: [[Run]] = []
    if isStale { groups.append([Run("~ an earlier form of the recipe", .stale)]) }
    let ended = "epoch \(progress.history.count) of \(progress.epochs)"
    switch training.phase {
    case .running where job?.isHeld ?? false: groups.append([Run("‖ paused: p lets it go on", .warn)])
    case .running: break
    case .stopping: groups.append([Run("stopping, keeps the best epoch", .warn)])
    case .done: groups.append([Run("✓ trained", .good)])
    case .stopped:
      groups.append([Run("✓ stopped after \(ended)", .good)])
      if hasCheckpoint, job == nil { groups.append([Run("r", .key), Run(" goes on", .muted)]) }
    case .cancelled:
      groups.append([Run("✗ cancelled after \(ended)", .warn)])
      if hasCheckpoint { groups.append([Run("r", .key), Run(" goes on", .muted)]) }
    case .failed(let message): groups.append([Run("✗ \(message)", .bad)])
    }
    if training.isOver {
      let seconds = progress.history.reduce(0) { $0 + $1.seconds }
      groups.append([Run("\(Words.plural(progress.history.count, "epoch")) in \(Numbers.duration(seconds))")])
    } else {
      groups.append([Run("epoch "), Run("\(training.epoch)/\(progress.epochs)", .title)])
      groups.append([Run("step \(progress.step)/\(progress.steps)")])
      if let left = training.secondsLeft ?? job?.secondsLeft {
        groups.append([Run("\(Numbers.duration(left)) left")])
      }
    }
    groups.append([Run("\(Numbers.bytes(progress.memoryBytes)) to train", .muted)])
    groups.append([
      Run(progress.heldBack > 0 ? "\(progress.heldBack) held back" : "none held back: keeps the last", .muted)
    ])
    return groups
  }

  /// The loss as text, and its way here in one line.
  private var loss: [[Run]] {
    let means = progress.history.map(\.loss)
    var groups: [[Run]] = []
    let now = progress.loss.isFinite ? progress.loss : means.last ?? .nan
    groups.append([Run("loss ", .muted), Run(now.isFinite ? Numbers.fixed(now, 4) : Numbers.none)])
    if means.count > 1 { groups.append([Run(Bars.sparkline(means, width: 12), style)]) }
    return groups
  }

  /// What the marks of a chart stand for, with their numbers.
  private func legend(_ figure: TrainingPane.Figure) -> [[Run]] {
    guard figure != .loss else { return loss }
    var groups: [[Run]] = [[Run(figure.rawValue, .muted)]]
    if let best = best(figure) {
      groups.append([Run("★\(Int(best.x)) ", style.with(.bold)), Run(text(best.y, figure))])
    }
    if let float32 = float32(figure) {
      groups.append([Run("◆float32 ", .muted), Run(text(float32, figure))])
    }
    if let start = progress.start.flatMap({ value($0, figure) }) {
      groups.append([Run("◇PTQ ", .muted), Run(text(start, figure))])
    }
    return groups
  }

  private func float32(_ figure: TrainingPane.Figure) -> Double? {
    figure == .top1 ? progress.float32Top1.map { $0 * 100 } : nil
  }

  /// The epoch that is kept, as a place in a chart.
  private func best(_ figure: TrainingPane.Figure) -> Chart.Position? {
    guard let epoch = progress.bestEpoch, progress.history.indices.contains(epoch) else { return nil }
    return value(progress.history[epoch], figure).map { Chart.Position(Double(epoch + 1), $0) }
  }

  // MARK: drawing

  func draw(on canvas: inout Canvas, in area: Rect, _ asked: TrainingPane.Figure?) {
    let isWide = Self.isWide(area.size)
    let figure = figure(asked, isWide: isWide)
    var y = area.y
    func put(_ lines: [[Run]], in column: Rect, at first: Int) -> Int {
      for (row, line) in lines.enumerated() where first + row < area.maxY {
        canvas.put(line, x: column.x, y: first + row, width: column.width)
      }
      return first + lines.count
    }
    y = put(Fitting.flow(status, to: area.width), in: area, at: y)
    guard isWide, figure != .loss else {
      let groups = figure == .loss ? [] : loss
      y = put(Fitting.flow(groups, to: area.width), in: area, at: y)
      y = put(Fitting.flow(legend(figure), to: area.width), in: area, at: y)
      draw(figure, on: &canvas, in: area.inset(top: y - area.y))
      return
    }
    let columns = area.columns([.share(2), .share(3)], gap: 2)
    for (column, figure) in zip(columns, [TrainingPane.Figure.loss, figure]) {
      let first = put(Fitting.flow(legend(figure), to: column.width), in: column, at: y)
      draw(figure, on: &canvas, in: column.inset(top: first - area.y))
    }
  }

  private func draw(_ figure: TrainingPane.Figure, on canvas: inout Canvas, in area: Rect) {
    guard area.height >= 2 else { return }
    let last = Double(Swift.max(progress.epochs, 1))
    var points = progress.history.enumerated().compactMap { index, point in
      value(point, figure).map { Chart.Position(Double(index + 1), $0) }
    }
    var rules: [Chart.Rule] = []
    var marks: [Chart.Mark] = []
    if figure == .loss {
      if !training.isOver, progress.loss.isFinite {
        marks.append(Chart.Mark(at: Chart.Position(place, progress.loss), symbol: "○", style))
      }
    } else {
      if let float32 = float32(figure) {
        rules.append(Chart.Rule(y: float32))
        marks.append(Chart.Mark(at: Chart.Position(last, float32), symbol: "◆", label: "float32", .muted))
      }
      if let start = progress.start.flatMap({ value($0, figure) }) {
        rules.append(Chart.Rule(y: start))
        marks.append(Chart.Mark(at: Chart.Position(last, start), symbol: "◇", label: "PTQ", .muted))
        points.insert(Chart.Position(0, start), at: 0)
      }
    }
    if let end = points.last { marks.append(Chart.Mark(at: end, symbol: "●", style)) }
    if let best = best(figure) {
      marks.append(Chart.Mark(at: best, symbol: "★", label: "\(Int(best.x))", style.with(.bold)))
    }
    guard !(marks.isEmpty && points.isEmpty) else { return }
    let axis = Chart.Axis(
      range: 0...last, label: { value, _ in value == value.rounded() ? "\(Int(value))" : "" })
    Chart(
      x: axis, y: Chart.Axis(), rules: rules, curves: [Chart.Curve(points, style)], marks: marks
    ).draw(on: &canvas, in: area)
  }

  /// Where the present step is among the epochs.
  private var place: Double {
    Swift.min(
      Double(progress.epoch) + Double(progress.step) / Double(Swift.max(progress.steps, 1)),
      Double(progress.epochs))
  }
}
