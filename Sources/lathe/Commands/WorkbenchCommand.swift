import ArgumentParser
import Foundation
import Interface
import Jobs
import Quantization
import Screen
import Terminal
import Workbench
import Workflows

struct WorkbenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workbench", abstract: "Open the workbench (the default command).")

  @Argument(help: "Model file (.onnx); the bundled sample when left out.")
  var model: String?

  @Option(help: "Dataset card, .npz or array that evaluates.")
  var data: String?

  @Option(name: .customLong("train-data"), help: "Dataset that calibrates instead of --data.")
  var trainData: String?

  @OptionGroup var recipes: RecipeOptions

  @Option(help: "Folder of the session, or none (default: beside the model).")
  var session: String?

  @Option(
    help: "Theme (see `lathe themes`); auto: dark or light where the terminal says what it is, else terminal."
  )
  var theme = "auto"

  @Option(help: "Colours: auto, never, 16, 256 or truecolor.")
  var color: ColorChoice = .auto

  @Flag(help: "Draw with ASCII characters only.")
  var ascii = false

  @Flag(name: .customLong("no-mouse"), help: "Leave the mouse to the terminal.")
  var noMouse = false

  @Option(help: "Print the frame at this size (120x36) as text instead of opening a terminal.")
  var snapshot: FrameSize?

  @Option(help: "Keys to play before the frame is printed, for example 'j j space m r wait'.")
  var keys: String?

  @Option(help: "Do again what a session did: a log of `lathe paths`, commands.")
  var replay: String?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if keys != nil, snapshot == nil { throw ValidationError("--keys needs --snapshot WxH.") }
  }

  func run() throws {
    let replayed = try replay.map(Self.readReplay)
    let request = try openRequest(replayed)
    let files = UserFiles()
    let named = theme == "auto" ? nil : try ThemeLibrary.load(theme) { files.theme($0) }
    let (keyMap, graph, configWarnings) = files.configuration()
    func screen(_ theme: Theme) -> Screen {
      let found = Glyphs.detect(environment: ProcessInfo.processInfo.environment, forceASCII: ascii)
      var screen = Screen(
        theme: named?.theme ?? theme, themes: ThemeLibrary.shipped.map(\.id) + files.themeNames,
        glyphs: Glyphs(found.characters, plot: graph), hasMouse: !noMouse,
        loadTheme: { name in try? ThemeLibrary.load(name) { files.theme($0) }.theme })
      screen.keyMap = keyMap
      return screen
    }
    if let snapshot {
      let wake = DispatchSemaphore(value: 0)
      let runner = EffectRunner(
        threads: common.threadCount, sessions: session.map(Self.sessions) ?? .none, wake: { wake.signal() })
      let frame = Snapshot(
        runner: runner, screen: screen(ThemeLibrary.fallback), size: snapshot.size, wake: wake
      ).run(opening: request, replay: replayed?.steps ?? [], keys: keys.map(KeyScript.steps) ?? [])
      Output.line(frame.text())
      return
    }
    let errors = ErrorLog(path: files.log)
    let terminal = try Terminal(
      Terminal.Options(color: color, usesMouse: !noMouse, crashLog: errors?.crashLog))
    var shown = screen(named == nil ? ThemeLibrary.automatic(terminal.appearance()) : ThemeLibrary.fallback)
    let waker = terminal.waker
    let runner = EffectRunner(
      threads: common.threadCount, sessions: session.map(Self.sessions) ?? (replay == nil ? .beside : .none),
      recent: RecentModels(path: files.recent), wake: { waker.wake() })
    let warnings = configWarnings.map { "\($0)" } + (named?.warnings ?? []).map { "\($0)" }
    for warning in warnings { runner.mailbox.post(.note(warning, .warning)) }
    var log: SessionLog?
    // What is done again begins as for the first time, and leaves nothing behind.
    if replay == nil {
      shown.tour = files.loadTour()
      shown.proportions = LayoutFile(files).read()
      log = SessionLog(folder: files.commands, opening: request)
    }
    try App(
      terminal: terminal, runner: runner, screen: shown, files: files, errors: errors, log: log,
      replay: replayed?.steps ?? []
    ).run(opening: request)
    if let signal = terminal.endingSignal { CrashGuard.die(by: signal) }
  }

  private static func sessions(_ text: String) -> EffectRunner.Sessions {
    text == "none" ? .none : .folder(text)
  }

  private static func readReplay(_ path: String) throws -> ReplayLog {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw WorkflowError("\(path): cannot be read as UTF-8 text: \((error as NSError).localizedDescription)")
    }
    return try ReplayLog(text, file: path)
  }

  /// - Parameter replayed: its model and data are opened where none are given.
  private func openRequest(_ replayed: ReplayLog?) throws -> OpenRequest {
    let loaded = try recipes.load(seed: common.seed, for: nil).map { entry in
      var recipe = entry.recipe
      recipe.name = entry.name.replacingOccurrences(of: "preset:", with: "")
      return recipe
    }
    if model == nil, let replayed, let model = replayed.model {
      return OpenRequest(
        model: model, data: data ?? replayed.data, trainData: trainData ?? replayed.trainData, recipes: loaded
      )
    }
    if let model {
      return OpenRequest(model: model, data: data, trainData: trainData, recipes: loaded)
    }
    let sample = try SampleFiles.find()
    return OpenRequest(
      model: sample.model, data: data ?? sample.data,
      trainData: trainData ?? (data == nil ? sample.trainData : nil),
      recipes: loaded)
  }
}

/// A frame size as `--snapshot` takes it.
struct FrameSize: ExpressibleByArgument {
  let size: Size

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1], (1...1000).contains(width),
      (1...1000).contains(height)
    else { return nil }
    size = Size(width: width, height: height)
  }
}

/// The bundled sample.
enum SampleFiles {
  struct Paths {
    var model: String
    var data: String
    var trainData: String
  }

  /// Looks in the working directory and above the program, where a checkout keeps them.
  static func find() throws -> Paths {
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folders = [URL(fileURLWithPath: FileManager.default.currentDirectoryPath)]
    var folder = program.deletingLastPathComponent()
    for _ in 0..<5 {
      folders.append(folder)
      folder = folder.deletingLastPathComponent()
    }
    for base in folders {
      let samples = base.appendingPathComponent("samples")
      let model = samples.appendingPathComponent("shapes.onnx").path
      if FileManager.default.fileExists(atPath: model) {
        return Paths(
          model: model, data: samples.appendingPathComponent("test.yaml").path,
          trainData: samples.appendingPathComponent("train.yaml").path)
      }
    }
    throw WorkflowError(
      "no model given, and the bundled sample (samples/shapes.onnx) is not here. Give a model file.")
  }
}

extension ColorChoice: ExpressibleByArgument {}
