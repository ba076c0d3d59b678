import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench
import Workflows

private let size = Size(width: 120, height: 36)

private func cursorRow(_ screen: Screen, _ state: State) -> String {
  screen.draw(state, size: size).lines().first { $0.hasPrefix("┃▸") } ?? ""
}

private func blame(_ screen: inout Screen, _ state: inout State) throws {
  _ = play("E", &screen, &state, size)
  let subject = try #require(state.blame.inquiries.asked.first)
  _ = screen.apply(.blameStarted(JobID(8), subject), &state)
  _ = screen.apply(.blamed(subject, fixtureBlame()), &state)
  _ = screen.apply(.jobChanged(JobStatus(id: JobID(8), title: "blame", state: .done)), &state)
}

@Test func layersOfOneOperatorAreMarked() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("A g &", &screen, &state, size)
  #expect(state.marked == ["stem/conv", "block/depthwise", "block/pointwise"])
  #expect(screen.draw(state, size: size).text().contains("marked 3 Convs"))
  _ = play("G &", &screen, &state, size)
  #expect(state.marked.count == 4, "added to the marks")
  _ = play("A F ( g &", &screen, &state, size)
  #expect(state.marked.count == 3, "in closed scopes too")
  // The scope has two operators.
  _ = play("A j &", &screen, &state, size)
  #expect(state.marked.isEmpty && screen.draw(state, size: size).text().contains("whose operator"))
  _ = play("/ text:depth enter & esc", &screen, &state, size)
  #expect(state.marked == ["block/depthwise"], "of what the filter shows")
}

/// From each pane, with the current candidate's error traced: the pointwise convolution adds most to it.
@Test(arguments: [
  ("2", "block/depthwise"), ("3", "block/pointwise"), ("4", "block/pointwise"), ("5", "block/depthwise"),
  ("6", "block/pointwise"), ("7", "dense"), ("8", "block/depthwise"),
])
func everyPaneGoesToItsLayer(key: String, layer: String) throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  try blame(&screen, &state)
  _ = play("E A g j", &screen, &state, size)
  _ = screen.apply(.note("pooling is not dense", .info), &state)
  #expect(state.layer == "block/depthwise")
  _ = play("\(key) L", &screen, &state, size)
  #expect(screen.focus == .layers && state.layer == layer)
  #expect(cursorRow(screen, state).contains(layer))
}

@Test func closedScopesOpenAndFiltersThatHideAreCleared() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  try blame(&screen, &state)
  _ = play("E A F ( g 3 L", &screen, &state, size)
  #expect(cursorRow(screen, state).contains("pointwise") && state.layer == "block/pointwise")
  _ = play("F / text:op:Gemm enter 3 L", &screen, &state, size)
  #expect(cursorRow(screen, state).contains("block/pointwise"))
  #expect(!screen.draw(state, size: size).text().contains(" of 7"))
  _ = play("/ text:op:Conv enter g 3 L", &screen, &state, size)
  #expect(cursorRow(screen, state).contains("block/pointwise"))
  #expect(screen.draw(state, size: size).text().contains("3 of 7"), "one that shows it stays")
}

@Test func theBlameViewGoesToTheTable() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  try blame(&screen, &state)
  _ = play("g enter L", &screen, &state, size)
  #expect(!state.blame.isShown && state.layer == "block/pointwise")
  #expect(cursorRow(screen, state).contains("block/pointwise"))
  _ = play("L", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("From another pane or view"))
}

@Test func comparedCandidatesPointAtWhatDiffersMost() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = state.update(.duplicate(CandidateID(2)))
  let copy = try #require(state.current)
  _ = state.update(.edit(layers: ["dense"], change: SettingsChange(weightBits: 8), title: "8 bits"))
  _ = state.update(.edit(layers: ["block/depthwise"], change: SettingsChange(weightBits: 3), title: "3 bits"))
  _ = state.update(.setBaseline(CandidateID(2)))
  #expect(state.current == copy)
  _ = play("4 L", &screen, &state, size)
  #expect(state.layer == "dense", "160 weights of 4 bits more; the others less or none")
}

@Test func nothingToGoToIsSaid() throws {
  var state = State()
  var screen = fixtureScreen()
  _ = play("3 L", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("There are no layers to go to."))
  state = try fixtureState(fixtureModel())
  state.log.removeAll()
  _ = play("7 L", &screen, &state, size)
  #expect(
    screen.focus == .log && screen.draw(state, size: size).text().contains("Log is about no layer now."))
}
