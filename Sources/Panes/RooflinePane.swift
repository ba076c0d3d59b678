import Analysis
import Interface
import Workbench

/// The steps of the current candidate and of float32 under the machine's roofline: what each does a second over what it
/// does for each byte.
package struct RooflinePane: CommandedPane {
  package static let kind = PaneKind.roofline

  /// Whose steps are drawn.
  private enum Whose: String, Sendable, CaseIterable {
    case both = "f32 + candidate"
    case candidate
    case float32

    var views: [StepTimes.View] {
      switch self {
      // The candidate's points lie over those of float32.
      case .both: [.float32, .candidate]
      case .candidate: [.candidate]
      case .float32: [.float32]
      }
    }
  }

  private var whose = Whose.both
  private var sight = PlaneSight()
  /// `nil` is the point of the layer under the cursor elsewhere.
  private var cursor: RooflinePoint.ID?
  /// The layer and candidate as last seen; the cursor goes along when one changes.
  private var followed: (layer: String?, candidate: CandidateID?) = (nil, nil)

  package init() {}

  package enum Step: Sendable {
    case goToLayer
    case whose
    case measure
    case plane(PlaneStep)
  }

  package static let commands = CommandTable<PaneContext<RooflinePane>, Step>(
    [
      Command(
        "roofline.layer", keys: [.enter], title: "to layer",
        explanation: "Go to the layer of the point under the cursor in Layers.", group: "Roofline", hint: 10,
        action: .goToLayer,
        availability: {
          guard let point = $0.pane.place($0.state) else { return hasPoints($0) }
          return .when(point.layer != nil, else: "This step belongs to no layer.")
        }),
      Command(
        "roofline.measure", keys: [.character("r")], title: "measure",
        explanation: "Measure the steps of the candidate and of float32, again where they were measured.",
        group: "Roofline", hint: 11, replaces: ["run"], action: .measure,
        availability: {
          guard $0.state.project != nil else { return .unavailable("No model is open.") }
          if case .waiting = $0.state.shownSteps($0.pane.asked($0.state))?.status {
            return .unavailable("They are being measured.")
          }
          return .available
        }),
      Command(
        "roofline.whose", keys: [.character("v")], title: "whose",
        explanation: "Draw the steps of float32 and the candidate, or of one of them alone.",
        group: "Roofline", hint: 12, action: .whose, availability: hasPoints),
    ]
      + PlaneStep.commands(
        "roofline", group: "Roofline", hasPoints: hasPoints, isZoomed: { !$0.pane.sight.isWhole }
      ) { .plane($0) })

  private static let hasPoints: @Sendable (PaneContext<RooflinePane>) -> Availability = {
    .when(
      !$0.pane.points($0.state).points.isEmpty,
      else: "Nothing is drawn; \($0.state.keys["roofline.measure"]) measures the steps.")
  }

  /// Whose steps a measurement is asked for: float32 is measured with every candidate.
  private func asked(_ state: State) -> StepTimes.View {
    whose == .float32 || state.currentEntry == nil ? .float32 : .candidate
  }

  private func points(_ state: State) -> RooflinePoints { RooflinePoints(state, whose.views) }

  /// The point under the cursor.
  private func place(_ state: State) -> RooflinePoint? { place(points(state), state) }

  private func place(_ points: RooflinePoints, _ state: State) -> RooflinePoint? {
    points[cursor] ?? points.point(of: state.layer) ?? points.points.last
  }

  package mutating func follow(_ state: State) {
    guard followed != (state.layer, state.current) else { return }
    followed = (state.layer, state.current)
    cursor = nil
  }

  package func pointedLayer(_ state: State) -> String? { place(state)?.layer }

  // MARK: steps

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .goToLayer: return [.run(id: "jump")]
    case .measure: return [.act(.timeSteps(asked(state)))]
    case .whose:
      let all = Whose.allCases
      whose = all[((all.firstIndex(of: whose) ?? 0) + 1) % all.count]
      sight.fit()
    case .plane(let step): apply(step, points(state), state)
    }
    return []
  }

  private mutating func apply(_ step: PlaneStep, _ points: RooflinePoints, _ state: State) {
    let whole = points.whole
    switch step {
    case .fit: sight.fit()
    case .pan(let across, let upward): sight.pan(across, upward, in: whole)
    case .zoom(let factor):
      if let at = place(points, state)?.at { sight.zoom(by: factor, around: at, in: whole) }
    case .move(let direction):
      guard let here = place(points, state) else { return }
      cursor = here.id
      guard let next = points.points.next(from: here.id, direction, in: whole) else { return }
      cursor = next.id
      sight.bring(next.at, in: whole)
    }
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let points = points(state)
    guard !points.points.isEmpty else { return [] }
    let frame = picture(points, state, in: area).frame
    sight.handle(mouse, frame, in: points.whole)
    guard case .press(.left) = mouse.kind, let point = points.points.nearest(to: mouse.at, frame) else {
      return []
    }
    guard cursor == point.id else {
      cursor = point.id
      return []
    }
    return point.layer == nil ? [] : update(.goToLayer, state, size: area.size)
  }

  // MARK: drawing

  package func note(_ state: State) -> [Run] {
    [Run("\(whose.rawValue)  GOP/s / op/byte", .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    let points = points(state)
    if !sight.isWhole {
      let inSight = points.points.inSight(sight.seen(of: points.whole))
      return [Run("\(inSight) of \(points.points.count) in sight", .muted)]
    }
    guard points.placeless > 0, !points.points.isEmpty else { return [] }
    return [Run("\(points.points.count) steps, \(points.placeless) more move data only", .muted)]
  }

  /// The chart, where its parts lie, and the words around it.
  private struct Picture {
    var chart: Chart
    var frame: Chart.Frame
    var area: Rect
    var head: [Run]?
    var words: [[Run]]
    /// The cell of the point under the cursor.
    var cursor: Point?
  }

  private func picture(_ points: RooflinePoints, _ state: State, in area: Rect) -> Picture {
    let seen = sight.seen(of: points.whole)
    let selected = place(points, state)
    var chart = Chart(x: Chart.Axis(.log, range: seen.x.range), y: Chart.Axis(.log, range: seen.y.range))
    points.roofs?.draw(on: &chart, in: seen)
    let head = notice(state)
    let most = Swift.max(Swift.min(area.height - 6, area.height / 3), 0)
    let words = Array((selected.map { facts($0, width: area.width) } ?? []).prefix(most))
    let room = area.inset(top: head == nil ? 0 : 1, bottom: words.count)
    let frame = chart.frame(in: room)
    // The last drawn lies on top: of a cell's points the one under the cursor.
    let order = points.points.filter { $0.id != selected?.id } + (selected.map { [$0] } ?? [])
    chart.marks = order.map { point in
      let isNamed = point.layer != nil && point.layer == selected?.layer
      return Chart.Mark(
        at: point.at, symbol: point.symbol, label: isNamed ? (point.isStale ? "~" : "") + point.letter : "",
        isNamed ? point.style.bold : point.style)
    }
    return Picture(
      chart: chart, frame: frame, area: room, head: head, words: words,
      cursor: selected.flatMap { frame.cell(of: $0.at) })
  }

  /// What is under way or wrong.
  private func notice(_ state: State) -> [Run]? {
    guard let shown = state.shownSteps(asked(state)) else { return nil }
    return InquiryNotice.runs(
      shown.status, title: shown.title, doing: "measuring", isStale: shown.isStale,
      again: "\(state.keys["roofline.measure"]) measures again")
  }

  /// The point under the cursor in words.
  private func facts(_ point: RooflinePoint, width: Int) -> [[Run]] {
    let row = point.row
    let sign = point.isStale ? "~" : ""
    func figure(_ value: String, _ unit: String) -> [Run] { [Run(sign + value), Run(" \(unit)", .muted)] }
    let name = Fitting.cutMiddle(row.name, to: Swift.max(width - 4, 8))
    let groups: [[Run]] = [
      [Run("\(point.symbol) \(name)", point.style.bold)], [Run(Fitting.cut(point.title, to: width), .muted)],
      figure(Numbers.significant(point.at.y), "GOP/s"),
      [
        Run("\(sign)\(Numbers.percent(row.fraction, 0)) %", row.fraction >= 0.7 ? .good : .text),
        Run(" of \(Numbers.significant(point.attainable)) attainable", .muted),
      ],
      figure(Numbers.significant(point.at.x), "op/byte"),
      figure(row.ms < 10 ? Numbers.fixed(row.ms, 4) : Numbers.milliseconds(row.ms), "ms"),
      [Run("\(row.kernel): \(row.verdict)", .info)],
    ]
    return Fitting.flow(groups, to: width)
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let points = points(state)
    guard !points.points.isEmpty else {
      for (row, line) in Fitting.wrap(emptiness(state), to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
      return
    }
    let picture = picture(points, state, in: area)
    if let head = picture.head { canvas.put(head, x: area.x, y: area.y, width: area.width) }
    picture.chart.draw(on: &canvas, in: picture.area)
    if let cursor = picture.cursor {
      canvas.restyle(Rect(x: cursor.x, y: cursor.y, width: 1, height: 1)) {
        isFocused ? $0.selected : $0.selectedIdle
      }
    }
    for (row, line) in picture.words.enumerated() {
      canvas.put(line, x: area.x, y: picture.area.maxY + row, width: area.width)
    }
  }

  /// What stands where there are no points.
  private func emptiness(_ state: State) -> String {
    guard state.project != nil else { return "No model is open: \(state.keys["open"]) opens one." }
    guard let shown = state.shownSteps(asked(state)) else { return "" }
    let key = state.keys["roofline.measure"]
    switch shown.status {
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return "Measuring the steps of \(shown.title) …\(share)"
    case .failed(let message): return "\(shown.title): \(message). \(key) tries again."
    case .notAsked, .done:
      return shown.variant == nil
        ? "How near each step of \(shown.title) comes to what the machine allows: \(key) measures it."
        : "No step of \(shown.title) computes anything: all of them move data."
    }
  }
}
