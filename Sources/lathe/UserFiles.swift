import Foundation
import Interface
import Screen

/// Where the user's own files live (XDG base directories).
struct UserFiles {
  let config: String
  let themes: String
  /// What the program remembers by itself.
  let state: String
  let sessions: String
  let log: String
  /// Hints that were followed or dismissed.
  let tour: String
  /// What was done in sessions.
  let commands: String
  /// Models opened before.
  let recent: String

  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let home = environment["HOME"] ?? ""
    func base(_ name: String, _ fallback: String) -> String {
      environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? home + fallback
    }
    config = base("XDG_CONFIG_HOME", "/.config") + "/lathe/config.yaml"
    themes = base("XDG_CONFIG_HOME", "/.config") + "/lathe/themes"
    state = base("XDG_STATE_HOME", "/.local/state") + "/lathe"
    sessions = state + "/sessions"
    tour = state + "/hints"
    commands = state + "/commands"
    recent = state + "/recent.json"
    log = state + "/log"
  }

  /// Names of the user's own themes.
  var themeNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: themes)) ?? [])
      .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// The hints that are left; ids of the others stand in a file, one in a line.
  func loadTour() -> Tour {
    Tour(
      done: Set(
        ((try? String(contentsOfFile: tour, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)))
  }

  /// Remembers the hints; where that cannot be written they come again.
  func save(_ tour: Tour) {
    try? FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    try? Files.replace(self.tour, with: Data(tour.done.sorted().map { $0 + "\n" }.joined().utf8))
  }

  /// The keys and the form of plots that the configuration asks for, and what of it is not followed; a file that is not there says nothing.
  func configuration() -> (keys: KeyMap, graph: Glyphs.Plot?, warnings: [FileProblem]) {
    guard FileManager.default.fileExists(atPath: config) else { return (KeyMap(), nil, []) }
    do {
      let source = ConfigSource(yaml: try String(contentsOfFile: config, encoding: .utf8), file: config)
      let (map, warnings) = Screen.keyMap(source)
      return (map, source.graph, warnings)
    } catch {
      let reason = (error as NSError).localizedDescription
      return (KeyMap(), nil, [FileProblem(file: config, line: nil, problem: "cannot be read: \(reason)")])
    }
  }

  /// A user theme's text.
  func theme(_ name: String) -> String? {
    guard !name.contains("/") else { return nil }
    return try? String(contentsOfFile: "\(themes)/\(name).yaml", encoding: .utf8)
  }
}
