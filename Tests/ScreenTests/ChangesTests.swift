import Interface
import Jobs
import Panes
import Screen
import Testing
import Workbench

@Suite struct ChangesTests {
  let size = Size(width: 80, height: 24)

  @Test(arguments: [("changes-80x24", 80, 24), ("changes-60x16", 60, 16)])
  func changesAreListed(name: String, width: Int, height: Int) throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    let size = Size(width: width, height: height)
    _ = play("z z U up", &screen, &state, size)
    try expectGolden(name, screen.draw(state, size: size).text())
  }

  @Test func anyChangeCanBeGoneTo() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    var designs = [state.candidates.map(\.recipe)]
    let all = state.history.done.count
    for _ in 0..<all {
      _ = play("z", &screen, &state, size)
      designs.append(state.candidates.map(\.recipe))
    }
    #expect(all == 4 && Set(designs.map(\.count)) == [1, 2, 3, 4])
    // From none done to three done, then back to one, each in one step.
    _ = play("U down down down enter", &screen, &state, size)
    #expect(state.history.done.count == 3 && state.candidates.map(\.recipe) == designs[all - 3])
    _ = play("k k enter", &screen, &state, size)
    #expect(state.history.done.count == 1 && state.candidates.map(\.recipe) == designs[all - 1])
    #expect(state.history.titles.count == all)
    _ = play("G enter esc", &screen, &state, size)
    #expect(state.candidates.map(\.recipe) == designs[0] && state.history.undone.isEmpty)
    // z and Z as ever, in the list too.
    _ = play("U z Z z esc z", &screen, &state, size)
    #expect(state.history.done.count == all - 2)
  }

  @Test func travelStopsAtTheEnds() throws {
    var state = try fixtureState(fixtureModel())
    let all = state.history.done.count
    let recipes = state.candidates.map(\.recipe)
    #expect(state.update(.travel(to: all)) == [], "nothing to do, nothing to save")
    #expect(state.update(.travel(to: -5)).contains(.save) && state.history.done.isEmpty)
    _ = state.update(.travel(to: 1000))
    #expect(state.history.done.count == all && state.candidates.map(\.recipe) == recipes)
  }
}

/// What cannot be undone is asked for, and only y does it.
@Suite struct ConfirmationTests {
  let size = Size(width: 80, height: 24)

  @Test(arguments: ["enter", "space", "n", "esc", "q", "C-c", "tab enter", "enter enter enter"])
  func onlyYesConfirms(keys: String) throws {
    var dialog = ConfirmDialog(title: "", lines: ["Sure?"], outputs: [.quit])
    let screen = Rect(x: 0, y: 0, width: 80, height: 24)
    for case .key(let key) in KeyScript.steps(keys) {
      let outputs = dialog.handle(.key(key), State(), screen: screen)
      #expect(!outputs.contains { if case .quit = $0 { true } else { false } })
    }
    let outputs = dialog.handle(.key(.character("y")), State(), screen: screen)
    #expect(outputs.contains { if case .quit = $0 { true } else { false } })
    // Pasted text is no answer.
    #expect(dialog.handle(.paste("y\ny\n"), State(), screen: screen).isEmpty)
  }

  @Test func theSafeAnswerIsTheDefault() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = play("q", &screen, &state, size)
    let canvas = screen.draw(state, size: size)
    let row = try #require(canvas.lines().firstIndex { $0.contains(" n no ") })
    let x = try #require(Array(canvas.lines()[row]).firstIndex(of: "n"))
    #expect(canvas[x, row].style.attributes.contains(.selected))
    #expect(!canvas[x + 8, row].style.attributes.contains(.selected))
    // The mouse can answer too.
    #expect(screen.handle(.mouse(Mouse(at: Point(x: x + 8, y: row), .press(.left))), &state) == [.quit])
  }

  @Test func aTrainingIsNotDroppedByOneKey() throws {
    var state = try fixtureState(fixtureModel())
    try fixtureTraining(&state)
    var screen = fixtureScreen()
    #expect(play("6 x", &screen, &state, size).isEmpty)
    #expect(screen.draw(state, size: size).text().contains("Cancel the training?"))
    #expect(play("enter", &screen, &state, size).isEmpty)
    #expect(play("x y", &screen, &state, size) == [.effect(.cancel(JobID(9)))])
  }

  @Test func quittingAsksWhereNothingIsKept() throws {
    var state = try fixtureState(fixtureModel())
    _ = state.update(.jobChanged(JobStatus(id: JobID(7), title: "C", state: .done, seconds: 20)))
    var screen = fixtureScreen()
    var open = state
    #expect(play("q", &screen, &open, size) == [.quit], "a session that is written needs no question")
    _ = state.update(.sessionIsReadOnly("another lathe has it open"))
    #expect(play("q", &screen, &state, size).isEmpty)
    #expect(screen.draw(state, size: size).text().contains("Changes are lost"))
    #expect(play("y", &screen, &state, size) == [.quit])
  }
}
