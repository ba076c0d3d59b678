import Interface
import Workbench
import Workflows

/// Candidates as points over two figures: which of them no other beats.
package struct ParetoPane: CommandedPane {
  package static let kind = PaneKind.pareto

  /// What is looked at: figures, scales, and the part in sight.
  private struct View: Sendable {
    /// What was chosen; `nil` is what says most.
    var figure: TrialFigure?
    /// `nil` is the figure's own.
    var scale: Chart.Scale?
    /// `nil` is all there is.
    var range: ClosedRange<Double>?
  }

  private var x = View()
  private var y = View()
  /// `nil` is the current candidate's point.
  private var cursor: ParetoPoint.ID?
  /// The current candidate as last seen; the cursor goes along when it changes.
  private var followed: CandidateID?
  /// Where the pointer holds the plane.
  private var held: Point?

  package init() {}

  package enum Step: Sendable {
    case chooseX
    case chooseY
    case scaleX
    case scaleY
    case zoom(Double)
    case fit
    case pan(Double, Double)
    case select
    case move(Direction)

    package enum Direction: Sendable { case left, right, up, down }
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
      command(
        "zoom-in", .character(")"), title: "zoom in", "Look closer, around the cursor.", hint: 16,
        .zoom(zoomStep), availability: hasPoints),
      command(
        "zoom-out", .character("("), title: "zoom out", "Look from farther.", .zoom(1 / zoomStep),
        availability: isZoomed),
      command(
        "fit", .character("0"), title: "fit", "Show every point again.", hint: 16, .fit,
        availability: isZoomed),
    ] + directions + pans)

  /// A command of the pane.
  private static func command(
    _ name: String, _ key: Key, title: String, _ explanation: String, hint: Int? = nil, _ step: Step,
    also: [Key] = [],
    availability: @escaping @Sendable (PaneContext<ParetoPane>) -> Availability = { _ in
      .available
    }
  ) -> Command<PaneContext<ParetoPane>, Step> {
    Command(
      "pareto.\(name)", keys: [key] + also, title: title, explanation: explanation, group: "Pareto",
      hint: hint, action: step, availability: availability)
  }

  private static let directions: [Command<PaneContext<ParetoPane>, Step>] = [
    command(
      "right", .character("l"), title: "right", "Go to the next point to the right.", .move(.right),
      also: [.right], availability: hasPoints),
    command(
      "left", .character("h"), title: "left", "Go to the next point to the left.", .move(.left),
      also: [.left], availability: hasPoints),
    command(
      "up", .character("k"), title: "up", "Go to the next point above.", .move(.up), also: [.up],
      availability: hasPoints),
    command(
      "down", .character("j"), title: "down", "Go to the next point below.", .move(.down), also: [.down],
      availability: hasPoints),
  ]

  private static let pans: [Command<PaneContext<ParetoPane>, Step>] = [
    command(
      "pan-left", .character(","), title: "pan left", "Look further to the left.", .pan(-panStep, 0),
      also: [.controlLeft], availability: isZoomed),
    command(
      "pan-right", .character("."), title: "pan right", "Look further to the right.", .pan(panStep, 0),
      also: [.controlRight], availability: isZoomed),
    command(
      "pan-down", .character(";"), title: "pan down", "Look further down.", .pan(0, -panStep),
      also: [.controlDown], availability: isZoomed),
    command(
      "pan-up", .character("'"), title: "pan up", "Look further up.", .pan(0, panStep), also: [.controlUp],
      availability: isZoomed),
  ]

  private static let zoomStep = 2.0 / 3
  private static let panStep = 0.25

  private static let hasPoints: @Sendable (PaneContext<ParetoPane>) -> Availability = {
    .when(!$0.pane.points($0.state).points.isEmpty, else: "Nothing is drawn; r measures the candidate.")
  }

  private static let isZoomed: @Sendable (PaneContext<ParetoPane>) -> Availability = {
    .when(
      $0.pane.x.range != nil || $0.pane.y.range != nil, else: "All of it is in sight; ) looks closer.")
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
  private func whole(_ points: ParetoPoints) -> (x: Chart.Reach, y: Chart.Reach) {
    let scales = scales(points)
    return (points.reach(scales.x, \.x), points.reach(scales.y, \.y))
  }

  /// What is in sight.
  private func seen(_ points: ParetoPoints) -> (x: Chart.Reach, y: Chart.Reach) {
    let (scales, whole) = (scales(points), whole(points))
    func reach(_ view: View, _ scale: Chart.Scale, _ whole: Chart.Reach) -> Chart.Reach {
      view.range.map { Chart.Reach(Chart.Axis(scale, range: $0), over: []) } ?? whole
    }
    return (reach(x, scales.x, whole.x), reach(y, scales.y, whole.y))
  }

  /// The point under the cursor.
  private func place(_ state: State) -> ParetoPoint? { place(points(state), state) }

  private func place(_ points: ParetoPoints, _ state: State) -> ParetoPoint? {
    points[cursor] ?? points[state.current.map { .candidate($0) }] ?? points.points.last
  }

  private mutating func show(
    _ seen: (x: Chart.Reach, y: Chart.Reach), of whole: (x: Chart.Reach, y: Chart.Reach)
  ) {
    func range(_ seen: Chart.Reach, _ whole: Chart.Reach) -> ClosedRange<Double>? {
      seen.magnification(in: whole) > 1.000_001 ? seen.range : nil
    }
    x.range = range(seen.x, whole.x)
    y.range = range(seen.y, whole.y)
  }

  package mutating func follow(_ state: State) {
    guard state.current != followed else { return }
    followed = state.current
    cursor = nil
  }

  // MARK: steps

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let points = points(state)
    let (seen, whole) = (seen(points), whole(points))
    switch step {
    case .chooseX: return [.open(Self.list("x", points.x, state))]
    case .chooseY: return [.open(Self.list("y", points.y, state))]
    case .scaleX: (x.scale, x.range) = (scales(points).x == .log ? .linear : .log, nil)
    case .scaleY: (y.scale, y.range) = (scales(points).y == .log ? .linear : .log, nil)
    case .fit: (x.range, y.range) = (nil, nil)
    case .zoom(let factor):
      guard let at = place(points, state)?.at else { return [] }
      zoom(by: factor, around: at, seen, whole)
    case .pan(let across, let upward):
      show(
        (seen.x.moved(by: across, inside: whole.x), seen.y.moved(by: upward, inside: whole.y)), of: whole)
    case .select:
      guard let point = place(points, state), case .candidate(let id) = point.id else { return [] }
      return [.act(.select(id))]
    case .move(let direction):
      guard let here = place(points, state) else { return [] }
      cursor = here.id
      guard let next = points.next(from: here.id, direction, whole.x, whole.y), let point = points[next]
      else {
        return []
      }
      cursor = next
      show(
        (seen.x.showing(point.at.x, inside: whole.x), seen.y.showing(point.at.y, inside: whole.y)), of: whole)
    }
    return []
  }

  private mutating func zoom(
    by factor: Double, around at: Chart.Position, _ seen: (x: Chart.Reach, y: Chart.Reach),
    _ whole: (x: Chart.Reach, y: Chart.Reach)
  ) {
    show(
      (
        seen.x.scaled(by: factor, around: at.x, inside: whole.x),
        seen.y.scaled(by: factor, around: at.y, inside: whole.y)
      ), of: whole)
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
    case "pareto.x": x = View(figure: figure)
    case "pareto.y": y = View(figure: figure)
    default: return .ignored
    }
    return .done([])
  }

  // MARK: the mouse

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let points = points(state)
    let picture = picture(points, state, in: area)
    let (seen, whole) = (seen(points), whole(points))
    let plot = picture.frame.plot
    switch mouse.kind {
    case .wheelUp where plot.contains(mouse.at):
      zoom(by: Self.zoomStep, around: picture.frame.position(of: mouse.at), seen, whole)
    case .wheelDown where plot.contains(mouse.at):
      zoom(by: 1 / Self.zoomStep, around: picture.frame.position(of: mouse.at), seen, whole)
    case .press(.left):
      held = plot.contains(mouse.at) ? mouse.at : nil
      guard let point = nearest(points, to: mouse.at, picture.frame) else { return [] }
      guard cursor == point.id else {
        cursor = point.id
        return []
      }
      return point.id == .float32 ? [] : update(.select, state, size: area.size)
    case .drag(.left):
      guard let from = held else { return [] }
      held = mouse.at
      show(
        (
          seen.x.moved(by: -Double(mouse.at.x - from.x) / Double(max(plot.width, 1)), inside: whole.x),
          seen.y.moved(by: Double(mouse.at.y - from.y) / Double(max(plot.height, 1)), inside: whole.y)
        ), of: whole)
    case .release: held = nil
    default: break
    }
    return []
  }

  /// The point at or beside a cell.
  private func nearest(_ points: ParetoPoints, to cell: Point, _ frame: Chart.Frame) -> ParetoPoint? {
    let near = points.points.compactMap { point -> (point: ParetoPoint, distance: Int)? in
      guard let at = frame.cell(of: point.at) else { return nil }
      let distance = Swift.max(abs(at.x - cell.x), abs(at.y - cell.y))
      return distance <= 1 ? (point, distance) : nil
    }
    return near.min { $0.distance < $1.distance }?.point
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
    guard x.range != nil || y.range != nil else { return [] }
    let points = points(state)
    let seen = seen(points)
    let inSight = points.points.count { seen.x.place($0.at.x) != nil && seen.y.place($0.at.y) != nil }
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
    let (seen, scales) = (seen(points), scales(points))
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
        ? "Nothing has both \(points.y.title) and \(points.x.title): o and O choose other figures."
        : "Measured candidates appear here: r measures the current one."
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
