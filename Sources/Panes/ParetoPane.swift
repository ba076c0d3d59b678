import Analysis
import Evaluation
import Interface
import Workbench
import Workflows

/// Candidates as points: what they score over what they cost.
package struct ParetoPane: CommandedPane {
  package static let kind = PaneKind.pareto

  package enum Cost: String, Sendable, CaseIterable {
    case size = "KiB"
    case latency = "ms"
  }

  package enum Gain: String, Sendable, CaseIterable {
    case accuracy = "acc %"
    case agreement = "agree %"
    case sqnr = "SQNR dB"
  }

  private var cost = Cost.size
  private var gain: Gain?

  package init() {}

  package enum Step: Sendable {
    case cost
    case gain
    case candidate(Int)
  }

  package static let commands = CommandTable<PaneContext<ParetoPane>, Step>([
    Command(
      "pareto.cost", keys: [.character("o")], title: "x axis",
      explanation: "Change what a point costs: size or latency.",
      group: "Pareto", hint: 10, action: .cost),
    Command(
      "pareto.gain", keys: [.character("O")], title: "y axis",
      explanation: "Change what a point scores: accuracy, agreement or SQNR.", group: "Pareto", hint: 11,
      action: .gain),
    Command(
      "pareto.right", keys: [.character("l"), .right], title: "next",
      explanation: "Go to the next candidate.",
      group: "Pareto", action: .candidate(1), availability: hasCandidates),
    Command(
      "pareto.left", keys: [.character("h"), .left], title: "previous",
      explanation: "Go to the candidate before.",
      group: "Pareto", action: .candidate(-1), availability: hasCandidates),
  ])

  private static let hasCandidates: @Sendable (PaneContext<ParetoPane>) -> Availability = {
    .when(!$0.state.candidates.isEmpty, else: "There is no candidate; n makes one.")
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .cost: cost = cost == .size ? .latency : .size
    case .gain:
      let all = Gain.allCases
      gain = all[((all.firstIndex(of: shownGain(state)) ?? 0) + 1) % all.count]
    case .candidate(let by):
      let place = state.candidates.firstIndex { $0.id == state.current } ?? 0
      let next = Swift.min(Swift.max(place + by, 0), state.candidates.count - 1)
      return [.act(.select(state.candidates[next].id))]
    }
    return []
  }

  private func shownGain(_ state: State) -> Gain {
    if let gain { return gain }
    let trials = state.candidates.compactMap { state.shown($0).trial }
    return trials.isEmpty || trials.contains { $0.top1 != nil } ? .accuracy : .sqnr
  }

  private func position(_ trial: Trial, _ gain: Gain) -> Chart.Position? {
    let x: Double? = cost == .size ? Double(trial.weightBytes) / 1024 : trial.latencyMs?.median
    let isFloat = trial.execution == .float
    let y: Double? =
      switch gain {
      case .accuracy: trial.top1.map { $0 * 100 }
      case .agreement: isFloat ? 100 : trial.agreement.map { $0 * 100 }
      case .sqnr: isFloat ? nil : trial.sqnrDb
      }
    guard let x, let y else { return nil }
    return Chart.Position(x, y)
  }

  package func note(_ state: State) -> [Run] {
    [Run("\(shownGain(state).rawValue) / \(cost.rawValue) log", .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let gain = shownGain(state)
    var marks: [Chart.Mark] = []
    let float32 = state.currentEntry.flatMap { state.shown($0).float32 } ?? state.float32
    if let float32, let place = position(float32, gain) {
      marks.append(Chart.Mark(at: place, symbol: "◆", label: "F", .muted))
    }
    var points: [Chart.Position] = marks.map(\.at)
    for (index, entry) in state.candidates.enumerated() {
      guard let trial = state.shown(entry).trial, let place = position(trial, gain) else { continue }
      let isCurrent = entry.id == state.current
      points.append(place)
      marks.append(
        Chart.Mark(
          at: place, symbol: isCurrent ? "★" : "●", label: entry.id.letter,
          isCurrent ? Style.series(index).with(.bold) : .series(index)))
    }
    guard !marks.isEmpty else {
      canvas.put("Measured candidates appear here.", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    Chart(
      x: Chart.Axis(.log), y: Chart.Axis(),
      curves: [Chart.Curve(Self.front(points), .muted)], marks: marks
    ).draw(on: &canvas, in: area)
  }

  /// By cost.
  static func front(_ points: [Chart.Position]) -> [Chart.Position] {
    ParetoFront.indices(points.map { (cost: $0.x, gain: $0.y) }).map { points[$0] }
  }
}
