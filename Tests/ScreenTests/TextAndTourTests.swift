import Interface
import Panes
import Screen
import Testing
import Workbench

@Suite struct PasteTests {
  let size = Size(width: 80, height: 24)

  @Test func pastedTextRunsNoCommand() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = play("", &screen, &state, size)
    let before = state.candidates
    #expect(screen.handle(.paste("d\nm\nq\ny\nr\n"), &state) == [])
    #expect(state.candidates == before)
    #expect(screen.draw(state, size: size).text().contains("Pasted text goes into text fields only"))
  }

  @Test func severalLinesBecomeOneInAFilter() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = play("/", &screen, &state, size)
    _ = screen.handle(.paste("block\npoint\n"), &state)
    // No line break was an enter: the field is open still.
    func isOpen() -> Bool {
      screen.draw(state, size: size).lines().contains { $0.hasPrefix("┃/block point ") }
    }
    #expect(isOpen() && screen.draw(state, size: size).text().contains("block/pointwise"))
    _ = play("enter", &screen, &state, size)
    #expect(!isOpen())
  }

  @Test(arguments: ["i", "e", "f", ":", "n", "W"])
  func dialogsTakeItAsText(key: String) throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = play(key, &screen, &state, size)
    let before = state.candidates
    let requests = screen.handle(.paste("z\nq\ny\n"), &state)
    #expect(requests.allSatisfy { if case .effect(.list) = $0 { true } else { false } })
    #expect(state.candidates == before && screen.draw(state, size: size).text().contains("z q y"))
  }
}

@Suite struct PaneTextTests {
  let size = Size(width: 120, height: 36)

  /// As asked of the shell.
  private func copied(_ keys: String) throws -> String? {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    for case .effect(.copy(let text)) in play(keys, &screen, &state, size) { return text }
    return nil
  }

  @Test(arguments: [
    ("1 y", "block/pointwise"), ("2 y", "lathe: 1"), ("3 y", "float32"), ("4 y", "Pareto"),
    ("6 y", "dynamic-int8"),
    ("7 y", "block/pointwise carries most of the loss"),
  ])
  func copyTakesWhatThePaneShows(keys: String, part: String) throws {
    let text = try #require(try copied(keys))
    #expect(text.contains(part), "\(text)")
  }

  @Test func aPaneIsWrittenToAFile() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    let requests = play("W C-u text:layers.txt enter", &screen, &state, size)
    guard case .effect(.writeText(let file))? = requests.last else {
      Issue.record("nothing is written")
      return
    }
    #expect(file.path == "layers.txt" && file.what == "Layers" && !file.overwrite)
    #expect(
      file.text.contains("block/pointwise") && file.text.hasSuffix("╯\n") && !file.text.contains("Compare"))
    // One that is there is replaced after y only.
    _ = screen.apply(.textExists(file), &state)
    #expect(play("enter", &screen, &state, size) == [])
    _ = screen.apply(.textExists(file), &state)
    var again = file
    again.overwrite = true
    #expect(play("y", &screen, &state, size) == [.effect(.writeText(again))])
    _ = screen.apply(.textWritten(file), &state)
    #expect(screen.draw(state, size: size).text().contains("wrote Layers to layers.txt"))
  }
}

@Suite struct TourTests {
  let size = Size(width: 120, height: 36)

  private func start() throws -> (State, Screen) {
    var screen = fixtureScreen()
    screen.tour = Tour()
    var state = State()
    _ = state.update(.opened(try #require(try fixtureState(fixtureModel()).project), nil))
    return (state, screen)
  }

  @Test func hintsGoAwayWhenTheyAreFollowed() throws {
    var (state, screen) = try start()
    func hint() -> String { screen.draw(state, size: size).lines()[34] }
    #expect(hint().contains("hint 1/3: m changes the mode"))
    _ = play("j m", &screen, &state, size)
    #expect(hint().contains("hint 2/3: r measures"))
    // In any order, and by the palette or the mouse as well as by keys.
    _ = play(": esc", &screen, &state, size)
    #expect(hint().contains("hint 2/3"))
    _ = play("r", &screen, &state, size)
    #expect(!hint().contains("hint") && screen.tour == Tour.over)
  }

  /// A command that cannot be done is not learned by being tried; one from the palette is.
  @Test func onlyWhatIsDoneCounts() throws {
    var state = State()
    var screen = fixtureScreen()
    screen.tour = Tour()
    _ = play("m r", &screen, &state, size)
    #expect(screen.tour.done.isEmpty)
    (state, screen) = try start()
    _ = play(": text:bits-up enter", &screen, &state, size)
    #expect(screen.tour.done == ["help", "edit"])
  }

  @Test func hintsAreDismissedAndComeBack() throws {
    var (state, screen) = try start()
    _ = play("H", &screen, &state, size)
    #expect(screen.tour.hint == nil && !screen.draw(state, size: size).text().contains("hint 1/3"))
    _ = play("H", &screen, &state, size)
    #expect(screen.tour.hint?.id == "edit")
  }

  @Test func hintsFitTheSmallestScreen() throws {
    var (state, screen) = try start()
    let small = Size(width: 60, height: 16)
    let keyOf = Dictionary(
      Screen.commandTables.flatMap(\.rows).map { ($0.id, $0.keys[0].label) }, uniquingKeysWith: { $1 })
    for keys in ["", "j m", "r"] {
      _ = play(keys, &screen, &state, small)
      let row = screen.draw(state, size: small).lines()[14]
      let text = try #require(screen.tour.hint).text.replacing(/\[(.+?)\]/) {
        keyOf[String($0.1)] ?? "no command"
      }
      #expect(row.contains(text + "  H dismisses"), "\(row)")
    }
  }

  @Test func everyHintCanBeFollowed() {
    let ids = Set(Screen.commandTables.flatMap { $0.rows.map(\.id) })
    #expect(Tour.hints.count == 3 && Set(Tour.hints.map(\.id)).count == 3)
    for hint in Tour.hints {
      for named in hint.text.matches(of: /\[(.+?)\]/) { #expect(ids.contains(String(named.1))) }
      #expect(!hint.commands.isEmpty && hint.commands.isSubset(of: ids), "\(hint.id)")
    }
  }
}
