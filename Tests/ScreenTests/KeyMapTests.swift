import Interface
import Jobs
import Panes
import Screen
import Testing
import Workbench

private func keyMap(_ yaml: String) -> (map: KeyMap, warnings: [String]) {
  let (map, warnings) = Screen.keyMap(ConfigSource(yaml: yaml, file: "config.yaml"))
  return (map, warnings.map(\.description))
}

@Suite struct KeyMapTests {
  let size = Size(width: 120, height: 36)

  @Test func ownKeysWorkAndOldOnesDoNot() throws {
    let (map, warnings) = keyMap("keys:\n  undo: [u, f7]\n  layers.mark: K\n")
    #expect(warnings.isEmpty)
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    screen.keyMap = map
    let before = state.history.done.count
    _ = play("z", &screen, &state, size)
    #expect(state.history.done.count == before)
    _ = play("u f7", &screen, &state, size)
    #expect(state.history.done.count == before - 2)
    let marked = state.marked
    _ = play("space", &screen, &state, size)
    #expect(state.marked == marked)
    _ = play("K", &screen, &state, size)
    #expect(state.marked != marked)
    // A text field still takes letters.
    _ = play("/ text:ub", &screen, &state, size)
    #expect(screen.draw(state, size: size).text().contains("/ub"))
  }

  @Test func hintsHelpAndListsShowOwnKeys() throws {
    let (map, _) = keyMap("keys:\n  run: Y\n  layers.filter: f3\n")
    var state = try fixtureState(fixtureModel())
    _ = state.update(.select(.init(1)))
    var screen = fixtureScreen()
    screen.keyMap = map
    let footer = screen.draw(state, size: size).lines().last ?? ""
    #expect(footer.contains("Y run") && footer.contains("F3 filter"), "\(footer)")
    #expect(screen.help(state).label(of: "run") == "Y" && screen.palette(state).label(of: "run") == "Y")
    let rows = Screen.commandTables(map).flatMap(\.rows)
    #expect(rows.first { $0.id == "run" }?.keys == [.character("Y")])
  }

  @Test func sentencesNameOwnKeys() throws {
    let (map, _) = keyMap("keys:\n  new: Y\n  cancel: K\n  run: f6\n  tour: J\n")
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    screen.keyMap = map
    #expect(screen.draw(state, size: size).text().contains("K cancel"))
    screen.tour = Tour(done: ["edit"])
    _ = state.update(.jobChanged(JobStatus(id: JobID(7), title: "C", state: .cancelled)))
    let status = screen.draw(state, size: size).lines()[34]
    #expect(status.contains("hint 2/3: F6 measures it") && status.contains("J dismisses"), "\(status)")
    for _ in 0..<4 { _ = play("d", &screen, &state, size) }
    _ = play("f6", &screen, &state, size)
    let text = screen.draw(state, size: size).text()
    #expect(
      text.contains("There is no candidate; Y makes one.") && text.contains("No candidate: Y makes one"))
  }

  /// One warning with its line each; every other line holds.
  @Test(arguments: [
    ("runn: g", "line 2: `runn` is no command; `lathe keys --json` lists their ids."),
    ("run: n", "line 2: n is the key of `new` already, so `run` keeps r F5."),
    ("run: space", "line 2: space is the key of `layers.mark` already, so `run` keeps r F5."),
    ("layers.mark: tab", "line 2: tab is the key of `next-pane` already, so `layers.mark` keeps space."),
    ("menu.choose: g", "line 2: `menu.choose` belongs to a dialog, whose keys are fixed."),
  ])
  func whatCannotBeIsSaidAndLeft(line: String, warning: String) {
    let (map, warnings) = keyMap("keys:\n  \(line)\n  undo: u\n")
    #expect(warnings.count == 1 && warnings[0].contains(warning), "\(warnings)")
    #expect(map == KeyMap(["undo": [.character("u")]]))
  }

  @Test func keysCanBeExchanged() {
    let (map, warnings) = keyMap("keys:\n  new: d\n  delete: n\n")
    #expect(
      warnings.isEmpty && map.keys["new"] == [.character("d")] && map.keys["delete"] == [.character("n")])
    // Half of an exchange meets the other's own key.
    #expect(keyMap("keys:\n  new: d\n").warnings.count == 1)
    // What is taken back can free nothing for another.
    let chain = keyMap("keys:\n  new: d\n  delete: q\n")
    #expect(chain.warnings.count == 2 && chain.map.isEmpty)
  }

  /// What replaces another by default may go on doing so, and alternatives may share a key.
  @Test func declaredReplacementsStay() {
    let (map, warnings) = keyMap(
      "keys:\n  cancel: K\n  jobs.cancel: K\n  layers.blame: E\n  layers.blame-table: E\n")
    #expect(warnings.isEmpty && map.keys.count == 4)
  }
}
