import Analysis
import Foundation
import Interface
import Panes
import Quantization
import Screen
import Testing
import Workbench
import Workflows

private let size = Size(width: 80, height: 24)

/// A workbench of measured candidates: name, bytes, top-1.
private func workbench(_ rows: [(name: String, bytes: Int, top1: Double)]) throws -> State {
  var state = State()
  var project = try Project(model: fixtureModel(), threads: 2)
  project.kernelLevel = "avx2"
  _ = state.update(.opened(project, nil))
  let float32 = fixtureTrial("float32", execution: .float, top1: 0.94, delta: 0, bytes: 31_000, ms: 0.31)
  for (index, row) in rows.enumerated() {
    var recipe = try #require(Presets["static-int8"]).recipe
    recipe.name = row.name
    recipe.calibration.samples = 100 + index
    _ = state.update(.add(recipe))
    let trial = fixtureTrial(
      row.name, execution: .integer, top1: row.top1, delta: row.top1 - 0.94, bytes: row.bytes,
      ms: 0.1 + Double(index) * 0.02)
    let entry = try #require(state.currentEntry)
    _ = state.update(
      .measured(
        entry.id, recipe: entry.recipe,
        Measurement(float32: float32, candidates: [trial], roles: "", fraction: 1)))
  }
  _ = state.update(.delete(CandidateID(1)))
  state.keys = KeyLabels(["pareto.x": "o", "pareto.y": "O"])
  return state
}

/// Five candidates, of which the third is beaten and the last two lie on one cell.
private func five() throws -> State {
  try workbench([
    ("small", 4_000, 0.90), ("middle", 6_000, 0.92), ("beaten", 9_000, 0.91), ("large", 16_000, 0.935),
    ("twin", 16_001, 0.935),
  ])
}

private func picture(_ pane: ParetoPane, _ state: State, width: Int = 80, height: Int = 24) -> [String] {
  var canvas = Canvas(Size(width: width, height: height))
  pane.draw(on: &canvas, in: canvas.bounds, state, isFocused: true)
  return canvas.lines()
}

/// The cell that is drawn as the cursor's.
private func cursor(_ pane: ParetoPane, _ state: State) -> Point? {
  var canvas = Canvas(size)
  pane.draw(on: &canvas, in: canvas.bounds, state, isFocused: true)
  for y in 0..<size.height {
    for x in 0..<size.width where canvas[x, y].style.attributes.contains(.selected) {
      return Point(x: x, y: y)
    }
  }
  return nil
}

/// The title of the point under the cursor, as the words below the chart have it.
private func named(_ pane: ParetoPane, _ state: State, _ titles: [String]) -> String? {
  let text = picture(pane, state).suffix(6).joined(separator: "\n")
  return titles.first { text.contains(" \($0)  ") }
}

@Test func everyFigureOfATrialCanBeAnAxis() throws {
  var state = try five()
  let named = [
    "accuracy", "delta", "top5", "agreement", "loss", "kl", "sqnr", "size", "packed", "file", "ratio", "bits",
    "latency", "p90", "speedup", "throughput", "energy", "memory", "quantize",
  ]
  // What the made-up trials do not have.
  let absent: Set<String> = ["throughput", "energy", "quantize"]
  for axis in ["x", "y"] {
    for figure in named {
      var pane = ParetoPane()
      let before = pane.note(state)
      guard case .done = pane.run(id: "pareto.\(axis) \(figure)", state, size: size) else {
        Issue.record("\(figure) cannot be chosen")
        continue
      }
      let lines = picture(pane, state)
      let text = lines.joined()
      #expect(text.contains("choose other figures") == absent.contains(figure), "\(figure)")
      #expect(!pane.note(state).isEmpty && !before.isEmpty)
      for width in stride(from: 1, through: 80, by: 13) {
        for height in stride(from: 1, through: 24, by: 5) {
          #expect(picture(pane, state, width: width, height: height).count == height)
        }
      }
    }
  }
  var screen = fixtureScreen()
  _ = play("4 o", &screen, &state, Size(width: 120, height: 36))
  let list = screen.draw(state, size: Size(width: 120, height: 36)).text()
  #expect(list.contains("What x shows") && list.contains("No candidate has it."))
  _ = play("text:diverg enter", &screen, &state, Size(width: 120, height: 36))
  #expect(screen.draw(state, size: Size(width: 120, height: 36)).text().contains("acc %↑ / KL↓ log"))
}

@Test func bothWaysAlongAnAxisReachEveryPoint() throws {
  let state = try five()
  let titles = ["float32"] + state.candidates.map(\.title)
  for (back, forth) in [(PlaneStep.Direction.left, PlaneStep.Direction.right), (.down, .up)] {
    var pane = ParetoPane()
    for _ in titles { _ = pane.update(.plane(.move(back)), state, size: size) }
    var seen: [String] = []
    for _ in titles {
      seen.append(try #require(named(pane, state, titles)))
      _ = pane.update(.plane(.move(forth)), state, size: size)
    }
    #expect(Set(seen) == Set(titles))
    var returned: [String] = []
    for _ in titles {
      returned.append(try #require(named(pane, state, titles)))
      _ = pane.update(.plane(.move(back)), state, size: size)
    }
    #expect(returned == seen.reversed())
  }
}

@Test func enterMakesThePointCurrentAndFloat32IsTheReference() throws {
  var state = try five()
  var screen = fixtureScreen()
  _ = play("4 h h h h h h", &screen, &state, size)
  #expect(state.current == CandidateID(6), "moving the cursor leaves the candidate alone")
  _ = play("enter", &screen, &state, size)
  #expect(state.current == CandidateID(2))
  _ = play("l l l l l l enter", &screen, &state, size)
  #expect(state.current == CandidateID(2))
  #expect(screen.draw(state, size: size).text().contains("float32 is the reference"))
}

@Test func whatIsBeatenOldOrGuessedLooksSo() throws {
  var state = try five()
  let text = picture(ParetoPane(), state).joined(separator: "\n")
  #expect(text.contains("○D") && text.contains("●B") && text.contains("●C") && text.contains("◆f32"))
  #expect(text.contains("┬") && text.contains("┴"), "the paired interval")
  #expect(text.contains("beaten"))
  var pane = ParetoPane()
  _ = pane.update(.plane(.move(.left)), state, size: size)
  #expect(picture(pane, state).joined().contains("on the front"))
  _ = state.update(.select(CandidateID(3)))
  _ = state.update(.editDefaults(SettingsChange(weightBits: 4), title: "4-bit weights"))
  let stale = picture(ParetoPane(), state).joined(separator: "\n")
  #expect(stale.contains("☆~C") && stale.contains("earlier form") && stale.contains("~92.00 acc %"))
  // What C beat as measured, it beats no more.
  #expect(stale.contains("●D"))
  let recipe = try #require(state.currentEntry).recipe
  _ = state.update(.whatIfReady)
  _ = state.update(
    .predicted(
      recipe.key,
      Prediction(
        layers: [], cost: 0.01, top1Delta: -0.05, weightBytes: 3_000, packedBytes: 3_000, compression: 10)))
  let predicted = picture(ParetoPane(), state).joined(separator: "\n")
  #expect(predicted.contains("☆≈C") && predicted.contains("predicted") && predicted.contains("≈89.00 acc %"))
}

@Test func pointsOnOneCellSaySo() throws {
  let state = try five()
  let text = picture(ParetoPane(), state).joined(separator: "\n")
  #expect(text.contains("E,F") && text.contains("same place: E"))
}

@Test func zoomKeepsThePointAndFitsAgain() throws {
  let state = try five()
  var pane = ParetoPane()
  _ = pane.update(.plane(.move(.left)), state, size: size)
  _ = pane.update(.plane(.move(.left)), state, size: size)
  let titles = ["float32"] + state.candidates.map(\.title)
  let name = named(pane, state, titles)
  #expect(pane.foot(state).isEmpty)
  for _ in 0..<6 {
    _ = pane.update(.plane(.zoom(2.0 / 3)), state, size: size)
    #expect(cursor(pane, state) != nil && named(pane, state, titles) == name)
  }
  #expect(pane.foot(state).map(\.text).joined() == "1 of 6 in sight")
  // A move brings its point into sight; panning ends at the last one.
  _ = pane.update(.plane(.move(.left)), state, size: size)
  #expect(cursor(pane, state) != nil && named(pane, state, titles) != name)
  for _ in 0..<40 { _ = pane.update(.plane(.pan(0.25, 0.25)), state, size: size) }
  let end = picture(pane, state)
  _ = pane.update(.plane(.pan(0.25, 0.25)), state, size: size)
  #expect(picture(pane, state) == end)
  #expect(pane.foot(state).map(\.text).joined().contains("of 6 in sight"))
  _ = pane.update(.plane(.fit), state, size: size)
  #expect(pane.foot(state).isEmpty)
  for _ in 0..<40 { _ = pane.update(.plane(.zoom(2.0 / 3)), state, size: size) }
  for _ in 0..<40 { _ = pane.update(.plane(.zoom(3.0 / 2)), state, size: size) }
  #expect(pane.foot(state).isEmpty)
}

@Test func theMouseChoosesZoomsAndPans() throws {
  let state = try five()
  var pane = ParetoPane()
  let area = Rect(x: 0, y: 0, width: size.width, height: size.height)
  _ = pane.update(.plane(.move(.left)), state, size: size)
  _ = pane.update(.plane(.move(.left)), state, size: size)
  let target = try #require(cursor(pane, state))
  pane = ParetoPane()
  #expect(cursor(pane, state) != target)
  let press = Mouse(at: target, .press(.left))
  #expect(pane.handle(press, state, in: area).isEmpty && cursor(pane, state) == target)
  guard case .act(.select(let id))? = pane.handle(press, state, in: area).first else {
    Issue.record("the second click makes it current")
    return
  }
  #expect(id == CandidateID(4))
  _ = pane.handle(Mouse(at: target, .wheelUp), state, in: area)
  let zoomed = try #require(cursor(pane, state))
  #expect(abs(zoomed.x - target.x) <= 1 && abs(zoomed.y - target.y) <= 1 && !pane.foot(state).isEmpty)
  let before = picture(pane, state)
  _ = pane.handle(Mouse(at: zoomed, .press(.left)), state, in: area)
  _ = pane.handle(Mouse(at: Point(x: zoomed.x + 4, y: zoomed.y), .drag(.left)), state, in: area)
  #expect(picture(pane, state) != before)
  let moved = try #require(cursor(pane, state))
  #expect(abs(moved.x - zoomed.x - 4) <= 1 && moved.y == zoomed.y)
  _ = pane.handle(Mouse(at: target, .release(.left)), state, in: area)
  let rested = picture(pane, state)
  _ = pane.handle(Mouse(at: target, .drag(.left)), state, in: area)
  #expect(picture(pane, state) == rested)
  _ = pane.handle(Mouse(at: target, .wheelDown), state, in: area)
  #expect(pane.foot(state).isEmpty)
}

@Test(arguments: [
  ("pareto-120x36", 120, 36, "4 + +"), ("pareto-60x16", 60, 16, "4"),
  ("pareto-zoom-80x24", 80, 24, "4 + + h h ) ) )"),
])
func paretoFrames(name: String, width: Int, height: Int, keys: String) throws {
  var state = try five()
  var screen = fixtureScreen()
  let size = Size(width: width, height: height)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}
