import Foundation

/// Files shared by the project's machines, which are not part of it: `LATHE_SHARED`, else `../shared`.
enum Shared {
  static let root: String = {
    if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return path }
    let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared").path
  }()

  static var exists: Bool { FileManager.default.fileExists(atPath: root + "/data") }
  static func data(_ path: String) -> String { root + "/data/" + path }
}
