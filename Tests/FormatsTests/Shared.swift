import Foundation

/// The folder of models and data that the project is tested with but does not contain.
enum Shared {
  /// `$LATHE_SHARED`, else `shared` beside the package.
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared")
  }()

  static let exists = FileManager.default.fileExists(atPath: folder.appendingPathComponent("models").path)

  /// Every ONNX model below `models`, in order of their names.
  static var models: [URL] {
    guard exists else { return [] }
    let root = folder.appendingPathComponent("models")
    let found = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
    return (found?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "onnx" }
      .sorted { $0.path < $1.path }
  }
}

/// A new empty folder that is removed when the value goes away.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Unpacks an archive into the folder with `tar`.
  func unpack(_ archive: URL) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["tar", "xJf", archive.path, "-C", url.path]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileReadCorruptFile) }
  }
}
