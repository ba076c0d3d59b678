import Analysis
import Interface
import Workbench

/// A step of float32 or of the current candidate as a place under the roofs.
struct RooflinePoint: PlanePoint, Sendable {
  struct ID: Hashable, Sendable {
    var view: StepTimes.View
    /// Among the steps of that variant.
    var step: Int
  }

  var id: ID
  var row: Roofline.Row
  /// The layer that gives the step its kernel.
  var layer: String?
  /// Whose step it is.
  var title: String
  /// The same in a letter or two.
  var letter: String
  /// Measured under an earlier form of the recipe.
  var isStale: Bool
  var at: Chart.Position
  var style: Style

  var symbol: Character { id.view == .float32 ? "○" : "●" }

  /// What the machine allows a step that does as many operations a byte, in 10⁹ operations per second.
  var attainable: Double { at.y / Swift.max(row.fraction, .leastNonzeroMagnitude) }
}

/// The steps of some variants over the operations per byte they do, and the roofs they lie under.
struct RooflinePoints: Sendable {
  private(set) var points: [RooflinePoint] = []
  /// Steps that only move data and so have no place.
  private(set) var placeless = 0
  let roofs: RooflineRoofs?

  init(_ state: State, _ views: [StepTimes.View]) {
    roofs = state.steps.peaks.map(RooflineRoofs.init)
    let layers = state.layerList
    for view in views {
      guard let shown = state.shownSteps(view), let variant = shown.variant else { continue }
      let place = state.candidates.firstIndex { $0.id == state.current } ?? 0
      let style: Style = view == .float32 ? .muted : shown.isStale ? .stale : .series(place)
      for (index, row) in variant.steps.enumerated() {
        guard let at = row.place else {
          placeless += 1
          continue
        }
        points.append(
          RooflinePoint(
            id: RooflinePoint.ID(view: view, step: index), row: row,
            layer: StepRows.layer(of: row) { layers[$0] != nil }, title: shown.title,
            letter: view == .float32 ? "f32" : state.current?.letter ?? "", isStale: shown.isStale,
            at: Chart.Position(at.intensity, at.gops), style: style))
      }
    }
  }

  subscript(id: RooflinePoint.ID?) -> RooflinePoint? { points.first { $0.id == id } }

  /// The point of a layer: the candidate's, else float32's.
  func point(of layer: String?) -> RooflinePoint? {
    guard let layer else { return nil }
    let own = points.filter { $0.layer == layer || $0.row.nodes.contains(layer) }
    return own.first { $0.id.view == .candidate } ?? own.first
  }

  /// All that could be in sight: the points, the peaks, and where the slope of the slowest memory meets the lowest of them.
  var whole: PlaneSight.Reaches {
    let corner = roofs.flatMap { roofs in
      roofs.memory.last.flatMap { memory in roofs.arithmetic.first.map { $0.gops / memory.gbs } }
    }
    return (
      Chart.Reach(Chart.Axis(.log), over: points.map(\.at.x) + (corner.map { [$0] } ?? [])),
      Chart.Reach(Chart.Axis(.log), over: points.map(\.at.y) + (roofs?.arithmetic.map(\.gops) ?? []))
    )
  }
}

/// What the machine allows: level roofs for arithmetic, slopes for the places data comes from.
struct RooflineRoofs: Sendable {
  /// Lowest first.
  let arithmetic: [(name: String, gops: Double)]
  /// Fastest first.
  let memory: [(name: String, gbs: Double)]

  init(_ peaks: Peaks) {
    arithmetic = [
      ("float32", peaks.gops(of: peaks.float32)), ("int8", peaks.gops(of: peaks.int8)),
    ].filter { $0.1 > 0 }.sorted { $0.1 < $1.1 }
    memory = peaks.memory.map { ($0.name, peaks.gbs(of: $0)) }.filter { $0.1 > 0 }.sorted { $0.1 > $1.1 }
  }

  /// Adds them to a chart that shows a part of the plane.
  ///
  /// A slope goes from the left up to the highest roof, a roof from the steepest slope to the right.
  func draw(on chart: inout Chart, in seen: PlaneSight.Reaches) {
    let (left, right) = (seen.x.range.lowerBound, seen.x.range.upperBound)
    let bottom = seen.y.range.lowerBound
    guard let top = arithmetic.last, let steepest = memory.first else { return }
    for roof in arithmetic {
      let start = Chart.Position(roof.gops / steepest.gbs, roof.gops)
      chart.curves.append(
        Chart.Curve([start, Chart.Position(Swift.max(right, start.x), roof.gops)], .border))
      chart.notes.append(Chart.Note(at: Chart.Position(right, roof.gops), roof.name, align: .right, .key))
    }
    for place in memory {
      let start = Swift.min(left, top.gops / place.gbs)
      chart.curves.append(
        Chart.Curve(
          [
            Chart.Position(start, start * place.gbs), Chart.Position(top.gops / place.gbs, top.gops),
          ], .border))
      // Where it enters the picture, from the left or from below.
      let entry = Swift.max(left, bottom / place.gbs)
      chart.notes.append(Chart.Note(at: Chart.Position(entry, entry * place.gbs), place.name, .key))
    }
  }
}
