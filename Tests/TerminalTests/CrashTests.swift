import Foundation
import Glibc
import Interface
import Testing

@testable import Terminal

/// Ways for a program to die, each in a process of its own on a terminal that the test watches.
enum Death: String, CaseIterable, Codable, Sendable {
  case fatalError, fault, overflow, overflowOnThread, abort, exit

  func happen() {
    switch self {
    case .fatalError: Swift.fatalError("told at the end")
    case .fault: UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1
    case .overflow: print(Self.deep(1))
    case .overflowOnThread:
      Thread.detachNewThread {
        CrashGuard.prepareThread()
        print(Self.deep(1))
      }
      sleep(20)
    case .abort: Glibc.abort()
    case .exit: Glibc.exit(3)
    }
  }

  /// Never comes back: every call keeps a place on the stack.
  private static func deep(_ number: Int) -> Int {
    var place = number
    return withUnsafeMutablePointer(to: &place) { $0.pointee == 0 ? 0 : deep($0.pointee + 1) + $0.pointee }
  }
}

@Suite(.serialized) struct CrashTests {
  @Test(arguments: Death.allCases) func theTerminalIsAsBefore(death: Death) async throws {
    let pty = try Pty(width: 60, height: 6)
    let before = pty.settings
    let path = String(cString: try #require(ttyname(pty.slave)))
    let log = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-crash-\(UUID())").path
    defer { unlink(log) }
    await #expect(processExitsWith: .failure) {
      [path = path as String, log = log as String, death = death as Death] in
      let descriptor = open(path, O_RDWR | O_NOCTTY)
      // Where the last words of the runtime go.
      dup2(descriptor, 2)
      let note = CrashLog(
        descriptor: open(log, O_WRONLY | O_CREAT | O_APPEND, 0o600), path: log, name: "lathe 9.9.9")
      let terminal = try Terminal(
        Terminal.Options(
          type: "xterm-256color", environment: [:], descriptor: descriptor, crashLog: note))
      terminal.present(Canvas(terminal.size), theme: ThemeLibrary.fallback)
      death.happen()
    }
    let sent = pty.sent()
    #expect(sent.contains("\u{1b}[?1049h") && sent.contains("\u{1b}[?1006h"), "the screen was up")
    #expect(modes(sent) == [], "\(death)")
    #expect(same(before, pty.settings))
    let written = try String(contentsOfFile: log, encoding: .utf8)
    guard death != .exit else {
      #expect(written == "")
      return
    }
    let leave = try #require(sent.range(of: "\u{1b}[?1049l")?.upperBound)
    #expect(
      sent[leave...].firstMatch(of: /lathe: ended by SIG[A-Z]+\. It is noted in (.*)\.\r\n/)?.1 == log[...])
    #expect(written.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ lathe 9\.9\.9 crash: SIG[^\n]*\n/) != nil)
    if death == .fatalError {
      #expect(sent[leave...].contains("Fatal error: told at the end"))
      #expect(written.contains("Fatal error: told at the end"))
    }
  }

  /// Private modes that are left switched on, and the cursor where it is left hidden.
  ///
  /// Not: 7, wrapping, which is on before too; 12, whether the cursor blinks; 1034, an old form of the meta key.
  private func modes(_ sent: String) -> Set<String> {
    var left: Set<String> = []
    for match in sent.matches(of: /\x1b\[\?([0-9;]+)([hl])/) {
      for mode in match.1.split(separator: ";") {
        if ["7", "12", "1034"].contains(mode) { continue }
        if (match.2 == "h") == (mode == "25") { left.remove(String(mode)) } else { left.insert(String(mode)) }
      }
    }
    return left
  }

  private func same(_ a: termios, _ b: termios) -> Bool {
    var (a, b) = (a, b)
    return memcmp(&a, &b, MemoryLayout<termios>.size) == 0
  }
}

@Suite struct SignalTextTests {
  private func written(_ add: (inout SignalText) -> Void) -> String {
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    defer { bytes.deallocate() }
    var text = SignalText(in: bytes, capacity: 64)
    add(&text)
    return String(decoding: UnsafeBufferPointer(start: bytes, count: text.count), as: UTF8.self)
  }

  @Test func datesAreThoseOfTheLibrary() {
    for time in stride(from: 0, to: 4_200_000_000, by: 7_654_321) + [951_782_400, 951_868_799, 4_107_542_400]
    {
      let date = Date(timeIntervalSince1970: Double(time)).formatted(.iso8601)
      #expect(written { $0.add(time: time) } == date)
    }
  }

  @Test func numbersAndWhatDoesNotFit() {
    #expect(
      [0, 7, 10, 99, 100, 65_535].map { n in written { $0.add(n) } } == [
        "0", "7", "10", "99", "100", "65535",
      ])
    #expect(written { $0.add(5, width: 3) } == "005")
    #expect(written { $0.add(signal: SIGSEGV) } == "SIGSEGV" && written { $0.add(signal: 40) } == "signal 40")
    #expect(written { text in for _ in 0..<100 { text.add("ab") } }.utf8.count == 64)
    let cut = written { text in
      for _ in 0..<100 { text.add("ab") }
      text.end()
    }
    #expect(cut.utf8.count == 64 && cut.hasSuffix("a\n"))
  }
}
