import Foundation
import Glibc
import Jobs
import Tensors
import Workflows

/// What commands write: results on stdout, everything else on stderr.
enum Output {
  static func error(_ message: String) {
    write(2, "lathe: \(printable(message))\n")
  }

  static func line(_ text: String) { write(1, text + "\n") }

  /// A piece of a text that comes bit by bit.
  static func text(_ text: String) { write(1, printable(text)) }

  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    line(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  private static func write(_ file: Int32, _ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Text without control characters: names from files must not steer a terminal.
  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map {
          ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F..<0xA0).contains($0.value) ? "\u{FFFD}" : $0
        }))
  }

  /// A reporter that draws one line on stderr where that is a terminal, and ends the work on ^C.
  static func reporter(quiet: Bool) -> Reporter {
    Interrupt.install()
    let draws = !quiet && isatty(2) == 1
    let last = Locked<ContinuousClock.Instant?>(nil)
    return Reporter(report: { fraction, note in
      if Interrupt.happened { throw JobCancelled() }
      guard draws else { return }
      let due = last.withLock { last in
        guard last.map({ ContinuousClock.now - $0 > .milliseconds(100) }) ?? true || fraction == 1 else {
          return false
        }
        last = .now
        return true
      }
      guard due else { return }
      let percent = fraction.map { String(format: "%3.0f %% ", $0 * 100) } ?? ""
      write(2, "\r\u{1B}[K\(percent)\(printable(note))\(fraction == 1 ? "\r\u{1B}[K" : "")")
    })
  }
}

/// Notices ^C, so that work ends at its next report and nothing half written stays.
enum Interrupt {
  nonisolated(unsafe) private static let flag: UnsafeMutablePointer<sig_atomic_t> = {
    let flag = UnsafeMutablePointer<sig_atomic_t>.allocate(capacity: 1)
    flag.initialize(to: 0)
    return flag
  }()

  static var happened: Bool { flag.pointee != 0 }

  static func install() {
    _ = flag  // made before a handler can run
    signal(SIGINT) { _ in Interrupt.flag.pointee = 1 }
  }
}
