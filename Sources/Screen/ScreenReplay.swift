import Interface
import Panes
import Workbench

/// Writing down what is done, and doing it again.
extension Screen {
  /// Notes what an input means now, before it is carried out.
  mutating func record(_ input: Input, _ state: State) {
    guard let step = step(input, state) else { return }
    recorded.append(step)
    if case .run(let id) = step, overlays.isEmpty { notice(id, state) }
  }

  /// Tells the tour of a command that is given and can be done.
  mutating func notice(_ id: String, _ state: State) {
    guard tour.hint != nil else { return }
    if commandsHere(state).first(where: { $0.id == id })?.availability == .available { tour.noticed(id) }
  }

  /// What was done since this was last asked.
  package mutating func takeRecorded() -> [ReplayStep] {
    defer { recorded = [] }
    return recorded
  }

  private func step(_ input: Input, _ state: State) -> ReplayStep? {
    switch input {
    case .resize(let size): return .size(size)
    case .key(let key): return step(key, state)
    case .paste(let text): return .paste(text)
    case .mouse(let mouse): return step(mouse, state)
    case .wake, .terminate: return nil
    }
  }

  private func step(_ key: Key, _ state: State) -> ReplayStep? {
    let typed = key.text.map { ReplayStep.type(String($0)) } ?? .key(key)
    if let overlay = overlays.last {
      if asksForHelp(key, state) { return .key(key) }
      return overlay.summaries(state).first { $0.keys.contains(key) }.map { .run($0.id) } ?? typed
    }
    if panes[focus.rawValue - 1].isTyping, !layout.isTooSmall { return typed }
    return commandID(of: key, state).map { .run($0) }
  }

  private func step(_ mouse: Mouse, _ state: State) -> ReplayStep? {
    guard overlays.isEmpty, case .press(.left) = mouse.kind else { return .mouse(mouse) }
    let layout = layout
    if let id = commandID(at: mouse.at, layout, state) { return .run(id) }
    if layout.divider(at: mouse.at) != nil { return .mouse(mouse) }
    guard let place = layout.places.first(where: { $0.area.contains(mouse.at) }) else { return .mouse(mouse) }
    if mouse.at.y == place.area.y, let kind = tabKind(at: mouse.at, place) {
      return .run("pane-\(kind.rawValue)")
    }
    return place.shown == focus ? .mouse(mouse) : .run("pane-\(place.shown.rawValue)")
  }

  /// Does a step of a log.
  package mutating func replay(_ step: ReplayStep, _ state: inout State) -> [Request] {
    state.keys = keyLabels
    switch step {
    case .size(let size): return handle(.resize(size), &state)
    case .layout(let proportions):
      self.proportions = proportions
      return []
    case .run(let id):
      if overlays.isEmpty { toast = nil }
      return run(id: id, &state)
    case .type(let text): return text.flatMap { handle(.key(.character($0)), &state) }
    case .key(let key): return handle(.key(key), &state)
    case .paste(let text): return handle(.paste(text), &state)
    case .mouse(let mouse): return handle(.mouse(mouse), &state)
    case .wait: return []
    }
  }
}
