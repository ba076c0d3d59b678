import Foundation
import Glibc
import Terminal
import Workflows

/// The file that keeps errors and crashes, one line each, for when the screen that showed them is gone.
///
/// A file that has grown is renamed to `log.1`, replacing that; the two together stay below twice `limit` and a line.
final class ErrorLog {
  private static let name = "lathe \(Version.text)"
  /// Bytes after which a new file is begun.
  static let limit = 256 << 10
  /// Bytes of one line's text.
  static let lineLimit = 2000

  private let path: String
  private let descriptor: Int32

  /// Opens the file, and makes it and its folder where they are missing; `nil` where they cannot be written.
  init?(path: String) {
    self.path = path
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    guard let opened = Self.open(path) else { return nil }
    descriptor = opened
    rotate()
  }

  deinit { close(descriptor) }

  /// Where the terminal's last act is written to.
  var crashLog: CrashLog { CrashLog(descriptor: descriptor, path: path, name: Self.name) }

  /// Adds an error.
  func append(_ text: String) {
    rotate()
    let line = Output.printable(text).replacing("\n", with: " ").replacing("\t", with: " ")
    let time = Date().formatted(.iso8601)
    var bytes = Array("\(time) \(Self.name) error: ".utf8)
    bytes += Array(String(decoding: Array(line.utf8.prefix(Self.lineLimit)), as: UTF8.self).utf8) + [0x0A]
    // At once, so that lines of two programs do not mix.
    _ = write(descriptor, bytes, bytes.count)
  }

  private static func open(_ path: String) -> Int32? {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    return descriptor >= 0 ? descriptor : nil
  }

  /// Begins a new file where this one is large, under the same descriptor, which the terminal's guard knows.
  private func rotate() {
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) >= Self.limit,
      rename(path, path + ".1") == 0, let next = Self.open(path)
    else { return }
    dup2(next, descriptor)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    close(next)
  }
}
