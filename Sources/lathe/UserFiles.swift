import Foundation

/// Where the user's own files live (XDG base directories).
struct UserFiles {
  let config: String
  let themes: String
  let sessions: String
  let log: String

  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let home = environment["HOME"] ?? ""
    func base(_ name: String, _ fallback: String) -> String {
      environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? home + fallback
    }
    config = base("XDG_CONFIG_HOME", "/.config") + "/lathe/config.yaml"
    themes = base("XDG_CONFIG_HOME", "/.config") + "/lathe/themes"
    sessions = base("XDG_STATE_HOME", "/.local/state") + "/lathe/sessions"
    log = base("XDG_STATE_HOME", "/.local/state") + "/lathe/log"
  }

  /// Names of the user's own themes.
  var themeNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: themes)) ?? [])
      .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// A user theme's text.
  func theme(_ name: String) -> String? {
    guard !name.contains("/") else { return nil }
    return try? String(contentsOfFile: "\(themes)/\(name).yaml", encoding: .utf8)
  }
}
