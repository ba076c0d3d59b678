import Foundation
import Screen
import Workbench
import Workflows

/// Writes down what is done in a session, so that `--replay` does it again.
final class SessionLog {
  private let folder: String
  private var log: ReplayLog
  private var file: FileHandle?
  /// Letters typed so far, which become one step.
  private var typed = ""
  /// Logs that are kept.
  private static let most = 50

  init(folder: String, opening request: OpenRequest) {
    self.folder = folder
    func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
    log = ReplayLog(
      model: absolute(request.model), data: request.data.map(absolute),
      trainData: request.trainData.map(absolute))
  }

  func append(_ steps: [ReplayStep]) {
    for step in steps {
      if case .type(let text) = step {
        typed += text
        continue
      }
      flush()
      write(step.line + "\n")
    }
  }

  func flush() {
    guard !typed.isEmpty else { return }
    write(ReplayStep.type(typed).line + "\n")
    typed = ""
  }

  /// A log that cannot be written is none; nothing else waits for it.
  private func write(_ line: String) {
    if file == nil { file = open() }
    try? file?.write(contentsOf: Data(line.utf8))
  }

  private func open() -> FileHandle? {
    let files = FileManager.default
    try? files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let old = ((try? files.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".log") }
      .sorted()
    for name in old.dropLast(Self.most - 1) { try? files.removeItem(atPath: "\(folder)/\(name)") }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd-HHmmss"
    let path = "\(folder)/\(format.string(from: Date()))-\(ProcessInfo.processInfo.processIdentifier).log"
    let heading = "# lathe \(Version.text); lathe --replay FILE does this again.\n" + log.heading
    guard files.createFile(atPath: path, contents: Data(heading.utf8)) else { return nil }
    let file = FileHandle(forWritingAtPath: path)
    _ = try? file?.seekToEnd()
    return file
  }
}
