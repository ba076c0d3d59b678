import Foundation
import Graph
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench

/// A workbench with the Roofline view of candidate B open and answered.
func fixtureRooflineView(_ size: Size, _ glyphs: Glyphs = .unicode) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(glyphs)
  _ = play("w", &screen, &state, size)
  try answerSteps(&state)
  _ = screen.apply(.clock(0), &state)
  return (screen, state)
}

private let small = Size(width: 80, height: 24)

@Test(arguments: [
  ("roofline-zoomed-80x24", 80, 24, "enter"),
  ("roofline-zoomed-120x36", 120, 36, "enter o"), ("roofline-float32-80x24", 80, 24, "l"),
  ("roofline-stale-80x24", 80, 24, "B enter"), ("roofline-single-60x16", 60, 16, "o o"),
])
func rooflineFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try fixtureRooflineView(size)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func theRooflineViewSaysWhatItWaitsFor() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let requests = play("w", &screen, &state, small)
  let subject = try #require(state.steps.inquiries.asked.first)
  #expect(requests == [.effect(.timeSteps(subject, title: "B weight-int4"))])
  #expect(screen.draw(state, size: small).text().contains("Measuring the steps of B weight-int4 …"))
  _ = screen.apply(.stepsStarted(JobID(8), subject), &state)
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(8), title: "B steps", state: .running, fraction: 0.4)), &state)
  #expect(screen.draw(state, size: small).text().contains("… 40 %"))
  #expect(
    !play("r", &screen, &state, small).contains { $0 == .effect(.timeSteps(subject, title: "B weight-int4")) }
  )
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(8), title: "B steps", state: .failed("only simulated"))), &state)
  #expect(screen.draw(state, size: small).text().contains("only simulated. r tries again."))
  #expect(play("r", &screen, &state, small) == [.effect(.timeSteps(subject, title: "B weight-int4"))])
}

@Test func theSelectionStaysWithTheLayer() throws {
  var (screen, state) = try fixtureRooflineView(small)
  func cursorRow() -> String {
    screen.draw(state, size: small).lines().first { $0.contains("▸") } ?? ""
  }
  #expect(state.layer == "block/pointwise" && cursorRow().contains("block/pointwise"))
  _ = play("j", &screen, &state, small)
  #expect(state.layer == "pool" && cursorRow().contains("pool"))
  _ = play("w", &screen, &state, small)
  #expect(state.layer == "pool" && cursorRow().contains("pool"))
  // The sum is computed in the step of the convolution before it.
  _ = play("k w", &screen, &state, small)
  #expect(state.layer == "block/add" && cursorRow().contains("block/pointwise"))
  _ = play("w", &screen, &state, small)
  #expect(state.layer == "block/add" && cursorRow().contains("block/add"))
}

@Test func aStepWithoutALayerSelectsNone() throws {
  var (screen, state) = try fixtureRooflineView(small)
  _ = play("g", &screen, &state, small)
  #expect(state.layer == nil)
  let before = state.marked
  _ = play("space k", &screen, &state, small)
  #expect(state.marked == before)
  _ = play("w", &screen, &state, small)
  #expect(state.layer == "stem/conv")
}

@Test func stepsAreMarkedFilteredAndSorted() throws {
  var (screen, state) = try fixtureRooflineView(small)
  func first() -> String { screen.draw(state, size: small).lines()[4] }
  _ = play("A j j space", &screen, &state, small)
  #expect(state.marked == ["dense"])
  _ = play("o", &screen, &state, small)
  #expect(first().contains("block/depthwise"))
  _ = play("O", &screen, &state, small)
  #expect(first().contains("dense"))
  _ = play("/ text:conv enter g", &screen, &state, small)
  #expect(first().contains("stem/conv") && state.layer == "stem/conv")
  _ = play("a", &screen, &state, small)
  #expect(state.marked == ["dense", "stem/conv", "block/pointwise"])
}

@Test func aKeyThatTheViewTakesIsNotPromisedTwice() throws {
  var (screen, state) = try fixtureRooflineView(small)
  let footer = screen.draw(state, size: small).lines()[23]
  #expect(footer.contains("w table") && footer.contains("r measure") && !footer.contains("r run"))
  _ = play("w", &screen, &state, small)
  let table = screen.draw(state, size: small).lines()[23]
  #expect(table.contains("w roofline") && table.contains("r run"))
}

@Test func peaksThatAStepOutrunsAreDoubted() throws {
  var (screen, state) = try fixtureRooflineView(small)
  _ = play("r", &screen, &state, small)
  let subject = try #require(state.steps.inquiries.asked.first)
  _ = screen.apply(.stepsStarted(JobID(9), subject), &state)
  _ = screen.apply(.stepsTimed(subject, fixtureReport(int8Gops: 200)), &state)
  _ = screen.apply(.jobChanged(JobStatus(id: JobID(9), title: "steps", state: .done)), &state)
  let lines = screen.draw(state, size: small).lines()
  #expect(lines[2].contains("peaks disturbed by other work: r again"))
}
