import Foundation
import Interface
import Jobs
import Screen
import Terminal
import Workbench

/// The workbench in a terminal: one loop that waits for the terminal or for results, updates, and draws on change.
final class App {
  private var state = State()
  private var screen: Screen
  private let terminal: Terminal
  private let runner: EffectRunner
  private let errors: ErrorLog?
  /// Lines of the workbench's log that were looked at for errors.
  private var seen = 0
  private var isDone = false
  private var hasChanged = true
  /// When the session has to be written; `nil` when it is up to date.
  private var saveDue: ContinuousClock.Instant?
  private let files: UserFiles
  /// The hints as they are remembered.
  private var tour: Tour
  private let log: SessionLog?
  /// What is still to be done again of another session.
  private var replay: ArraySlice<ReplayStep>
  /// Whether work has ended since the last input, so that a replay has to wait for it.
  private var hasWorked = false
  private static let saveDelay = Duration.milliseconds(400)

  init(
    terminal: Terminal, runner: EffectRunner, screen: Screen, files: UserFiles, errors: ErrorLog?,
    log: SessionLog?,
    replay: [ReplayStep] = []
  ) {
    self.errors = errors
    self.terminal = terminal
    self.runner = runner
    self.screen = screen
    self.files = files
    tour = screen.tour
    self.log = log
    self.replay = replay[...]
  }

  func run(opening request: OpenRequest) throws {
    defer {
      // First the terminal: whatever work does not end at once, the screen and the signals are as before.
      terminal.close()
      runner.stop()
    }
    apply(.clock(Date().timeIntervalSince1970))
    // What keys and clicks meet depends on the size; the terminal tells of changes only.
    perform(screen.handle(.resize(terminal.size), &state))
    log?.append(screen.takeRecorded() + [.layout(screen.proportions)])
    apply(.open(request))
    draw()
    while !isDone {
      for input in terminal.wait(timeoutMilliseconds: timeout()) where !isDone { handle(input) }
      drain()
      playOn()
      if let due = saveDue, due <= .now { save() }
      if hasChanged { draw() }
    }
    if saveDue != nil { save() }
    log?.flush()
  }

  /// How long the loop may sleep: for ever, unless something is to happen by itself.
  private func timeout() -> Int? {
    let save = saveDue.map { Swift.max(0, Int((($0 - .now) / .milliseconds(1)).rounded(.up))) }
    return [save, screen.redrawIn, replay.isEmpty ? nil : Self.replayPause].compactMap { $0 }.min()
  }

  private func handle(_ input: Input) {
    switch input {
    case .wake: return
    case .terminate: isDone = true
    default: break
    }
    apply(.clock(Date().timeIntervalSince1970))
    if hasWorked, runner.isIdle {
      log?.append([.wait])
      hasWorked = false
    }
    perform(screen.handle(input, &state))
    log?.append(screen.takeRecorded())
    if screen.tour != tour {
      tour = screen.tour
      files.save(tour)
    }
    hasChanged = true
  }

  /// Milliseconds between two looks whether a replay can go on.
  private static let replayPause = 20

  /// Does what is left of a replay, up to where it has to wait.
  private func playOn() {
    while let step = replay.first {
      // A model that is being opened is waited for in any case: every command needs it.
      if step == .wait || state.opening != nil, !runner.isIdle { return }
      // What idle work has posted comes first.
      drain()
      perform(screen.replay(step, &state))
      replay.removeFirst()
      _ = screen.takeRecorded()
      hasChanged = true
    }
  }

  private func drain() {
    let actions = runner.mailbox.drain()
    guard !actions.isEmpty else { return }
    apply(.clock(Date().timeIntervalSince1970))
    for action in actions {
      hasWorked = hasWorked || Self.endsWork(action)
      apply(action)
    }
    hasChanged = true
  }

  /// Whether an action brings what later commands may depend on.
  private static func endsWork(_ action: Action) -> Bool {
    switch action {
    case .jobChanged(let status): status.state.isOver
    case .listed, .fileChosen: true
    default: false
    }
  }

  private func apply(_ action: Action) {
    perform(screen.apply(action, &state))
    writeErrors()
  }

  /// Errors people see are kept in a file too.
  private func writeErrors() {
    // Opening a model begins a new log.
    if state.logged < seen { seen = 0 }
    for line in state.log.suffix(state.logged - seen) where line.level == .error { errors?.append(line.text) }
    seen = state.logged
  }

  private func perform(_ requests: [Request]) {
    for request in requests {
      switch request {
      // A replay ends where the session is to be looked at, and leaves the clipboard alone.
      case .quit where !replay.isEmpty, .suspend where !replay.isEmpty, .effect(.copy) where !replay.isEmpty:
        break
      case .effect(.copy(let text)): _ = terminal.copy(text)
      case .effect(.save): saveDue = saveDue ?? .now + Self.saveDelay
      case .effect(.open(let request)):
        // What was changed in the model that is left must not wait for the next one.
        if saveDue != nil { save() }
        runner.perform(.open(request))
      case .effect(let effect): runner.perform(effect)
      case .quit: isDone = true
      case .suspend: terminal.suspend()
      case .redraw: terminal.redraw()
      case .mouse(let isOn): terminal.setMouse(isOn)
      case .keep(let proportions): keep(proportions)
      }
    }
  }

  private func keep(_ proportions: Proportions) {
    do {
      try LayoutFile().write(proportions)
    } catch {
      runner.mailbox.post(.note("\(error)", .warning))
    }
  }

  private func save() {
    saveDue = nil
    guard state.project != nil else { return }
    runner.save(state.session)
    drain()
  }

  private func draw() {
    hasChanged = false
    terminal.present(screen.draw(state, size: terminal.size), theme: screen.theme)
  }
}
