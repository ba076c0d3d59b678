import Foundation
import Screen

/// Where the lines between panes were left: view state, so it is kept beside sessions and never in the configuration.
struct LayoutFile {
  let path: String

  init(_ files: UserFiles = UserFiles()) {
    path = files.state + "/layout.json"
  }

  /// What was kept; nothing where there is no file, or none that can be understood.
  func read() -> Proportions {
    guard let data = FileManager.default.contents(atPath: path) else { return Proportions() }
    return (try? JSONDecoder().decode(Proportions.self, from: data)) ?? Proportions()
  }

  /// - Errors: `WorkflowError` where the file cannot be written.
  func write(_ proportions: Proportions) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try? FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Files.replace(path, with: try encoder.encode(proportions))
  }
}
