import Analysis
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench

private let small = Size(width: 80, height: 24)

/// A workbench with the Blame view of candidate B open and answered.
func fixtureBlameView(_ size: Size, _ glyphs: Glyphs = .unicode) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(glyphs)
  _ = play("E", &screen, &state, size)
  let subject = try #require(state.blame.inquiries.asked.first)
  _ = screen.apply(.blameStarted(JobID(8), subject), &state)
  _ = screen.apply(.blamed(subject, fixtureBlame()), &state)
  _ = screen.apply(.jobChanged(JobStatus(id: JobID(8), title: "blame", state: .done, seconds: 2)), &state)
  return (screen, state)
}

@Test(arguments: [
  ("blame-zoomed-80x24", 80, 24, "+ + o"),
  ("blame-channels-80x24", 80, 24, "enter"), ("blame-channels-120x36", 120, 36, "enter j j"),
  ("blame-channels-zoomed-120x36", 120, 36, "+ + enter o"), ("blame-stale-80x24", 80, 24, "B"),
])
func blameFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try fixtureBlameView(size)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func theBlameViewSaysWhatItWaitsFor() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let requests = play("E", &screen, &state, small)
  let subject = try #require(state.blame.inquiries.asked.first)
  let question = Request.effect(.blame(subject, title: "B weight-int4"))
  #expect(requests == [question])
  #expect(screen.draw(state, size: small).text().contains("Tracing the error of B weight-int4 …"))
  _ = screen.apply(.blameStarted(JobID(8), subject), &state)
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(8), title: "B blame", state: .running, fraction: 0.4)), &state)
  #expect(screen.draw(state, size: small).text().contains("… 40 %"))
  #expect(!play("r", &screen, &state, small).contains(question))
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(8), title: "B blame", state: .failed("it holds NaN"))), &state)
  #expect(screen.draw(state, size: small).text().contains("it holds NaN. r tries again."))
  #expect(play("r", &screen, &state, small) == [question])
}

@Test func theWorstLayerIsFirstAndSelectionFollows() throws {
  var (screen, state) = try fixtureBlameView(small)
  func row(_ index: Int) -> String { screen.draw(state, size: small).lines()[4 + index] }
  #expect(row(0).contains("ntwise") && row(1).contains("dense"))
  _ = play("g j", &screen, &state, small)
  #expect(state.layer == "dense")
  // weights, activations, inherited: dense inherits most.
  _ = play("o o o g", &screen, &state, small)
  #expect(row(0).contains("dense") && state.layer == "dense")
  _ = play("O G", &screen, &state, small)
  #expect(row(5).contains("dense"))
  _ = play("E", &screen, &state, small)
  #expect(!state.blame.isShown && state.layer == "dense")
  #expect(screen.draw(state, size: small).lines().contains { $0.contains("▸") && $0.contains("dense") })
}

@Test func aLayerOpensAndCloses() throws {
  var (screen, state) = try fixtureBlameView(small)
  _ = play("g enter", &screen, &state, small)
  func text() -> String { screen.draw(state, size: small).text() }
  #expect(text().contains("channel 5:") && text().contains("worst samples: 11 (10.5 %), 48 (9.50 %)"))
  _ = play("G", &screen, &state, small)
  #expect(text().contains("channel 14:") && state.layer == "block/pointwise")
  _ = play("esc", &screen, &state, small)
  #expect(!text().contains("worst samples") && state.blame.isShown)
  _ = play("enter enter", &screen, &state, small)
  #expect(!text().contains("worst samples") && state.layer == "block/pointwise")
  _ = play("enter E", &screen, &state, small)
  #expect(!state.blame.isShown)
}

@Test func oneViewAtATime() throws {
  var (screen, state) = try fixtureBlameView(small)
  _ = play("w", &screen, &state, small)
  #expect(!state.blame.isShown && state.steps.view == .candidate)
  _ = play("E", &screen, &state, small)
  #expect(state.blame.isShown && state.steps.view == nil)
  let footer = screen.draw(state, size: small).lines()[23]
  #expect(footer.contains("E table") && footer.contains("enter channels") && footer.contains("r trace"))
}
