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
  private static let saveDelay = Duration.milliseconds(400)

  init(terminal: Terminal, runner: EffectRunner, screen: Screen, errors: ErrorLog?) {
    self.errors = errors
    self.terminal = terminal
    self.runner = runner
    self.screen = screen
  }

  func run(opening request: OpenRequest) throws {
    defer {
      // First the terminal: whatever work does not end at once, the screen and the signals are as before.
      terminal.close()
      runner.stop()
    }
    apply(.clock(Date().timeIntervalSince1970))
    apply(.open(request))
    draw()
    while !isDone {
      for input in terminal.wait(timeoutMilliseconds: timeout()) where !isDone { handle(input) }
      drain()
      if let due = saveDue, due <= .now { save() }
      if hasChanged { draw() }
    }
    if saveDue != nil { save() }
  }

  /// How long the loop may sleep: for ever, unless something is to happen by itself.
  private func timeout() -> Int? {
    let save = saveDue.map { Swift.max(0, Int((($0 - .now) / .milliseconds(1)).rounded(.up))) }
    return [save, screen.redrawIn].compactMap { $0 }.min()
  }

  private func handle(_ input: Input) {
    switch input {
    case .wake: return
    case .terminate: isDone = true
    default: break
    }
    apply(.clock(Date().timeIntervalSince1970))
    perform(screen.handle(input, &state))
    hasChanged = true
  }

  private func drain() {
    let actions = runner.mailbox.drain()
    guard !actions.isEmpty else { return }
    apply(.clock(Date().timeIntervalSince1970))
    for action in actions { apply(action) }
    hasChanged = true
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
      }
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
