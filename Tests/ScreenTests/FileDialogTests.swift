import Foundation
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench
import Workflows

/// A folder with one of everything.
private final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent("inner"), withIntermediateDirectories: true)
    path = url.resolvingSymlinksInPath().path
    try write("net.onnx", [0x08, 0x07, 0x12, 0x00])
    try write("pointer.onnx", Array("version https://git-lfs.github.com/spec/v1\n".utf8))
    try write("mine.yaml", Array("# a recipe\nlathe: 1\nname: inputs\n".utf8))
    try write("test.yaml", Array("inputs:\n  image: {file: x.npy}\nlabels: {file: y.npy}\n".utf8))
    try write("other.yaml", Array("colour: red\n".utf8))
    try write("arrays.npz", [0x50, 0x4B])
    try write("notes.md", Array("x".utf8))
    try write("network.onnx", [0x08, 0x03])
    try write("inner/deep.onnx", [0x08])
    try FileManager.default.createDirectory(
      at: url.appendingPathComponent("net.onnx.lathe"), withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Plays keys and answers questions about folders as the shell would; returns what else is asked for.
private func answered(
  _ keys: String, _ screen: inout Screen, _ state: inout State, _ size: Size = Size(width: 100, height: 30)
) -> [Request] {
  var left: [Request] = []
  for step in keys.split(separator: " ") {
    var requests = play(String(step), &screen, &state, size)
    while !requests.isEmpty {
      switch requests.removeFirst() {
      case .effect(.list(let path)): requests += screen.apply(.listed(.read(path)), &state)
      case .effect(.openFile(let path)):
        requests += screen.apply(.fileChosen(path: path, FileKind(path: path)), &state)
      case let other: left.append(other)
      }
    }
  }
  return left
}

@Suite struct FileDialogTests {
  private func start(_ folder: Folder, project: Bool = true) throws -> (State, Screen) {
    var state = project ? try fixtureState(fixtureModel()) : State()
    _ = state.update(.jobChanged(JobStatus(id: JobID(7), title: "C", state: .done, seconds: 20)))
    _ = state.update(.filesKnown(working: folder.path, home: "/home/someone", recent: []))
    return (state, fixtureScreen())
  }

  @Test func filesAreToldApartByWhatTheyAre() throws {
    let folder = try Folder()
    let listing = FolderListing.read(folder.path)
    #expect(
      listing.entries.map { "\($0.name) \($0.kind.rawValue)" } == [
        "inner folder", "arrays.npz data", "mine.yaml recipe", "net.onnx model", "network.onnx model",
        "notes.md other", "other.yaml other", "pointer.onnx other", "test.yaml data",
      ])
    #expect(listing.failure == nil && listing.entries.first { $0.name == "net.onnx" }?.bytes == 4)
    #expect(FolderListing.read(folder.path + "/none").failure == "is not there")
    #expect(FileKind(path: folder.path) == .folder && FileKind(path: folder.path + "/none") == .other)
  }

  @Test func typingNarrowsTabCompletesAndEnterOpens() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    _ = answered("f", &screen, &state)
    let text = screen.draw(state, size: Size(width: 100, height: 30)).text()
    for shown in ["inner/", "net.onnx", "mine.yaml", "recipe", "test.yaml", "arrays.npz", ".."] {
      #expect(text.contains(shown), "\(shown)\n\(text)")
    }
    for hidden in ["notes.md", "other.yaml", "pointer.onnx", ".lathe"] { #expect(!text.contains(hidden)) }
    // As far as it is clear: net.onnx or network.onnx.
    _ = answered("n tab", &screen, &state)
    #expect(screen.draw(state, size: Size(width: 100, height: 30)).text().contains("┃ net "))
    // What is typed whole is opened, whatever else it would find.
    let opened = answered("text:.onnx enter", &screen, &state)
    #expect(opened == [.effect(.open(OpenRequest(model: folder.path + "/net.onnx")))])
  }

  @Test func foldersAreWalked() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    // The cursor starts on what is in the folder, not on the way back.
    #expect(
      answered("f i n tab enter", &screen, &state) == [
        .effect(.open(OpenRequest(model: folder.path + "/inner/deep.onnx")))
      ])
    (state, screen) = try start(folder)
    let last = (folder.path as NSString).lastPathComponent
    // Up and down again by arrows, letters and enter.
    let requests = answered("f enter text:\(last) enter text:inner/ text:deep enter", &screen, &state)
    #expect(requests == [.effect(.open(OpenRequest(model: folder.path + "/inner/deep.onnx")))])
  }

  @Test func eachKindIsOpenedAsWhatItIs() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    #expect(
      answered("f text:mine.yaml enter", &screen, &state) == [
        .effect(.importRecipe(path: folder.path + "/mine.yaml"))
      ])
    let requests = answered("f text:test.yaml enter", &screen, &state)
    var expected = OpenRequest(model: "fixture.onnx", data: folder.path + "/test.yaml")
    expected.otherwise = state.candidates.map(\.recipe)
    #expect(requests == [.effect(.open(expected))])
    #expect(answered("f text:pointer.onnx enter", &screen, &state) == [])
    #expect(screen.draw(state, size: Size(width: 120, height: 36)).text().contains("neither a model"))
    // With no model open, a recipe has nothing to belong to.
    var (bare, other) = try start(folder, project: false)
    #expect(answered("f text:mine.yaml enter", &other, &bare) == [])
    #expect(other.draw(bare, size: Size(width: 120, height: 36)).text().contains("open one first"))
  }

  @Test func pathsMayBeTypedWhole() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    _ = state.update(.filesKnown(working: "/", home: folder.path, recent: []))
    #expect(
      answered("f text:~/inner/../net.onnx enter", &screen, &state) == [
        .effect(.open(OpenRequest(model: folder.path + "/net.onnx")))
      ])
    // Pasted, with a line break at its end: no command runs before enter.
    _ = answered("f", &screen, &state)
    #expect(screen.handle(.paste("\(folder.path)/net.onnx\n"), &state).count == 1)
    #expect(state.opening != nil && !state.files.asked.isEmpty)
  }

  @Test func workThatWouldBeLostIsAskedFor() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    _ = screen.apply(.started(JobID(11), CandidateID(1)), &state)
    _ = screen.apply(
      .jobChanged(JobStatus(id: JobID(11), title: "A", state: .running, seconds: 2)), &state)
    #expect(answered("f text:net.onnx enter enter", &screen, &state) == [])
    let open = Request.effect(.open(OpenRequest(model: folder.path + "/net.onnx")))
    // Yes ends the work before the other model is read.
    #expect(answered("f text:net.onnx enter y", &screen, &state) == [.effect(.cancel(JobID(11))), open])
  }

  @Test func recentModelsAreOnTop() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    let recent = ["/models/a.onnx", "/models/mobile.onnx"].map {
      OpenRequest(model: $0, data: "/data/test.yaml")
    }
    _ = state.update(.filesKnown(working: folder.path, home: "/", recent: recent))
    #expect(answered("f enter", &screen, &state) == [.effect(.open(recent[0]))])
    #expect(answered("f text:mobi enter", &screen, &state) == [.effect(.open(recent[1]))])
  }

  @Test func slowAndUnreadableFoldersSaySo() throws {
    let folder = try Folder()
    var (state, screen) = try start(folder)
    let size = Size(width: 100, height: 30)
    // Nobody answers.
    _ = play("f", &screen, &state, size)
    #expect(screen.draw(state, size: size).text().contains("is being read …"))
    _ = screen.apply(
      .listed(FolderListing(path: folder.path, entries: [], failure: "may not be read (no permission)")),
      &state)
    let text = screen.draw(state, size: size).text()
    #expect(text.contains("may not be read (no permission)") && !text.contains("is being read"))
  }
}

@Suite struct ExportDialogTests {
  let size = Size(width: 100, height: 30)

  @Test func thePathIsCompleted() throws {
    let folder = try Folder()
    var state = try fixtureState(fixtureModel())
    _ = state.update(.filesKnown(working: folder.path, home: "/", recent: []))
    var screen = fixtureScreen()
    _ = answered("e C-u i tab text:out.yaml", &screen, &state)
    #expect(screen.draw(state, size: size).text().contains("inner/out.yaml"))
    let requests = answered("enter", &screen, &state)
    let recipe = try #require(state.currentEntry).recipe
    #expect(
      requests == [.effect(.export(ExportRequest(format: "lathe", path: "inner/out.yaml", recipe: recipe)))])
  }

  @Test func whatIsThereIsSaidAndAskedFor() throws {
    let folder = try Folder()
    var state = try fixtureState(fixtureModel())
    _ = state.update(.filesKnown(working: folder.path, home: "/", recent: []))
    var screen = fixtureScreen()
    _ = answered("e C-u text:mine.yaml", &screen, &state)
    #expect(screen.draw(state, size: size).text().contains("is there already: y will be asked"))
    guard case .effect(.export(let request))? = answered("enter", &screen, &state).first else {
      Issue.record("nothing is written")
      return
    }
    // The shell finds the file and writes nothing; enter is not yes.
    _ = screen.apply(.exportExists(request), &state)
    #expect(play("enter", &screen, &state, size) == [])
    _ = screen.apply(.exportExists(request), &state)
    var again = request
    again.overwrite = true
    #expect(play("y", &screen, &state, size) == [.effect(.export(again))])
  }

  @Test func theFileIsShownBeforeItIsWritten() throws {
    let (screen, state) = try fixtureExportDialog(.unicode, size)
    let text = screen.draw(state, size: size).text()
    #expect(text.contains("2.3 KiB, 61 lines") && text.contains("! block/pointwise: 4-bit weights"))
    #expect(text.contains("# Quantizes fixture.onnx") && text.contains("line_0 = 0"))
  }

  @Test func aModelsSizeIsAnEstimateUntilItIsMade() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    guard case .effect(.previewExport(let request))? = play("e up", &screen, &state, size).last else {
      Issue.record("no preview is asked for")
      return
    }
    #expect(request.format == "onnx")
    _ = screen.apply(
      .exportPreviewed(ExportPreview(request: request, note: "Not quantized as it is.")), &state)
    #expect(screen.draw(state, size: size).text().contains("of weights (estimate)"))
    _ = screen.apply(.exportPreviewed(ExportPreview(request: request, bytes: 4096)), &state)
    let text = screen.draw(state, size: size).text()
    #expect(!text.contains("estimate") && text.contains("✓ the target can express all of it"))
    // What belongs to another format is not shown.
    _ = play("up", &screen, &state, size)
    #expect(screen.draw(state, size: size).text().contains("looking at what it will be"))
  }

  @Test func aFailureIsSaidAndLogged() throws {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = screen.apply(
      .exportFailed(path: "/locked/x.yaml", "/locked/x.yaml: cannot be written: no permission"), &state)
    #expect(screen.draw(state, size: size).text().contains("no permission"))
    #expect(state.log.last?.level == .error)
  }
}

/// The dialog that opens files, on a folder that was read.
func fixtureOpenDialog(_ glyphs: Glyphs, _ size: Size) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  _ = state.update(
    .filesKnown(
      working: "/home/someone/models", home: "/home/someone",
      recent: [
        OpenRequest(
          model: "/home/someone/models/vision/resnet20.onnx", data: "/home/someone/data/cifar10/test.yaml")
      ]))
  var screen = fixtureScreen(glyphs)
  _ = play("f", &screen, &state, size)
  _ = screen.apply(
    .listed(
      FolderListing(
        path: "/home/someone/models",
        entries: [
          .init(name: "speech", kind: .folder), .init(name: "vision", kind: .folder),
          .init(name: "mixed.yaml", kind: .recipe, bytes: 812),
          .init(name: "mobilenet_v1_0.25.onnx", kind: .model, bytes: 1_907_113),
          .init(name: "test.yaml", kind: .data, bytes: 240),
        ])), &state)
  return (screen, state)
}

/// The dialog that writes a candidate, with the beginning of a script and what it cannot say.
func fixtureExportDialog(_ glyphs: Glyphs, _ size: Size) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  _ = state.update(.filesKnown(working: "/home/someone/models", home: "/", recent: []))
  var screen = fixtureScreen(glyphs)
  let asked = play("e down", &screen, &state, size)
  guard case .effect(.previewExport(let request))? = asked.last else {
    Issue.record("no preview is asked for")
    return (screen, state)
  }
  let lines =
    ["# Quantizes fixture.onnx with ONNX Runtime.", "import numpy", ""]
    + (0..<30).map { "line_\($0) = \($0)" }
  _ = screen.apply(.listed(FolderListing(path: "/home/someone/models", entries: [])), &state)
  _ = screen.apply(
    .exportPreviewed(
      ExportPreview(
        request: request, lines: lines, lineCount: 61, bytes: 2310,
        losses: [
          "block/pointwise: 4-bit weights become 8-bit.", "stem/conv: groups of weights become channels.",
        ])),
    &state)
  return (screen, state)
}
