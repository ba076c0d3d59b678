import Foundation
import Graph
import Interface
import Panes
import Quantization
import Screen
import Testing
import Workbench

/// Plays keys as `--keys` takes them, with no work behind them.
func play(_ keys: String, _ screen: inout Screen, _ state: inout State, _ size: Size) -> [Request] {
  var requests = screen.handle(.resize(size), &state) + screen.apply(.clock(0), &state)
  for step in KeyScript.steps(keys) {
    switch step {
    case .key(let key): requests += screen.handle(.key(key), &state)
    case .text(let text):
      for character in text { requests += screen.handle(.key(.character(character)), &state) }
    case .wait: break
    }
  }
  return requests
}

@Test(arguments: [
  ("too-small-50x12", 50, 12, ""), ("help-100x30", 100, 30, "?"), ("layers-zoomed-100x30", 100, 30, "+ +"),
  ("config-zoomed-80x24", 80, 24, "2 + +"), ("compare-zoomed-100x30", 100, 30, "3 + +"),
  ("pareto-zoomed-80x24", 80, 24, "4 + +"), ("histogram-zoomed-80x24", 80, 24, "5 + +"),
  ("jobs-zoomed-80x24", 80, 24, "6 + +"), ("log-zoomed-80x24", 80, 24, "7 + +"),
])
func frames(name: String, width: Int, height: Int, keys: String) throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: width, height: height)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func theAsciiFrameHasOnlyAscii() throws {
  let state = try fixtureState(fixtureModel())
  let text = fixtureScreen(.ascii).draw(state, size: Size(width: 120, height: 36)).text()
  #expect(text.allSatisfy { $0.isASCII })
  try expectGolden("ascii-120x36", text)
}

@Test func theFirstFrameSaysWhatIsOpened() throws {
  var state = State()
  _ = state.update(.open(OpenRequest(model: "folder/net.onnx")))
  let text = fixtureScreen().draw(state, size: Size(width: 80, height: 24)).text()
  #expect(text.contains("opening net.onnx"))
}

@Test(arguments: [(60, 16), (80, 24), (100, 30), (120, 36), (200, 60)])
func layoutsCoverTheScreenWithoutOverlap(width: Int, height: Int) {
  for focus in PaneKind.allCases {
    for zoom in [Layout.Zoom.normal, .half, .full] {
      let layout = Layout(size: Size(width: width, height: height), focus: focus, tab: .compare, zoom: zoom)
      #expect(layout.place(of: focus) != nil, "the focused pane is seen")
      var covered = 0
      for (index, place) in layout.places.enumerated() {
        covered += place.area.width * place.area.height
        #expect(place.area.maxX <= width && place.area.maxY <= height - 2 && place.area.y >= 1)
        for other in layout.places[(index + 1)...] { #expect(place.area.intersection(other.area).isEmpty) }
      }
      #expect(covered == width * (height - 3))
    }
  }
}

@Test func panesDrawAtEverySmallSize() throws {
  let full = try fixtureState(fixtureModel())
  var roofline = full
  _ = roofline.update(.showSteps(.candidate))
  let waiting = roofline
  try answerSteps(&roofline)
  var training = full
  try fixtureTraining(&training)
  for state in [State(), full, waiting, roofline, training] {
    for pane in Screen.allPanes {
      for width in 1...20 {
        for height in 1...5 {
          var canvas = Canvas(Size(width: width, height: height))
          pane.draw(on: &canvas, in: Rect(x: 0, y: 0, width: width, height: height), state, isFocused: true)
          _ = pane.note(state)
          #expect(canvas.lines().count == height)
        }
      }
    }
  }
}

/// Every command of every table, and every plain key, in an empty and in a full workbench, over the Roofline view, and
/// while a candidate is trained.
@Test(arguments: ["empty", "full", "roofline", "training"])
func everyKeyCanBePressedAnywhere(kind: String) throws {
  var start = kind == "empty" ? State() : try fixtureState(fixtureModel())
  if kind == "roofline" {
    _ = start.update(.showSteps(.candidate))
    try answerSteps(&start)
  }
  if kind == "training" { try fixtureTraining(&start) }
  let size = Size(width: 80, height: 24)
  var keys = Set(Screen.commandTables.flatMap { $0.rows.flatMap(\.keys) })
  keys.formUnion(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?:/[]+-_*%".map { Key.character($0) })
  for focus in 1...8 {
    for key in keys {
      var state = start
      var screen = fixtureScreen()
      _ = play("\(focus)", &screen, &state, size)
      _ = screen.handle(.key(key), &state)
      _ = screen.handle(.key(.down), &state)
      _ = screen.handle(.key(.enter), &state)
      _ = screen.handle(.key(.escape), &state)
      #expect(screen.draw(state, size: size).lines().count == 24)
    }
  }
}

@Test func keysEditTheRecipeAndUndoBringsItBack() throws {
  var state = try fixtureState(fixtureModel())
  _ = state.update(.select(CandidateID(1)))
  var screen = fixtureScreen()
  let before = try #require(state.currentEntry).recipe
  _ = play("A m", &screen, &state, Size(width: 120, height: 36))
  let entry = try #require(state.currentEntry)
  #expect(entry.resolution["block/pointwise"]?.effective.mode == .dynamic)
  #expect(entry.resolution["stem/conv"]?.effective.mode == .static)
  _ = play("z", &screen, &state, Size(width: 120, height: 36))
  #expect(state.currentEntry?.recipe == before)
}

@Test func runAsksForWorkOnceAndQuitAsksWhileItRuns() throws {
  var state = try fixtureState(fixtureModel())
  _ = state.update(.select(CandidateID(4)))
  var screen = fixtureScreen()
  let size = Size(width: 120, height: 36)
  let id = CandidateID(4)
  let recipe = try #require(state.currentEntry).recipe
  #expect(play("r", &screen, &state, size).contains(.effect(.run(id, recipe))))
  #expect(!play("q", &screen, &state, size).contains(.quit))
  #expect(!play("n q n q n q enter", &screen, &state, size).contains(.quit))
  #expect(play("q y", &screen, &state, size).contains(.quit))
}

@Test func aClickFocusesFirstAndActsNext() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: 120, height: 36)
  _ = screen.handle(.resize(size), &state)
  let layout = Layout(size: size, focus: .layers, tab: .compare, zoom: .normal)
  let log = try #require(layout.place(of: .log)).area
  _ = screen.handle(.mouse(Mouse(at: Point(x: log.x + 3, y: log.y + 1), .press(.left))), &state)
  #expect(screen.focus == .log)
  let layers = try #require(layout.place(of: .layers)).area
  let row = Mouse(at: Point(x: layers.x + 5, y: layers.y + 3), .press(.left))
  let layer = state.layer
  _ = screen.handle(.mouse(row), &state)
  #expect(screen.focus == .layers && state.layer == layer)
  _ = screen.handle(.mouse(row), &state)
  #expect(state.layer == "block/depthwise")
}

@Test func commandIdsAndGlobalKeysAreUnique() {
  let tables = Screen.commandTables
  let ids = tables.flatMap { $0.rows.map(\.id) }
  #expect(Set(ids).count == ids.count)
  let keys = tables[0].rows.flatMap(\.keys)
  #expect(Set(keys).count == keys.count)
}
