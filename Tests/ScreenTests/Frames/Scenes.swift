import Analysis
import Graph
import Interface
import Jobs
import Panes
import Screen
import Testing
import Workbench

/// A situation of the workbench whose frames are kept in `Tests/Golden/Frames/NAME.txt`.
struct Scene: Sendable, CustomTestStringConvertible {
  let name: String
  /// Keys to play, as `--keys` takes them, once the situation is there.
  let keys: String
  let start: @Sendable (Glyphs, Size) throws -> (Screen, State)

  var testDescription: String { name }

  init(
    _ name: String, keys: String = "",
    start: @escaping @Sendable (Glyphs, Size) throws -> (Screen, State) = Scene.middleOfWork
  ) {
    (self.name, self.keys, self.start) = (name, keys, start)
  }

  func played(_ glyphs: Glyphs, _ size: Size) throws -> (Screen, State) {
    var (screen, state) = try start(glyphs, size)
    _ = play(keys, &screen, &state, size)
    return (screen, state)
  }

  /// Every pane with the keyboard, every dialog, every view inside a pane, and what is seen when nothing is there.
  ///
  /// A new pane has its scene by itself; a dialog that some key opens and that is not here fails a test.
  static let all: [Scene] = panes + dialogs + views + beginnings

  private static let panes = PaneKind.allCases.map { kind in
    Scene("pane-\(kind)", keys: "\(kind.rawValue)")
  }

  private static let dialogs = [
    Scene("help", keys: "?"),
    Scene("palette", keys: ": text:undo"),
    Scene("presets", keys: "n"),
    Scene("rename", keys: "i"),
    Scene("open", keys: "down down", start: fixtureOpenDialog),
    Scene("themes", keys: "t down"),
    Scene("changes", keys: "b m U up"),
    Scene("changes-help", keys: "b m U f1"),
    Scene("columns", keys: "C down down space"),
    Scene("write", keys: "W"),
    Scene("note", keys: "3 N"),
    Scene("pareto-x", keys: "4 o"),
    Scene("pareto-y", keys: "4 O"),
    Scene("histogram-error", keys: "5 w w w"),
    Scene("histogram-channels", keys: "5 v"),
    Scene("export", start: fixtureExportDialog),
    Scene("replace") { glyphs, size in
      var (screen, state) = try middleOfWork(glyphs, size)
      let recipe = try #require(state.currentEntry).recipe
      let request = ExportRequest(format: "recipe", path: "weight-int4.yaml", recipe: recipe)
      _ = screen.apply(.exportExists(request), &state)
      return (screen, state)
    },
    Scene("quit", keys: "q"),
    Scene("advice-asked", keys: "V"),
    Scene("advice") { glyphs, size in
      var (screen, state) = try middleOfWork(glyphs, size)
      _ = play("V", &screen, &state, size)
      _ = screen.apply(.adviceStarted(JobID(9)), &state)
      _ = screen.apply(.advised(try fixtureAdvice()), &state)
      _ = screen.apply(
        .jobChanged(JobStatus(id: JobID(9), title: "advice", state: .done, seconds: 2)), &state)
      return (screen, state)
    },
    Scene("search-form", keys: "S"),
    Scene("search-running") { glyphs, size in
      try fixtureSearchView(size, glyphs, front: fixtureFront(measured: 2))
    },
    Scene("search") { glyphs, size in
      try fixtureSearchView(size, glyphs, front: fixtureFront(measured: 4, isDone: true), isDone: true)
    },
  ]

  private static let views = [
    Scene("filter", keys: "/ text:block"),
    Scene("filter-problem", keys: "/ text:bits<x"),
    Scene("tree", keys: "F"),
    Scene("tour") { glyphs, _ in
      var (screen, state) = try opened(glyphs)
      screen.tour = Tour()
      return (screen, state)
    },
    Scene("compare-layers", keys: "3 v") { glyphs, _ in try fixtureAnsweredView(glyphs) },
    Scene("compare-classes", keys: "3 v v") { glyphs, _ in try fixtureAnsweredView(glyphs) },
    Scene("compare-confusion", keys: "3 v v v") { glyphs, _ in try fixtureAnsweredView(glyphs) },
    Scene("compare-samples", keys: "3 v v v v") { glyphs, _ in try fixtureAnsweredView(glyphs) },
    Scene("compare-text", keys: "3 v v v v v") { glyphs, _ in try fixtureTextView(glyphs) },
    Scene("costs", keys: "enter") { glyphs, size in
      var (screen, state) = try middleOfWork(glyphs, size)
      let guess = try #require(state.project).kurtosisRanking()
      _ = screen.apply(.costsFound(try fixtureCosts(guess)), &state)
      return (screen, state)
    },
    Scene("roofline") { glyphs, size in try fixtureRooflineView(size, glyphs) },
    Scene("roofline-plot", keys: "9 l") { glyphs, size in try fixtureRooflineView(size, glyphs) },
    Scene("blame") { glyphs, size in try fixtureBlameView(size, glyphs) },
    Scene("predicted") { glyphs, _ in
      let (screen, state, _) = try fixturePredictedView(glyphs)
      return (screen, state)
    },
    Scene("training", keys: "T") { glyphs, _ in try fixtureTrainingView(fixtureProgress, glyphs) },
    Scene("training-config", keys: "2") { glyphs, _ in try fixtureTrainingView(fixtureProgress, glyphs) },
  ]

  private static let beginnings = [
    Scene("empty") { glyphs, _ in (fixtureScreen(glyphs), State()) },
    Scene("opening") { glyphs, _ in
      var (screen, state) = (fixtureScreen(glyphs), State())
      _ = screen.apply(.open(OpenRequest(model: "folder/net.onnx")), &state)
      return (screen, state)
    },
    Scene("open-failed") { glyphs, _ in
      var (screen, state) = (fixtureScreen(glyphs), State())
      _ = screen.apply(.open(OpenRequest(model: "folder/net.onnx")), &state)
      _ = screen.apply(
        .openFailed(
          "net.onnx, node \"conv_12\" (Conv): weight has 64 input channels, but its input has 3 and group is 1."
        ), &state)
      return (screen, state)
    },
    Scene("opened") { glyphs, _ in try opened(glyphs) },
    Scene("opened-compare", keys: "3") { glyphs, _ in try opened(glyphs) },
    Scene("job-failed", keys: "6") { glyphs, size in
      var (screen, state) = try middleOfWork(glyphs, size)
      _ = screen.apply(
        .jobChanged(
          JobStatus(
            id: JobID(7), title: "C dynamic-int8",
            state: .failed("test.yaml, sample 1220: input \"image\" is not finite. Leave the sample out."),
            seconds: 12)), &state)
      return (screen, state)
    },
  ]

  static func middleOfWork(_ glyphs: Glyphs, _ size: Size) throws -> (Screen, State) {
    (fixtureScreen(glyphs), try fixtureState(fixtureModel()))
  }

  /// Just opened: one candidate, nothing measured.
  private static func opened(_ glyphs: Glyphs) throws -> (Screen, State) {
    var (screen, state) = (fixtureScreen(glyphs), State())
    let full = try fixtureState(fixtureModel())
    _ = screen.apply(.opened(try #require(full.project), nil), &state)
    return (screen, state)
  }
}
