import Interface
import Panes
import Screen
import Testing
import Workbench

@Suite struct ReplayTests {
  let size = Size(width: 120, height: 36)

  /// What was done, as it would be in the log and is read from it.
  private func through(_ steps: [ReplayStep]) throws -> [ReplayStep] {
    try ReplayLog(ReplayLog(model: "a \"b\".onnx", steps: steps).text, file: "x.log").steps
  }

  private func replayed(_ steps: [ReplayStep]) throws -> (State, Screen, [Request]) {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = screen.apply(.clock(0), &state)
    var requests: [Request] = []
    for step in try through(steps) { requests += screen.replay(step, &state) }
    return (state, screen, requests)
  }

  @Test(arguments: [
    "j j space m z Z", "/ text:block enter space esc", "3 l l * ] ] 5 o", ": text:undo enter",
    "? text:mark enter",
    "i C-u text:neu home text:x enter", "e down C-u text:out.yaml enter", "f text:a/b.onnx backspace esc",
    "U up up enter esc", "n text:float enter r", "q n", "S down right tab f1 esc esc", "+ + 8 _ T",
    "t down esc",
    "v G v b b B w E enter", "W C-u text:x.txt enter", "H", "d d d d d",
  ])
  func whatIsRecordedLeadsToTheSameFrame(keys: String) throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    let requests = play(keys, &screen, &state, size)
    let (again, other, repeated) = try replayed(screen.takeRecorded())
    #expect(other.draw(again, size: size) == screen.draw(state, size: size))
    #expect(repeated == requests)
    #expect(again.candidates == state.candidates && again.marked == state.marked)
    #expect(screen.takeRecorded().isEmpty, "what was taken is gone")
  }

  @Test func clicksAreCommandsWhereThereAreSome() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = screen.apply(.clock(0), &state)
    _ = screen.handle(.resize(size), &state)
    let layout = Layout(size: size, focus: .layers, tab: .compare, zoom: .normal)
    let log = try #require(layout.place(of: .log)).area
    let layers = try #require(layout.place(of: .layers)).area
    for point in [
      Point(x: log.x + 2, y: log.y + 1), Point(x: layers.x + 5, y: layers.y + 3),
      Point(x: layers.x + 5, y: layers.y + 4), Point(x: 12, y: 35),
    ] {
      _ = screen.handle(.mouse(Mouse(at: point, .press(.left))), &state)
    }
    let steps = screen.takeRecorded()
    #expect(
      steps == [
        .size(size), .run("pane-7"), .run("pane-1"),
        .mouse(Mouse(at: Point(x: layers.x + 5, y: layers.y + 4), .press(.left))), .run("palette"),
      ])
    let (again, other, _) = try replayed(steps)
    #expect(again.layer == state.layer && other.draw(again, size: size) == screen.draw(state, size: size))
  }

  @Test func keysOfTheConfigurationAreNotInTheLog() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    screen.keyMap = KeyMap(["undo": [.character("u")], "layers.mark": [.character("K")]])
    _ = play("u K", &screen, &state, size)
    #expect(screen.takeRecorded() == [.size(size), .run("undo"), .run("layers.mark")])
  }

  @Test func aReplayBeginsWithTheSizesOfThePanes() throws {
    var moved = Proportions()
    moved[.columns] = 0.6
    moved[.compareFromPlots] = 0.3
    let (state, screen, requests) = try replayed([.size(size), .layout(moved)])
    var other = fixtureScreen()
    other.proportions = moved
    var same = state
    _ = other.apply(.clock(0), &same)
    _ = other.handle(.resize(size), &same)
    #expect(screen.proportions == moved && screen.draw(state, size: size) == other.draw(same, size: size))
    #expect(requests.isEmpty, "nobody's own sizes change")
  }

  @Test func aLogIsPlainText() throws {
    var moved = Proportions()
    moved[.columns] = 0.5
    let log = ReplayLog(
      model: "/m/a.onnx", data: "/d/test.yaml",
      steps: [
        .size(size), .layout(moved), .wait, .run("layers.mark"), .type("a \"b\""), .key(.control("u")),
        .paste("x\ny"),
        .mouse(Mouse(at: Point(x: 3, y: 4), .wheelDown)),
      ])
    #expect(
      log.text == """
        model "/m/a.onnx"
        data "/d/test.yaml"
        size 120x36
        layout {"columns":0.5}
        wait
        run layers.mark
        type "a \\"b\\""
        key C-u
        paste "x\\ny"
        wheel-down 3 4

        """)
    #expect(try ReplayLog("# by hand\n\n" + log.text, file: "x") == log)
  }

  @Test(arguments: [
    "walk 3", "key hyper", "type a", "size 3", "click 1", "run", "wait 3", "model", "click 1 b", "layout",
    "layout 0.5",
  ])
  func whatIsNoStepIsSaidWithItsLine(line: String) {
    #expect(throws: ReplayLog.Mistake(file: "x.log", line: 2, text: line)) {
      try ReplayLog("wait\n\(line)\n", file: "x.log")
    }
  }
}
