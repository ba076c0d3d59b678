import Foundation
import Graph
import Interface
import Jobs
import Panes
import Quantization
import Workbench
import Workflows

/// What the screen asks of the program around it.
package enum Request: Sendable, Hashable {
  case effect(Effect)
  case quit
  case suspend
  case redraw
  case mouse(Bool)
  /// Remember where the lines between panes are.
  case keep(Proportions)
}

/// The whole screen: panes, focus, overlays and keys.
///
/// Pure: drawn into a canvas, tested without a terminal.
package struct Screen: Sendable {
  /// One of each pane, in the order of their digits.
  ///
  /// A new pane is a line here.
  package static var allPanes: [any Pane] {
    [
      LayersPane(), ConfigPane(), ComparePane(), ParetoPane(), HistogramPane(), JobsPane(), LogPane(),
      TrainingPane(), RooflinePane(),
    ]
  }

  package private(set) var theme: Theme
  private var chosenTheme: Theme
  private let themes: [String]
  private let loadTheme: @Sendable (String) -> Theme?
  var glyphs: Glyphs
  private var hasMouse: Bool
  /// Lines between panes that were moved.
  package var proportions = Proportions()
  /// The line that the pointer holds, and how far from its position.
  var held: (split: Proportions.Split, offset: Int)?
  var panes: [any Pane] = Screen.allPanes
  /// Keys the user gave to commands.
  package var keyMap = KeyMap() { didSet { keyLabels = Screen.labels(keyMap) } }
  /// How keys are written in sentences.
  private(set) var keyLabels = Screen.ownLabels
  /// Hints that show the first time.
  package var tour = Tour.over
  package private(set) var focus = PaneKind.layers
  var tab = PaneKind.compare
  /// The pane last looked at among those that share the place of the histogram.
  var plot = PaneKind.histogram
  /// The training that one more `x` cancels, and until when.
  private var doomed: (job: JobID, until: Double)?
  var zoom = Layout.Zoom.normal
  var overlays: [any Overlay] = []
  var toast: (toast: Toast, until: Double)?
  /// What was done since the shell last asked.
  var recorded: [ReplayStep] = []
  private var size = Size(width: 80, height: 24)

  package init(
    theme: Theme, themes: [String], glyphs: Glyphs, hasMouse: Bool,
    loadTheme: @escaping @Sendable (String) -> Theme?
  ) {
    self.theme = theme
    chosenTheme = theme
    self.themes = themes
    self.glyphs = glyphs
    self.hasMouse = hasMouse
    self.loadTheme = loadTheme
  }

  // MARK: Time

  /// Milliseconds until something changes by itself: a message goes away.
  package var redrawIn: Int? { toast == nil ? nil : Self.toastMilliseconds }
  private static let toastMilliseconds = 4000

  mutating func say(_ message: Toast, _ state: State) {
    toast = (message, state.now + Double(Self.toastMilliseconds) / 1000)
  }

  // MARK: Input

  /// Applies what happened outside and keeps the panes in step.
  package mutating func apply(_ action: Action, _ state: inout State) -> [Request] {
    state.keys = keyLabels
    if case .clock(let now) = action, let toast, now >= toast.until { self.toast = nil }
    if case .fileChosen(let path, let kind) = action { return choose(path, kind, &state) }
    if case .textWritten(let file) = action { say(Toast(.good, "wrote \(file.what) to \(file.path)"), state) }
    if case .textExists(var file) = action {
      file.overwrite = true
      overlays.append(
        ConfirmDialog(
          title: "Replace file?", lines: ["\(file.path) is there already."], outputs: [.act(.writeText(file))]
        ))
    }
    if case .exportFailed(_, let message) = action { say(Toast(.bad, message), state) }
    if case .openFailed(let message) = action { say(Toast(.bad, message), state) }
    if case .exported(let path, let losses) = action {
      let note = losses.isEmpty ? "" : ", \(losses.count) warnings in the log"
      say(Toast(losses.isEmpty ? .good : .warn, "wrote \(path)\(note)"), state)
    }
    if case .exportExists(var request) = action {
      request.overwrite = true
      overlays.append(
        ConfirmDialog(
          title: "Replace file?", lines: ["\(request.path) is there already."],
          outputs: [.act(.export(request))]))
    }
    if case .trainingProgress(let id, _, _) = action, id == state.current, state.activeTraining(of: id) == nil
    {
      plot = .training
    }
    if case .showSteps(let view) = action { plot(beside: view) }
    if case .copy(_, let what) = action { say(Toast(.info, "copied \(what)"), state) }
    let effects = state.update(action)
    for index in panes.indices { panes[index].follow(state) }
    return effects.map { .effect($0) }
  }

  package mutating func handle(_ input: Input, _ state: inout State) -> [Request] {
    state.keys = keyLabels
    record(input, state)
    if case .resize(let size) = input {
      self.size = size
      return []
    }
    if !overlays.isEmpty { return handleOverlay(input, &state) }
    toast = nil
    switch input {
    case .key(let key): return handle(key, &state)
    case .mouse(let mouse): return handle(mouse, &state)
    case .paste(let text): return paste(text, &state)
    default: return []
    }
  }

  var bounds: Rect { Rect(x: 0, y: 0, width: size.width, height: size.height) }
  package var layout: Layout { layout(size) }

  func layout(_ size: Size) -> Layout {
    Layout(size: size, focus: focus, tab: tab, plot: plot, zoom: zoom, proportions: proportions)
  }

  private mutating func handleOverlay(_ input: Input, _ state: inout State) -> [Request] {
    let top = overlays.count - 1
    if case .key(let key) = input, asksForHelp(key, state) {
      overlays.append(help(on: overlays[top], state))
      return []
    }
    return perform(overlays[top].handle(input, state, screen: bounds), &state)
  }

  private mutating func handle(_ key: Key, _ state: inout State) -> [Request] {
    let index = focus.rawValue - 1
    // Own keys: what they mean is asked of the tables as they are shown, not of those the panes know.
    if !keyMap.isEmpty, !panes[index].isTyping || layout.isTooSmall {
      return commandID(of: key, state).map { run(id: $0, &state) } ?? []
    }
    if !layout.isTooSmall {
      switch panes[index].handle(key, state, size: inside(focus)) {
      case .done(let outputs): return perform(outputs, &state)
      case .unavailable(let reason):
        say(Toast(.warn, reason), state)
        return []
      case .ignored: break
      }
    }
    return run(Self.commands.match(key, in: state), &state)
  }

  func inside(_ kind: PaneKind) -> Size {
    layout.place(of: kind)?.area.inset(by: 1).size ?? Size(width: 0, height: 0)
  }

  private mutating func run(_ match: CommandMatch<ScreenStep>, _ state: inout State) -> [Request] {
    switch match {
    case .none: return []
    case .unavailable(let reason):
      say(Toast(.warn, reason), state)
      return []
    case .perform(let step): return perform(step, &state)
    }
  }

  mutating func perform(_ outputs: [PaneOutput], _ state: inout State) -> [Request] {
    var requests: [Request] = []
    for output in outputs {
      switch output {
      case .act(let action): requests += apply(action, &state)
      case .open(let overlay): overlays.append(overlay)
      case .close: _ = overlays.popLast()
      case .toast(let message): say(message, state)
      case .focus(let kind): show(kind)
      case .zoom: zoom = zoom == .full ? .normal : .full
      case .preview(let id): theme = loadTheme(id) ?? theme
      case .chooseTheme(let id):
        chosenTheme = loadTheme(id) ?? chosenTheme
        theme = chosenTheme
      case .openModel(let request): requests += openModel(request, &state)
      case .run(let id): requests += run(id: id, &state)
      case .quit: requests.append(.quit)
      }
    }
    return requests
  }

  /// Runs a command of any table by its id.
  mutating func run(id: String, _ state: inout State) -> [Request] {
    if let top = overlays.indices.last, overlays[top].summaries(state).contains(where: { $0.id == id }) {
      return perform(overlays[top].run(id: id, state, screen: bounds), &state)
    }
    notice(id, state)
    for index in panes.indices {
      switch panes[index].run(id: id, state, size: inside(Swift.type(of: panes[index]).kind)) {
      case .done(let outputs):
        show(Swift.type(of: panes[index]).kind)
        return perform(outputs, &state)
      case .unavailable(let reason):
        say(Toast(.warn, reason), state)
        return []
      case .ignored: continue
      }
    }
    return run(Self.commands.match(id: id, in: state), &state)
  }

  mutating func show(_ kind: PaneKind) {
    focus = kind
    if kind != .layers, kind != .config { tab = kind }
    if Layout.plots.contains(kind) { plot = kind }
  }

  /// The plot of the steps stands beside their table.
  private mutating func plot(beside view: StepTimes.View?) {
    if view != nil {
      plot = .roofline
    } else if plot == .roofline, focus != .roofline {
      plot = .histogram
    }
  }

  private mutating func turn(_ by: Int, among kinds: [PaneKind]) {
    let place = kinds.firstIndex(of: focus) ?? 0
    show(kinds[(place + by + kinds.count) % kinds.count])
  }

  // MARK: Commands

  private mutating func perform(_ step: ScreenStep, _ state: inout State) -> [Request] {
    switch step {
    case .focus(let kind): show(kind)
    case .jump: return jump(&state)
    case .nextPane(let by): turn(by, among: PaneKind.allCases)
    case .tab(let by): turn(by, among: layout.place(of: focus)?.tabs ?? PaneKind.allCases)
    case .zoom(let by):
      let all: [Layout.Zoom] = [.normal, .half, .full]
      let place = (all.firstIndex(of: zoom) ?? 0) + by
      zoom = all[Swift.min(Swift.max(place, 0), all.count - 1)]
    case .help: overlays.append(help(state))
    case .palette: overlays.append(palette(state))
    case .themes: openThemes()
    case .tour: tour.toggle()
    case .advise:
      overlays.append(AdviceDialog())
      return state.advice.advice == nil ? apply(.advise, &state) : []
    case .search: overlays.append(SearchDialog(state))
    case .changes: overlays.append(ChangesDialog(state))
    case .mouse:
      hasMouse.toggle()
      say(
        Toast(
          .info,
          hasMouse
            ? "The mouse works here again."
            : "The mouse is the terminal's; \(state.keys["mouse"]) takes it back."),
        state)
      return [.mouse(hasMouse)]
    case .width(let by): return resize(by, isVertical: true, state)
    case .height(let by): return resize(by, isVertical: false, state)
    case .resetLayout: return resetLayout(state)
    case .graphForm: nextGraphForm(state)
    case .redraw: return [.redraw]
    case .suspend: return [.suspend]
    case .quit, .interrupt: return quit(state)
    default: return performOnCandidate(step, &state)
    }
    return []
  }

  private mutating func quit(_ state: State) -> [Request] {
    // Only a candidate's work is worth a question.
    let running = state.activeJobs.count { state.owners[$0.id] != nil }
    var losses: [String] = []
    if running > 0 {
      losses.append("\(running) job\(running == 1 ? " is" : "s are") still at work and will be cancelled.")
    }
    if state.isUnsaved, let reason = state.readOnly {
      losses.append("Changes are lost: the session cannot be written (\(reason)).")
    }
    guard !losses.isEmpty else { return [.quit] }
    overlays.append(ConfirmDialog(title: "Quit?", lines: losses, outputs: [.quit]))
    return []
  }

  private mutating func performOnCandidate(_ step: ScreenStep, _ state: inout State) -> [Request] {
    if case .new = step {
      openPresets(state)
      return []
    }
    if case .open = step {
      return openFiles(&state)
    }
    if case .copy = step { return copyPane(&state) }
    if case .write = step { return openWrite(&state) }
    if case .undo = step { return apply(.undo, &state) }
    if case .redo = step { return apply(.redo, &state) }
    if case .runStale = step { return apply(.runStale, &state) }
    if case .cancel = step { return cancel(&state) }
    if case .pause = step { return state.activeJobs.first.map { apply(.pause($0.id), &state) } ?? [] }
    guard let entry = state.currentEntry else { return [] }
    switch step {
    case .run: return apply(.run(entry.id), &state)
    case .stopTraining:
      say(Toast(.info, "Training stops after this step; its best epoch is kept."), state)
      return apply(.stopTraining(entry.id), &state)
    case .mode(let by): return changeMode(by, entry, &state)
    case .weightBits(let by): return changeBits(by, entry, &state)
    case .delete: return apply(.delete(entry.id), &state)
    case .duplicate: return apply(.duplicate(entry.id), &state)
    case .baseline: return apply(.setBaseline(state.baseline == entry.id ? nil : entry.id), &state)
    case .rename:
      overlays.append(
        TextDialog(title: "Rename \(entry.title)", text: entry.recipe.name) { [.act(.rename(entry.id, $0))] })
    case .export: return openExport(entry, &state)
    default: break
    }
    return []
  }

  /// Cancels the oldest job; a training only when asked twice, because hours may be in it.
  private mutating func cancel(_ state: inout State) -> [Request] {
    guard let job = state.activeJobs.first else { return [] }
    guard state.activeTraining(of: state.owners[job.id]) != nil else { return apply(.cancel(job.id), &state) }
    if let doomed, doomed.job == job.id, state.now <= doomed.until {
      self.doomed = nil
      return apply(.cancel(job.id), &state)
    }
    doomed = (job.id, state.now + 2)
    say(
      Toast(
        .warn,
        "\(state.keys["cancel"]) again cancels the training; \(state.keys["stop-training"]) stops it and keeps its best epoch."
      ), state)
    return []
  }

  private mutating func changeMode(_ by: Int, _ entry: CandidateEntry, _ state: inout State) -> [Request] {
    guard let layer = state.lead.flatMap({ entry.resolution[$0] }) else { return [] }
    let all = ConfigPane.modes
    let place = (all.firstIndex(of: layer.requested.mode) ?? 0) + by
    let mode = all[(place + all.count) % all.count]
    return apply(
      .edit(
        layers: state.scope, change: SettingsChange(mode: mode),
        title: ConfigPane.title("mode \(mode.rawValue)", state.scope.count)), &state)
  }

  private mutating func changeBits(_ by: Int, _ entry: CandidateEntry, _ state: inout State) -> [Request] {
    guard let layer = state.lead.flatMap({ entry.resolution[$0] }) else { return [] }
    guard layer.requested.mode != .float else {
      say(Toast(.info, "A float layer has no bits to change; \(state.keys["mode"]) changes its mode."), state)
      return []
    }
    let bits = layer.requested.weights.bits + by
    guard ConfigPane.weightBits.contains(bits) else {
      say(Toast(.info, "Weights have 2 to 8 bits."), state)
      return []
    }
    return apply(
      .edit(
        layers: state.scope, change: SettingsChange(weightBits: bits),
        title: ConfigPane.title("\(bits)-bit weights", state.scope.count)), &state)
  }

  // MARK: Dialogs

  private mutating func openThemes() {
    let current = chosenTheme.id
    overlays.append(
      MenuDialog(
        title: "Theme", items: themes.map { Menu.Item(title: $0) },
        outputs: themes.map { [.chooseTheme($0)] },
        previews: themes.map { [.preview(theme: $0)] }, cursor: themes.firstIndex(of: current) ?? 0,
        cancel: [.chooseTheme(current)]))
  }

  private mutating func openPresets(_ state: State) {
    let presets = state.project?.model.presets ?? Presets.all
    overlays.append(
      MenuDialog(
        title: "New candidate", items: presets.map { Menu.Item(title: $0.name, detail: $0.summary) },
        outputs: presets.map { [.act(.add($0.recipe))] }))
  }
}
