import Foundation
import Interface
import Jobs
import Screen
import Workbench

/// The workbench without a terminal: plays keys, waits for the jobs they start, and returns the frame as text.
///
/// The clock stands still, so a frame depends on what was done only.
final class Snapshot {
  private var state = State()
  private var screen: Screen
  private let runner: EffectRunner
  private let size: Size
  private let wake: DispatchSemaphore
  private var isDone = false

  /// - Parameter wake: signalled by the runner whenever results wait.
  init(runner: EffectRunner, screen: Screen, size: Size, wake: DispatchSemaphore) {
    self.runner = runner
    self.screen = screen
    self.size = size
    self.wake = wake
  }

  /// - Parameter replay: what is done before the keys are played.
  func run(opening request: OpenRequest, replay: [ReplayStep] = [], keys: [KeyScript.Step]) -> Canvas {
    defer { runner.stop() }
    perform(screen.handle(.resize(size), &state))
    apply(.open(request))
    perform(screen.handle(.resize(size), &state))
    settle()
    for step in replay {
      if step == .wait || state.opening != nil { settle() }
      perform(screen.replay(step, &state))
      // A session mostly ends by being quit; what it came to is looked at here.
      isDone = false
      drain()
    }
    perform(screen.handle(.resize(size), &state))
    for step in keys where !isDone {
      switch step {
      case .key(let key): perform(screen.handle(.key(key), &state))
      case .text(let text):
        for character in text { perform(screen.handle(.key(.character(character)), &state)) }
      case .wait: settle()
      }
      drain()
    }
    settle()
    if state.project != nil { runner.save(state.session) }
    return screen.draw(state, size: size)
  }

  /// Waits until no work is left and everything it posted is applied.
  private func settle() {
    while true {
      drain()
      if runner.isIdle {
        drain()
        if runner.isIdle { return }
      }
      _ = wake.wait(timeout: .now() + .milliseconds(20))
    }
  }

  private func drain() { for action in runner.mailbox.drain() { apply(action) } }

  private func apply(_ action: Action) { perform(screen.apply(action, &state)) }

  private func perform(_ requests: [Request]) {
    for request in requests {
      switch request {
      case .effect(let effect): runner.perform(effect)
      case .quit: isDone = true
      case .suspend, .redraw, .mouse, .keep: break
      }
    }
  }
}
