import Interface
import Jobs
import Workbench

/// Running, waiting and ended jobs.
package struct JobsPane: CommandedPane {
  package static let kind = PaneKind.jobs
  private var scroll = Scroll()

  package init() {}

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case cancel
    case pause
  }

  package static let commands = CommandTable<PaneContext<JobsPane>, Step>(
    Motions.commands("jobs") { .move($0) } + [
      Command(
        "jobs.cancel", keys: [.character("x")], title: "cancel",
        explanation: "Cancel the job under the cursor.",
        group: "Jobs", hint: 10, replaces: ["cancel"], action: .cancel,
        availability: {
          .when($0.pane.selected($0.state).map { !$0.state.isOver } ?? false, else: "This job is over.")
        }),
      Command(
        "jobs.pause", keys: [.character("p")], title: "pause",
        explanation: "Let the job under the cursor stand still, or go on.",
        group: "Jobs", hint: 11, replaces: ["pause"], action: .pause,
        availability: {
          .when($0.pane.selected($0.state).map { !$0.state.isOver } ?? false, else: "This job is over.")
        }),
    ])

  /// Newest first.
  private func rows(_ state: State) -> [JobStatus] {
    state.jobs.filter { !$0.state.isOver } + state.jobs.filter(\.state.isOver).reversed()
  }

  private func selected(_ state: State) -> JobStatus? {
    let rows = rows(state)
    return rows.indices.contains(scroll.cursor) ? rows[scroll.cursor] : rows.first
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .move(let motion):
      scroll.move(motion, count: state.jobs.count, visible: size.height)
      return []
    case .cancel:
      guard let job = selected(state) else { return [] }
      guard state.activeTraining(of: state.owners[job.id]) != nil else { return [.act(.cancel(job.id))] }
      // Hours may be in it.
      return [
        .open(
          ConfirmDialog(
            title: "Cancel the training?",
            lines: [
              "What \(job.title) has learned is dropped; \(state.keys["stop-training"]) stops it and keeps its best epoch."
            ],
            outputs: [.act(.cancel(job.id))]))
      ]
    case .pause: return selected(state).map { [.act(.pause($0.id))] } ?? []
    }
  }

  /// The layer that the job under the cursor speaks of, or where it led.
  package func pointedLayer(_ state: State) -> String? {
    guard let job = selected(state) else { return state.worstLayer }
    var text = "\(job.title) \(job.note)"
    if case .failed(let message) = job.state { text += " \(message)" }
    return state.layer(namedIn: text) ?? state.worstLayer
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .wheelUp: return update(.move(.up), state, size: area.size)
    case .wheelDown: return update(.move(.down), state, size: area.size)
    case .press(.left):
      let list = List(count: state.jobs.count, scroll: scroll)
      return list.index(at: mouse.at, in: area).map { update(.move(.to($0)), state, size: area.size) } ?? []
    default: return []
    }
  }

  package func note(_ state: State) -> [Run] {
    let active = state.activeJobs
    let waiting = active.count { $0.state == .queued }
    var parts: [String] = []
    if active.count > waiting { parts.append("\(active.count - waiting) running") }
    if waiting > 0 { parts.append("\(waiting) queued") }
    return [Run(parts.joined(separator: " · "), .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let rows = rows(state)
    guard !rows.isEmpty else {
      canvas.put(
        "No jobs. \(state.keys["run"]) runs the candidate.", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    List(count: rows.count, scroll: scroll, isFocused: isFocused, showsCursor: isFocused)
      .draw(on: &canvas, in: area) { Self.row(rows[$0], width: area.width) }
  }

  /// Glyph, title, note, bar, percent, time.
  static func row(_ job: JobStatus, width: Int) -> [Run] {
    let (glyph, style, words): (String, Style, String) =
      switch job.state {
      case .queued: ("·", .muted, job.isHeld ? "queued, and paused: p lets it go on" : "queued")
      case .running: ("▸", .info, job.isTiming ? "timing" : job.note)
      case .paused: ("‖", .warn, job.isHeld ? "paused: p lets it go on" : "waits while another is timed")
      case .done: ("✓", .good, "done in \(Numbers.duration(job.seconds))")
      case .cancelled: ("✗", .muted, "cancelled")
      case .failed(let message): ("✗", .bad, message)
      }
    let name = Fitting.pad(job.title, to: Swift.min(24, Swift.max(width / 3, 6)))
    let bar = Swift.min(16, Swift.max(width / 5, 0))
    guard !job.state.isOver, width >= 40 else {
      return [Run("\(glyph) ", style), Run(name + " "), Run(words, job.state.isOver ? style : .muted)]
    }
    let room = Swift.max(width - 2 - CharacterWidth.of(name) - 1 - bar - 1 - 5 - 7, 0)
    let left = job.secondsLeft.map { Numbers.duration($0) } ?? ""
    return [Run("\(glyph) ", style), Run(name + " "), Run(Fitting.pad(words, to: room), .muted)]
      + Gauge.runs(job.fraction, width: bar)
      + [
        Run(" " + Fitting.pad(job.fraction.map { Numbers.percent($0, 0) + "%" } ?? "", to: 5, align: .right)),
        Run(Fitting.pad(left, to: 7, align: .right), .muted),
      ]
  }
}
