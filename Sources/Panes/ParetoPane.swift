import Interface
import Workbench
import Workflows

/// Candidates as points over two figures: which of them no other beats.
package struct ParetoPane: CommandedPane {
  package static let kind = PaneKind.pareto

  /// What an axis shows.
  private struct View: Sendable {
    /// What was chosen; `nil` is what says most.
    var figure: TrialFigure?
    /// `nil` is the figure's own.
    var scale: Chart.Scale?
  }

  private var x = View()
  private var y = View()
  private var sight = PlaneSight()
  /// `nil` is the current candidate's point.
  private var cursor: ParetoPoint.ID?
  /// The current candidate as last seen; the cursor goes along when it changes.
  private var followed: CandidateID?

  package init() {}

  package enum Step: Sendable {
    case chooseX
    case chooseY
    case scaleX
    case scaleY
    case select
    case plane(PlaneStep)
  }

  package static let commands = CommandTable<PaneContext<ParetoPane>, Step>(
    [
      command(
        "select", .enter, title: "make current",
        "Make the candidate under the cursor the current one.", hint: 10, .select,
        availability: {
          guard let id = $0.pane.place($0.state)?.id else { return hasPoints($0) }
          return .when(
            id != .float32, else: "float32 is the reference; the cursor is not on a candidate.")
        }),
      command(
        "x", .character("o"), title: "x axis", "Choose what is drawn to the right.", hint: 11, .chooseX),
      command("y", .character("O"), title: "y axis", "Choose what is drawn upward.", hint: 11, .chooseY),
      command(
        "x-scale", .character("w"), title: "x scale", "Linear or logarithmic x axis.", .scaleX,
        availability: hasPoints),
      command(
        "y-scale", .character("v"), title: "y scale", "Linear or logarithmic y axis.", .scaleY,
        availability: hasPoints),
    ]
      + PlaneStep.commands(
        "pareto", group: "Pareto", hasPoints: hasPoints, isZoomed: { !$0.pane.sight.isWhole }
      ) { .plane($0) })

  /// A command of the pane.
  private static func command(
    _ name: String, _ key: Key, title: String, _ explanation: String, hint: Int? = nil, _ step: Step,
    availability: @escaping @Sendable (PaneContext<ParetoPane>) -> Availability = { _ in
      .available
    }
  ) -> Command<PaneContext<ParetoPane>, Step> {
    Command(
      "pareto.\(name)", keys: [key], title: title, explanation: explanation, group: "Pareto",
      hint: hint, action: step, availability: availability)
  }

  private static let hasPoints: @Sendable (PaneContext<ParetoPane>) -> Availability = {
    .when(
      !$0.pane.points($0.state).points.isEmpty,
      else: "Nothing is drawn; \($0.state.keys["run"]) measures the candidate.")
  }

  // MARK: what is seen

  private func figures(_ state: State) -> (x: TrialFigure, y: TrialFigure) {
    let trials = state.candidates.compactMap { state.shown($0).trial }
    let isLabelled = trials.isEmpty || trials.contains { $0.top1 != nil }
    let gain = isLabelled ? "accuracy" : trials.contains { $0.agreement != nil } ? "agreement" : "sqnr"
    return (x.figure ?? Self.figure("size"), y.figure ?? Self.figure(gain))
  }

  private static func figure(_ id: String) -> TrialFigure { TrialFigure[id] ?? TrialFigure.all[0] }

  private func points(_ state: State) -> ParetoPoints {
    let figures = figures(state)
    return ParetoPoints(state, x: figures.x, y: figures.y)
  }

  private func scales(_ points: ParetoPoints) -> (x: Chart.Scale, y: Chart.Scale) {
    (x.scale ?? points.x.scale, y.scale ?? points.y.scale)
  }

  /// All that could be in sight.
  private func whole(_ points: ParetoPoints) -> PlaneSight.Reaches {
    let scales = scales(points)
    return (points.reach(scales.x, \.x), points.reach(scales.y, \.y))
  }

  /// The point under the cursor.
  private func place(_ state: State) -> ParetoPoint? { place(points(state), state) }

  private func place(_ points: ParetoPoints, _ state: State) -> ParetoPoint? {
    points[cursor] ?? points[state.current.map { .candidate($0) }] ?? points.points.last
  }

  package mutating func follow(_ state: State) {
    guard state.current != followed else { return }
    followed = state.current
    cursor = nil
  }

  // MARK: steps

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let points = points(state)
    switch step {
    case .chooseX: return [.open(Self.list("x", points.x, state))]
    case .chooseY: return [.open(Self.list("y", points.y, state))]
    case .scaleX:
      x.scale = scales(points).x == .log ? .linear : .log
      sight.fitX()
    case .scaleY:
      y.scale = scales(points).y == .log ? .linear : .log
      sight.fitY()
    case .select:
      guard let point = place(points, state), case .candidate(let id) = point.id else { return [] }
      return [.act(.select(id))]
    case .plane(let step): apply(step, points, state)
    }
    return []
  }

  private mutating func apply(_ step: PlaneStep, _ points: ParetoPoints, _ state: State) {
    let whole = whole(points)
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

  /// Figures for an axis; those that nothing has cannot be chosen.
  private static func list(_ axis: String, _ shown: TrialFigure, _ state: State) -> MenuDialog {
    let trials = state.candidates.compactMap { state.shown($0).trial } + (state.float32.map { [$0] } ?? [])
    let items = TrialFigure.all.map { figure in
      var item = Menu.Item(
        label: figure.isBetterHigher ? "↑" : "↓", title: figure.title, detail: figure.explanation)
      if !trials.contains(where: { figure.of($0) != nil && figure.value($0) != nil }) {
        item.reason = "No candidate has it."
      }
      return item
    }
    return MenuDialog(
      title: "What \(axis) shows: ↑ more is better, ↓ less is", items: items,
      outputs: TrialFigure.all.map { [.run(id: "pareto.\(axis) \($0.id)")] },
      cursor: TrialFigure.all.firstIndex { $0.id == shown.id } ?? 0)
  }

  /// Also takes what the lists of figures give: `pareto.x kl`.
  package mutating func run(id: String, _ state: State, size: Size) -> PaneResult {
    let words = id.split(separator: " ").map(String.init)
    guard words.count == 2, let figure = TrialFigure[words[1]] else {
      switch Self.commands.match(id: id, in: PaneContext(pane: self, state: state)) {
      case .none: return .ignored
      case .perform(let step): return .done(update(step, state, size: size))
      case .unavailable(let reason): return .unavailable(reason)
      }
    }
    switch words[0] {
    case "pareto.x":
      x = View(figure: figure)
      sight.fitX()
    case "pareto.y":
      y = View(figure: figure)
      sight.fitY()
    default: return .ignored
    }
    return .done([])
  }

  // MARK: the mouse

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let points = points(state)
    let frame = picture(points, state, in: area).frame
    sight.handle(mouse, frame, in: whole(points))
    guard case .press(.left) = mouse.kind, let point = points.points.nearest(to: mouse.at, frame) else {
      return []
    }
    guard cursor == point.id else {
      cursor = point.id
      return []
    }
    return point.id == .float32 ? [] : update(.select, state, size: area.size)
  }

  // MARK: drawing

  package func note(_ state: State) -> [Run] {
    let points = points(state)
    let scales = scales(points)
    func axis(_ figure: TrialFigure, _ scale: Chart.Scale) -> String {
      "\(figure.title)\(figure.isBetterHigher ? "↑" : "↓")\(scale == .log ? " log" : "")"
    }
    return [Run("\(axis(points.y, scales.y)) / \(axis(points.x, scales.x))", .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    guard !sight.isWhole else { return [] }
    let points = points(state)
    let inSight = points.points.inSight(sight.seen(of: whole(points)))
    return [Run("\(inSight) of \(points.points.count) in sight", .muted)]
  }

  /// The chart, where its parts lie, and the words below it.
  private struct Picture {
    var chart: Chart
    var frame: Chart.Frame
    var area: Rect
    var words: [[Run]]
    /// The cell of the point under the cursor.
    var cursor: Point?
  }

  private func picture(_ points: ParetoPoints, _ state: State, in area: Rect) -> Picture {
    let (seen, scales) = (sight.seen(of: whole(points)), scales(points))
    let selected = place(points, state)
    let axes = (x: Chart.Axis(scales.x, range: seen.x.range), y: Chart.Axis(scales.y, range: seen.y.range))
    var chart = Chart(x: axes.x, y: axes.y, curves: [Chart.Curve(points.front, .muted)])
    let groups = selected.map { facts($0, points) } ?? []
    let most = Swift.max(Swift.min(area.height - 6, area.height / 3), 0)
    /// The words and what they leave for the chart, by the points that share the cursor's cell.
    func split(_ others: [ParetoPoint]) -> (words: [[Run]], room: Rect) {
      let same =
        others.isEmpty
        ? [] : [[Run("same place: ", .muted), Run(others.map(\.letter).joined(separator: " "), .key)]]
      let words = Fitting.flow(groups + same, to: area.width).prefix(most)
      return (Array(words), area.inset(bottom: words.count))
    }
    func others(_ room: Rect) -> [ParetoPoint] {
      let frame = chart.frame(in: room)
      guard let selected, let here = frame.cell(of: selected.at) else { return [] }
      return points.points.filter { $0.id != selected.id && frame.cell(of: $0.at) == here }
    }
    // Which points share a cell depends on the rows that the words leave, and the words on which do.
    let (words, room) = split(others(split([]).room))
    let frame = chart.frame(in: room)
    let cells = Dictionary(grouping: points.points) { frame.cell(of: $0.at) }
    let here = selected.flatMap { frame.cell(of: $0.at) }
    for (cell, there) in cells where cell != nil {
      // One symbol stands for all; the last drawn is the one that matters most.
      guard
        let top = there.first(where: { $0.id == selected?.id }) ?? there.first(where: \.isCurrent)
          ?? there.last
      else { continue }
      chart.marks.append(
        Chart.Mark(at: top.at, symbol: top.symbol, label: Self.label(there), top.style))
    }
    chart.marks.sort { ($0.at.x, $0.at.y, $0.label) < ($1.at.x, $1.at.y, $1.label) }
    chart.whiskers = points.points.filter { $0.xInterval != nil || $0.yInterval != nil }.map {
      Chart.Whisker(at: $0.at, x: $0.xInterval, y: $0.yInterval, .muted)
    }
    return Picture(chart: chart, frame: frame, area: room, words: words, cursor: here)
  }

  /// The letters of points at one place, with the signs of those that are not measured: `A`, `~B`, `A,C`, `A,C+3`.
  private static func label(_ points: [ParetoPoint]) -> String {
    let letters = points.map { $0.trust.sign + $0.letter }
    return letters.count <= 3
      ? letters.joined(separator: ",") : "\(letters.prefix(2).joined(separator: ","))+\(letters.count - 2)"
  }

  private func facts(_ point: ParetoPoint, _ points: ParetoPoints) -> [[Run]] {
    func figure(_ figure: TrialFigure, _ value: Double, _ interval: ClosedRange<Double>?) -> [Run] {
      var runs = [Run(point.trust.sign + figure.text(value)), Run(" \(figure.title)", .muted)]
      if let interval {
        runs.append(
          Run(" \(figure.text(interval.lowerBound))…\(figure.text(interval.upperBound))", .muted))
      }
      return runs
    }
    var groups = [
      [Run("\(point.symbol) \(point.title)", point.style)],
      figure(points.y, point.at.y, point.yInterval), figure(points.x, point.at.x, point.xInterval),
    ]
    switch point.trust {
    case .predicted: groups.append([Run("predicted", .info)])
    case .provisional: groups.append([Run("so far", .info)])
    case .stale: groups.append([Run("earlier form", .stale)])
    case .measured where point.isDominated: groups.append([Run("beaten", .warn)])
    case .measured: groups.append([Run("on the front", .good)])
    }
    return groups
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let points = points(state)
    guard !points.points.isEmpty else {
      let measured = state.candidates.contains { state.shown($0).trial != nil }
      let text =
        measured
        ? "Nothing has both \(points.y.title) and \(points.x.title): \(state.keys["pareto.x"]) and \(state.keys["pareto.y"]) choose other figures."
        : "Measured candidates appear here: \(state.keys["run"]) measures the current one."
      for (row, line) in Fitting.wrap(text, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
      return
    }
    let picture = picture(points, state, in: area)
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
}
