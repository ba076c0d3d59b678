import Foundation
import Interface
import Jobs
import Panes
import Screen
import Testing
import Workbench

private let size = Size(width: 120, height: 36)

private func press(_ point: Point) -> Input { .mouse(Mouse(at: point, .press(.left))) }

/// Where a piece of text begins on the screen.
private func find(_ text: String, _ screen: Screen, _ state: State, rows: Range<Int> = 0..<36) -> Point? {
  let lines = screen.draw(state, size: size).lines()
  for y in rows where y < lines.count {
    if let range = lines[y].range(of: text) {
      return Point(x: CharacterWidth.of(String(lines[y][..<range.lowerBound])), y: y)
    }
  }
  return nil
}

/// Clicks where a piece of text is.
private func click(
  _ text: String, _ screen: inout Screen, _ state: inout State, rows: Range<Int> = 0..<36
) throws -> [Request] {
  let point = try #require(find(text, screen, state, rows: rows), "\(text) is not on the screen")
  return screen.handle(press(Point(x: point.x + 1, y: point.y)), &state)
}

/// Every command that works everywhere, by footer, list and wheel alone, does what its key does.
@Test func everyCommandCanBeReachedByTheMouseAlone() throws {
  let start = try fixtureState(fixtureModel())
  var unreached: [String] = []
  for command in Screen.commandTables[0].rows {
    var state = start
    var screen = fixtureScreen()
    _ = play("", &screen, &state, size)
    var (twin, twinState) = (screen, state)
    let expected = twin.handle(.key(try #require(command.keys.first)), &twinState)
    _ = try click(": command", &screen, &state, rows: 35..<36)
    // A row of the list: the title, blanks, and what it explains.
    let words = String(command.explanation.prefix(12))
    var last: Canvas?
    var row: Point?
    while row == nil {
      let frame = screen.draw(state, size: size)
      row =
        frame.lines().enumerated().compactMap { y, line -> Point? in
          guard let title = line.range(of: "┃ \(command.title) "),
            let detail = line.range(of: words, range: title.upperBound..<line.endIndex),
            line[title.upperBound..<detail.lowerBound].allSatisfy({ $0 == " " })
          else { return nil }
          return Point(x: CharacterWidth.of(String(line[..<title.lowerBound])) + 3, y: y)
        }.first
      if row != nil || frame == last { break }
      last = frame
      _ = screen.handle(.mouse(Mouse(at: Point(x: 60, y: 18), .wheelDown)), &state)
    }
    guard let row else {
      unreached.append(command.id)
      continue
    }
    // The first click chooses where the cursor is there already; else the second.
    var requests = screen.handle(press(row), &state)
    if screen.draw(state, size: size).text().contains("┏━ Commands") {
      requests += screen.handle(press(row), &state)
    }
    #expect(requests == expected, "\(command.id)")
    #expect(screen.draw(state, size: size).text() == twin.draw(twinState, size: size).text(), "\(command.id)")
  }
  // These have a reason against them in this workbench, which the list shows instead.
  #expect(Set(unreached) == ["stop-training", "redo", "training"])
}

@Test func aClickOnAHintRunsIt() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("", &screen, &state, size)
  #expect(try click("x cancel", &screen, &state, rows: 34..<35) == [.effect(.cancel(JobID(7)))])
  _ = try click("z undo", &screen, &state, rows: 35..<36)
  #expect(find("undo 3", screen, state) != nil)
  _ = try click("? help", &screen, &state, rows: 35..<36)
  #expect(find("Help: Layers", screen, state) != nil)
  // Outside closes.
  _ = screen.handle(press(Point(x: 0, y: 0)), &state)
  #expect(find("Help: Layers", screen, state) == nil)
}

@Test func theNumberOfOtherJobsLeadsToThem() throws {
  var state = try fixtureState(fixtureModel())
  _ = state.update(
    .jobChanged(JobStatus(id: JobID(8), title: "other", state: .running, fraction: 0.1, seconds: 1)))
  var screen = fixtureScreen()
  _ = play("", &screen, &state, size)
  _ = try click("+1 job", &screen, &state, rows: 34..<35)
  #expect(screen.focus == .jobs)
}

@Test func tabsAreClickedAndTheWheelTurnsWhatIsUnderIt() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("", &screen, &state, size)
  _ = try click("8 Train", &screen, &state)
  #expect(screen.focus == .training)
  _ = play("1", &screen, &state, size)
  _ = play("3", &screen, &state, size)
  let layers = try #require(screen.layout.place(of: .layers)).area
  for wheel in [Mouse.Kind.wheelUp, .wheelDown] {
    let here = state.layer
    _ = screen.handle(.mouse(Mouse(at: Point(x: layers.x + 5, y: layers.y + 4), wheel)), &state)
    #expect(screen.focus == .compare && state.layer != here)
  }
}

@Test func nothingIsClickedOnAScreenThatShowsNothing() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let tiny = Size(width: 50, height: 12)
  _ = play("", &screen, &state, tiny)
  for y in 0..<12 {
    for x in stride(from: 0, to: 50, by: 3) {
      #expect(screen.handle(press(Point(x: x, y: y)), &state).isEmpty)
    }
  }
  #expect(screen.focus == .layers && screen.draw(state, size: tiny).text().contains("need 60x16"))
}

@Test func theMouseCanBeLeftToTheTerminal() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  #expect(play("%", &screen, &state, size) == [.mouse(false)])
  #expect(play("%", &screen, &state, size) == [.mouse(true)])
}
