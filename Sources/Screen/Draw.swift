import Datasets
import Foundation
import Interface
import Jobs
import Panes
import Workbench
import Workflows

extension Screen {
  /// The whole screen at a size.
  package func draw(_ state: State, size: Size) -> Canvas {
    var state = state
    state.keys = keyLabels
    var canvas = Canvas(size, glyphs: glyphs)
    canvas.clear()
    let layout = layout(size)
    guard !layout.isTooSmall else {
      drawTooSmall(on: &canvas, size)
      return canvas
    }
    drawHeader(on: &canvas, in: layout.header, state)
    for place in layout.places { draw(place, on: &canvas, state) }
    drawStatus(on: &canvas, in: layout.status, state)
    Footer(footerHints(state)).draw(on: &canvas, in: layout.footer)
    let screen = Rect(x: 0, y: 0, width: size.width, height: size.height)
    if let (message, _) = toast { message.draw(on: &canvas, in: layout.status) }
    for overlay in overlays { overlay.draw(on: &canvas, in: screen, state) }
    if !overlays.isEmpty, let (message, _) = toast { message.draw(on: &canvas, in: layout.status) }
    return canvas
  }

  private func drawTooSmall(on canvas: inout Canvas, _ size: Size) {
    let lines = [
      "The screen is too small.",
      "have \(size.width)x\(size.height), need \(Layout.minimum.width)x\(Layout.minimum.height)", "q quits",
    ]
    for (index, line) in lines.enumerated() {
      canvas.put(line, x: 0, y: Swift.max(size.height / 2 - 1, 0) + index, width: size.width, align: .center)
    }
  }

  private func drawHeader(on canvas: inout Canvas, in row: Rect, _ state: State) {
    var left = [Run(" lathe ", .title)]
    if let project = state.project {
      left.append(Run(" \(project.model.title)  ", .text))
      let data = project.dataPath.map { ($0 as NSString).lastPathComponent } ?? "synthetic inputs"
      left.append(Run("\(data) \(project.data.count)  ", project.dataPath == nil ? .warn : .muted))
      if let train = project.trainDataPath {
        let does = state.currentEntry?.trains ?? false ? "calibrates and trains" : "calibrates"
        left.append(Run("\(does) on \((train as NSString).lastPathComponent)  ", .muted))
      } else if !project.data.isSynthetic {
        left.append(Run("calibrates on part of it  ", .muted))
      }
      left.append(Run("\(project.kernelLevel) · \(project.threads) thr", .muted))
    } else if let opening = state.opening {
      left.append(Run(" opening \((opening as NSString).lastPathComponent) …", .muted))
    }
    var right: [Run] = []
    if !state.history.done.isEmpty { right.append(Run("undo \(state.history.done.count)  ", .muted)) }
    if state.readOnly != nil { right.append(Run("read-only ", .warn)) }
    if state.isUnsaved { right.append(Run("● unsaved ", .warn)) }
    canvas.spread(left, right, in: row)
  }

  private func draw(_ place: Layout.Place, on canvas: inout Canvas, _ state: State) {
    let pane = panes[place.shown.rawValue - 1]
    let isFocused = place.shown == focus
    let inside = Panel(
      number: place.shown.rawValue, title: place.shown.title,
      note: Self.note(place, pane.note(state)), foot: pane.foot(state),
      isFocused: isFocused
    ).draw(on: &canvas, in: place.area)
    canvas.clipped(to: inside) { canvas in pane.draw(on: &canvas, in: inside, state, isFocused: isFocused) }
  }

  /// What stands on a frame's upper edge: the pane's own words and the other tabs, or the tabs alone where not both fit.
  private static func note(_ place: Layout.Place, _ own: [Run]) -> [Run] {
    guard place.tabs.count > 1 else { return own }
    let both = own + [Run("  ")] + tabForms(place)[0].flatMap(\.runs)
    return !own.isEmpty && fits(both, place) ? both : tabs(place).flatMap(\.runs)
  }

  /// Whether words have room beside the title on a frame's upper edge.
  private static func fits(_ note: [Run], _ place: Layout.Place) -> Bool {
    CharacterWidth.of(place.shown.title) + 2 + Fitting.width(of: note) + 3 <= place.area.width - 6
  }

  /// A piece of the tabs on a frame, with the pane it stands for.
  private typealias Tab = (kind: PaneKind?, runs: [Run])

  /// The other panes of a place, as its frame shows them: with names and keys, with names, by their digits.
  private static func tabForms(_ place: Layout.Place) -> [[Tab]] {
    let others = place.tabs.filter { $0 != place.shown }
    func named(_ gap: (PaneKind) -> String) -> [Tab] {
      others.map { ($0, [Run("\($0.rawValue)", .key), Run(" \($0.shortTitle)\(gap($0))", .muted)]) }
    }
    return [
      named { _ in "  " } + [(nil, [Run("[ ]", .key)])], named { $0 == others.last ? "" : "  " },
      others.map { ($0, [Run("\($0.rawValue)", .key)] + ($0 == others.last ? [] : [Run(" ")])) },
    ]
  }

  /// The form of the tabs that has room.
  private static func tabs(_ place: Layout.Place) -> [Tab] {
    let forms = tabForms(place)
    return forms.first { fits($0.flatMap(\.runs), place) } ?? forms[0]
  }

  /// The tab that is under the pointer on a frame's upper edge.
  func tabKind(at point: Point, _ place: Layout.Place) -> PaneKind? {
    guard place.tabs.count > 1 else { return nil }
    let tabs = Self.tabs(place)
    var x = place.area.maxX - 4 - Fitting.width(of: tabs.flatMap(\.runs))
    for tab in tabs {
      let width = Fitting.width(of: tab.runs)
      if (x..<x + width).contains(point.x) { return tab.kind }
      x += width
    }
    return nil
  }

  /// The oldest running job, or what the cursor is on.
  private func drawStatus(on canvas: inout Canvas, in row: Rect, _ state: State) {
    let active = state.activeJobs
    guard let job = active.first else {
      let roles = state.currentEntry.flatMap { state.trials[$0.recipe.key]?.roles }
      let text =
        state.currentEntry.map { "\($0.title)\(roles.map { ": \($0)" } ?? ", not measured as it is")" } ?? ""
      canvas.spread([Run(" \(text)", .muted)], tourRuns(), in: row)
      return
    }
    let left = job.secondsLeft.map { "  \(Numbers.duration($0)) left" } ?? ""
    let bar = Gauge.runs(job.fraction, width: Swift.max(row.width / 4, 8))
    canvas.spread(
      [Run(" \(Fitting.cut(job.title, to: 30)) ")] + bar
        + [
          Run(job.fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""), Run("\(left)  \(job.note)", .muted),
        ],
      statusHints(state).flatMap(\.runs), in: row)
  }

  /// What can be done to the running job, at the right end of its row, with the commands that do it.
  func statusHints(_ state: State) -> [(id: String, runs: [Run])] {
    let active = state.activeJobs
    guard let job = active.first else { return [] }
    let owner = state.owners[job.id]
    let isTraining = state.activeTraining(of: owner)?.phase == .running && owner == state.current
    let more = active.count > 1 ? [Run("   +\(Self.jobs(active.count - 1))", .muted)] : []
    return
      (isTraining
      ? [("stop-training", [Run(" \(keyLabels["stop-training"])", .key), Run(" keep best ", .muted)])] : [])
      + [("cancel", [Run(" \(keyLabels["cancel"])", .key), Run(" cancel", .muted)])]
      + (more.isEmpty ? [] : [("pane-\(PaneKind.jobs.rawValue)", more)])
  }

  private static func jobs(_ count: Int) -> String { "\(count) job\(count == 1 ? "" : "s")" }

  /// The commands of the footer in its order: the focused pane's and the screen's.
  func footerHints(_ state: State) -> [CommandSummary] {
    let all = commandsHere(state)
    // A key the pane takes for itself does not do here what it does elsewhere.
    var taken: Set<Key> = []
    return all.filter { command in
      guard let key = command.keys.first, command.availability == .available else { return false }
      return taken.insert(key).inserted && command.hint != nil
    }
    .enumerated().sorted { ($0.element.hint ?? 0, $0.offset) < ($1.element.hint ?? 0, $1.offset) }
    .map(\.element)
  }
}
