import Analysis
import Interface
import Workbench
import Workflows

/// float32 or a candidate as a place over two figures.
struct ParetoPoint: PlanePoint, Sendable {
  enum ID: Hashable, Sendable {
    case float32
    case candidate(CandidateID)
  }

  /// How far its figures can be believed.
  enum Trust: Sendable {
    case measured
    /// Of an earlier form of the recipe, or of another machine.
    case stale
    /// Of the samples or epochs so far.
    case provisional
    /// Not measured.
    case predicted

    /// What stands before figures, as in the comparison.
    var sign: String {
      switch self {
      case .measured: ""
      case .stale: "~"
      case .provisional, .predicted: "≈"
      }
    }
  }

  var id: ID
  var letter: String
  /// Letter and name.
  var title: String
  var style: Style
  var at: Chart.Position
  var trust: Trust
  var xInterval: ClosedRange<Double>?
  var yInterval: ClosedRange<Double>?
  var isCurrent: Bool
  /// Another measured point is at least as good in both figures and better in one.
  var isDominated = false

  var symbol: Character {
    if id == .float32 { return "◆" }
    switch trust {
    case .measured where !isDominated: return isCurrent ? "★" : "●"
    case .predicted: return isCurrent ? "☆" : "◇"
    case .measured, .stale, .provisional: return isCurrent ? "☆" : "○"
    }
  }
}

/// All that has a place over two figures: float32 first, then the candidates in their order.
struct ParetoPoints: Sendable {
  let x: TrialFigure
  let y: TrialFigure
  private(set) var points: [ParetoPoint] = []
  /// Points that no measured one beats, by rising x.
  private(set) var front: [Chart.Position] = []

  init(_ state: State, x: TrialFigure, y: TrialFigure) {
    self.x = x
    self.y = y
    let float32 = state.currentEntry.flatMap { state.shown($0).float32 } ?? state.float32
    if let float32, let xValue = x.of(float32), let yValue = y.of(float32) {
      points.append(
        ParetoPoint(
          id: .float32, letter: "f32", title: "float32", style: .muted, at: Chart.Position(xValue, yValue),
          trust: .measured, isCurrent: false))
    }
    for (index, entry) in state.candidates.enumerated() {
      if let point = point(entry, index, state, float32) { points.append(point) }
    }
    findFront()
  }

  private func point(_ entry: CandidateEntry, _ index: Int, _ state: State, _ float32: Trial?) -> ParetoPoint?
  {
    let shown = state.shown(entry)
    let isCurrent = entry.id == state.current
    var point = ParetoPoint(
      id: .candidate(entry.id), letter: entry.id.letter, title: entry.title,
      style: isCurrent ? Style.series(index).bold : .series(index), at: Chart.Position(.nan, .nan),
      trust: .measured, isCurrent: isCurrent)
    if let prediction = shown.prediction, let xValue = x.predicted(prediction, float32),
      let yValue = y.predicted(prediction, float32)
    {
      point.at = Chart.Position(xValue, yValue)
      point.trust = .predicted
      return point
    }
    guard let trial = shown.trial, let xValue = x.of(trial), let yValue = y.of(trial) else { return nil }
    point.at = Chart.Position(xValue, yValue)
    point.xInterval = x.interval(trial, shown.float32)
    point.yInterval = y.interval(trial, shown.float32)
    let isDoubtful = shown.isStale || ((x.isTime || y.isTime) && shown.latencyIsStale)
    if isDoubtful {
      point.trust = .stale
    } else if shown.isProvisional || state.live[entry.id] != nil {
      point.trust = .provisional
    }
    return point
  }

  private mutating func findFront() {
    let measured = points.indices.filter { points[$0].trust == .measured }
    let places = measured.map { index in
      let at = points[index].at
      return (cost: x.isBetterHigher ? -at.x : at.x, gain: y.isBetterHigher ? at.y : -at.y)
    }
    front = ParetoFront.indices(places).map { points[measured[$0]].at }
    for index in measured { points[index].isDominated = !front.contains(points[index].at) }
  }

  /// What an axis has to cover: points with their intervals.
  func reach(_ axis: Chart.Scale, _ value: KeyPath<Chart.Position, Double>) -> Chart.Reach {
    let intervals = points.flatMap { point -> [Double] in
      let interval = value == \.x ? point.xInterval : point.yInterval
      return interval.map { [$0.lowerBound, $0.upperBound] } ?? []
    }
    return Chart.Reach(Chart.Axis(axis), over: points.map { $0.at[keyPath: value] } + intervals)
  }

  subscript(id: ParetoPoint.ID?) -> ParetoPoint? { points.first { $0.id == id } }
}
