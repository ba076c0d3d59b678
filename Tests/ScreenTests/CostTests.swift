import Analysis
import Foundation
import Interface
import Jobs
import Panes
import Screen
import Testing
import Workbench
import Workflows

/// A made-up measurement: layers cost 0.001, 0.002, 0.004 … at 4 bits.
func fixtureCosts(_ guess: SensitivityReport) throws -> SensitivityReport {
  var report = guess
  (report.metric, report.isEstimate) = (.kl, false)
  for index in report.layers.indices {
    let text = #"{"weightBits": 4, "activationBits": 4, "kl": \#(0.001 * Double(1 << index))}"#
    report.layers[index].costs = [
      try JSONDecoder().decode(SensitivityReport.Cost.self, from: Data(text.utf8))
    ]
  }
  return report
}

@Test(arguments: [("costs-guess-120x36", "enter"), ("costs-120x36", "s enter o o o o o o o o")])
func costFrames(name: String, keys: String) throws {
  let size = Size(width: 120, height: 36)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let guess = try #require(state.project).kurtosisRanking()
  _ = screen.apply(.costsFound(guess), &state)
  _ = play(keys, &screen, &state, size)
  if keys.hasPrefix("s") {
    _ = screen.apply(.costsFound(try fixtureCosts(guess)), &state)
    _ = screen.apply(.costsFound(guess), &state)
  }
  let text = screen.draw(state, size: size).text()
  #expect(text.contains(keys.hasPrefix("s") ? "KL W4A4" : "≈kurtosis"))
  try expectGolden(name, text)
}

@Test func costsAreAskedForOnce() throws {
  let size = Size(width: 80, height: 24)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let guess = try #require(state.project).kurtosisRanking()
  _ = screen.apply(.costsFound(try fixtureCosts(guess)), &state)
  #expect(state.costs.report == nil, "nobody asked for figures")
  _ = screen.apply(.costsFound(guess), &state)
  #expect(state.costs.report?.isEstimate == true && state.costs.values.count == guess.layers.count)
  #expect(play("s", &screen, &state, size) == [.effect(.measureCosts)])
  #expect(!play("s", &screen, &state, size).contains(.effect(.measureCosts)))
  _ = screen.apply(.costsStarted(JobID(9)), &state)
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(9), title: "costs", state: .failed("no room"))), &state)
  #expect(state.log.last?.text == "costs: no room")
  #expect(
    play("s", &screen, &state, size) == [.effect(.measureCosts)], "again, once the first has ended")
  var other = try fixtureCosts(guess)
  other.model.path = "other.onnx"
  _ = screen.apply(.costsFound(other), &state)
  #expect(state.costs.report?.isEstimate == true, "figures of another model")
  _ = screen.apply(.costsFound(try fixtureCosts(guess)), &state)
  #expect(state.costs.report?.metric == .kl)
}

@Test func costsThatNeedNotHoldAreMarked() throws {
  let size = Size(width: 120, height: 36)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  var session = state.session
  session.findings.costs = try fixtureCosts(try #require(state.project).kurtosisRanking())
  session.findings.isStale = true
  _ = screen.apply(.opened(try #require(state.project), session), &state)
  _ = play("enter", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("~KL W4A4") && text.contains("~0.0010"))
}
