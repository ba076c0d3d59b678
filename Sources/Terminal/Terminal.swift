internal import CNcurses
import Foundation
import Glibc
import Interface

/// The screen, the keyboard and the mouse.
///
/// Not `Sendable`: the terminal library belongs to one thread. Other threads use `waker`.
package final class Terminal {
  package struct Options {
    /// The type of the terminal; `nil` is `TERM`.
    package var type: String?
    package var color: ColorChoice
    package var usesMouse: Bool
    package var environment: [String: String]
    /// A terminal to use instead of `/dev/tty`, for tests.
    package var descriptor: Int32?
    /// Off for tests that open several terminals in one process.
    package var handlesSignals: Bool
    package var crashLog: CrashLog?

    package init(
      type: String? = nil, color: ColorChoice = .auto, usesMouse: Bool = true,
      environment: [String: String] = ProcessInfo.processInfo.environment, descriptor: Int32? = nil,
      handlesSignals: Bool = true, crashLog: CrashLog? = nil
    ) {
      self.type = type
      self.color = color
      self.usesMouse = usesMouse
      self.environment = environment
      self.descriptor = descriptor
      self.handlesSignals = handlesSignals
      self.crashLog = crashLog
    }
  }

  package private(set) var size: Size
  package let depth: ColorDepth
  /// For other threads, to make `wait` return.
  package let waker: Waker
  package private(set) var usesMouse: Bool

  private let handlesSignals: Bool
  private let hasMouse: Bool
  private let screen: OpaquePointer
  private let window: UnsafeMutablePointer<WINDOW>
  private let output: UnsafeMutablePointer<FILE>
  private let input: UnsafeMutablePointer<FILE>
  private var decoder: InputDecoder
  private var painter: Painter
  private var isOpen = true
  /// Keys that were read while the terminal was asked something.
  private var early: [Input] = []
  /// Whether the terminal still owes an answer, which must not reach the shell.
  private var isAsking = false

  /// The signal that asked the program to end.
  package private(set) var endingSignal: Int32?

  private static let mouseOn = "\u{1b}[?1000h\u{1b}[?1002h\u{1b}[?1006h"
  private static let mouseOff = "\u{1b}[?1006l\u{1b}[?1002l\u{1b}[?1000l"
  private static let pasteOn = "\u{1b}[?2004h"
  private static let pasteOff = "\u{1b}[?2004l"

  /// Takes the terminal over: alternate screen, raw keys, mouse, paste.
  /// - Errors: `TerminalError`; the terminal is untouched then.
  package init(_ options: Options = Options(), waker: Waker? = nil) throws(TerminalError) {
    self.waker = if let waker { waker } else { try Waker() }
    handlesSignals = options.handlesSignals
    Terminal.useUTF8()
    let descriptor = try Terminal.open(options.descriptor)
    defer { if descriptor != options.descriptor { Glibc.close(descriptor) } }

    let term = options.type ?? options.environment["TERM"] ?? ""
    let type = try TerminalType(
      term: term.isEmpty ? "dumb" : term, color: options.color, environment: options.environment,
      descriptor: descriptor)
    depth = options.color.depth(available: type.available, noColor: options.environment["NO_COLOR"])

    // Our own descriptions are handed over in the environment, only while the library reads them.
    let previousTerminfo = ProcessInfo.processInfo.environment["TERMINFO"]
    if let blob = type.blob { setenv("TERMINFO", blob, 1) }
    defer {
      if type.blob != nil {
        if let previousTerminfo { setenv("TERMINFO", previousTerminfo, 1) } else { unsetenv("TERMINFO") }
      }
    }
    // The library's own look-up prints and exits where it fails, so look first.
    var result: Int32 = 0
    guard setupterm(type.name, descriptor, &result) == OK else { throw .unknownType(type.name) }
    hasMouse = TerminalType.capability("kmous") != nil
    usesMouse = options.usesMouse && hasMouse

    guard let output = fdopen(dup(descriptor), "w") else { throw .system("opening the terminal", errno) }
    guard let input = fdopen(dup(descriptor), "r") else {
      fclose(output)
      throw .system("opening the terminal", errno)
    }
    var saved = termios()
    tcgetattr(descriptor, &saved)
    if handlesSignals {
      // Before the library installs handlers of its own.
      CrashGuard.install(
        terminal: fileno(output), wakeEnd: self.waker.writeEnd, saved: saved, restore: Terminal.restoring(),
        log: options.crashLog)
    }
    // The size from the terminal, not from LINES and COLUMNS, which may be old.
    use_env(false)
    use_tioctl(true)
    guard let screen = newterm(type.name, output, input), let window = ncx_stdscr() else {
      if handlesSignals { CrashGuard.uninstall() }
      fclose(output)
      fclose(input)
      throw .unknownType(type.name)
    }
    self.screen = screen
    self.window = window
    self.output = output
    self.input = input
    raw()
    noecho()
    nonl()
    set_escdelay(25)
    keypad(window, true)
    nodelay(window, true)
    meta(window, true)
    intrflush(window, false)
    scrollok(window, false)
    leaveok(window, true)
    idlok(window, true)
    curs_set(0)
    painter = Painter(window: window, depth: depth)
    decoder = InputDecoder(window: window, descriptor: fileno(input))
    size = Size(width: Int(getmaxx(window)), height: Int(getmaxy(window)))
    wrefresh(window)
    // After the first refresh, so that these come after the switch to the alternate screen.
    send(modes(on: true))
  }

  deinit {
    close()
    delscreen(screen)
    fclose(output)
    fclose(input)
  }

  /// Gives the terminal back as it was; a second call does nothing.
  package func close() {
    guard isOpen else { return }
    isOpen = false
    set_term(screen)
    if isAsking { awaitAnswer(milliseconds: 200) }
    send(modes(on: false))
    endwin()
    if handlesSignals { CrashGuard.uninstall() }
  }

  // MARK: questions

  /// Asks the terminal for its background; `any` where it does not tell in time, or has too few colours to matter.
  ///
  /// The question is OSC 11, which not every terminal knows, then one that all answer (DA 1), so that only a terminal
  /// that is far away or mute is waited for to the end.
  package func appearance(withinMilliseconds limit: Int = 100) -> Theme.Appearance {
    guard isOpen, hasMouse, depth >= .indexed else { return .any }
    send("\u{1b}]11;?\u{1b}\\\u{1b}[c")
    isAsking = true
    awaitAnswer(milliseconds: limit)
    return decoder.background.map(Theme.Appearance.init) ?? .any
  }

  private func awaitAnswer(milliseconds limit: Int) {
    let end = ContinuousClock.now + .milliseconds(limit)
    while isAsking {
      early += decoder.drain()
      isAsking = !decoder.hasAnswered
      let left = Int((end - .now) / .milliseconds(1))
      var waiting = pollfd(fd: fileno(input), events: Int16(POLLIN), revents: 0)
      // A closed window is readable for ever.
      guard isAsking, left > 0, poll(&waiting, 1, Int32(left)) > 0,
        waiting.revents & Int16(POLLHUP | POLLERR | POLLNVAL) == 0
      else { return }
    }
  }

  // MARK: output

  /// Shows a canvas; only what changed since the last one is sent.
  package func present(_ canvas: Canvas, theme: Theme) {
    guard isOpen else { return }
    painter.present(canvas, theme: theme)
  }

  /// Draws everything anew with the next canvas, after another program wrote on the screen.
  package func redraw() {
    painter.forget()
    clearok(window, true)
  }

  /// Puts text on the clipboard of the person's terminal (OSC 52); `false` where it is too long for terminals to take.
  package func copy(_ text: String) -> Bool {
    let encoded = Data(text.utf8).base64EncodedString()
    guard encoded.utf8.count <= Terminal.clipboardLimit else { return false }
    send("\u{1b}]52;c;\(encoded)\u{07}")
    return true
  }

  /// Encoded bytes that terminals accept at least.
  package static let clipboardLimit = 74_994

  /// Reports clicks to the program, or leaves them to the terminal for selecting text.
  package func setMouse(_ isOn: Bool) {
    guard hasMouse, isOn != usesMouse else { return }
    usesMouse = isOn
    send(isOn ? Terminal.mouseOn : Terminal.mouseOff)
  }

  /// What the terminal library believes is on the screen; for tests.
  package func readBack() -> [String] { painter.readBack() }

  // MARK: input

  /// Sleeps until there is input, somebody wakes, or the time is over; returns all there is.
  ///
  /// `nil` waits without end, 0 only looks.
  package func wait(timeoutMilliseconds: Int?) -> [Input] {
    guard isOpen else { return [.terminate] }
    // The library may hold keys that it has read already, of which `poll` knows nothing.
    let early = self.early + decoder.drain()
    self.early = []
    if decoder.hasAnswered { isAsking = false }
    var waiting = [
      pollfd(fd: fileno(input), events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    let timeout = early.isEmpty ? Int32(clamping: timeoutMilliseconds ?? -1) : 0
    let count = poll(&waiting, 2, timeout)
    var inputs = early
    let (isWoken, signals) = waker.drain()
    if isWoken { inputs.append(.wake) }
    inputs += signals.compactMap(handle)
    if count > 0 && waiting[0].revents & Int16(POLLIN) != 0 { inputs += decoder.drain() }
    if count > 0 && waiting[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 {
      inputs.append(.terminate)
    }
    return inputs
  }

  private func handle(signal number: Int32) -> Input? {
    switch number {
    case SIGWINCH: return updateSize() ? .resize(size) : nil
    case SIGTERM, SIGHUP, SIGINT:
      endingSignal = number
      return .terminate
    case SIGTSTP:
      suspend()
      return .resize(size)
    case SIGCONT:
      // Stopped from outside: the library does not know, and the shell has changed the terminal's settings.
      endwin()
      resume()
      return .resize(size)
    default: return nil
    }
  }

  /// Asks the terminal for its size; `true` where it is another one.
  @discardableResult
  package func updateSize() -> Bool {
    var now = winsize()
    guard ioctl(fileno(output), UInt(TIOCGWINSZ), &now) == 0, now.ws_row > 0, now.ws_col > 0 else {
      return false
    }
    if Int(now.ws_row) == size.height && Int(now.ws_col) == size.width { return false }
    resizeterm(Int32(now.ws_row), Int32(now.ws_col))
    size = Size(width: Int(getmaxx(window)), height: Int(getmaxy(window)))
    painter.forget()
    return true
  }

  // MARK: suspension

  /// Gives the terminal back, stops the program as ^Z does, and takes the terminal again when it goes on.
  package func suspend() {
    guard isOpen else { return }
    send(modes(on: false))
    endwin()
    if handlesSignals {
      CrashGuard.setActive(false)
      CrashGuard.stop()
    }
    resume()
  }

  private func resume() {
    if handlesSignals { CrashGuard.setActive(true) }
    painter.forget()
    updateSize()
    wclear(window)
    wrefresh(window)
    send(modes(on: true))
  }

  // MARK: parts

  /// `/dev/tty`, so that standard output stays free; else a standard stream that is a terminal.
  private static func open(_ given: Int32?) throws(TerminalError) -> Int32 {
    if let given {
      guard isatty(given) == 1 else { throw .none }
      return given
    }
    let own = Glibc.open("/dev/tty", O_RDWR | O_CLOEXEC)
    if own >= 0 { return own }
    guard isatty(0) == 1, isatty(1) == 1 else { throw .none }
    let copy = dup(0)
    guard copy >= 0 else { throw .system("opening the terminal", errno) }
    return copy
  }

  /// In the C locale the library prints blanks for everything that is not ASCII.
  private static func useUTF8() {
    setlocale(LC_CTYPE, "")
    guard String(cString: nl_langinfo(Int32(CODESET))) != "UTF-8" else { return }
    if setlocale(LC_CTYPE, "C.UTF-8") == nil { setlocale(LC_CTYPE, "en_US.UTF-8") }
  }

  /// What puts a terminal of the present description back in order.
  private static func restoring() -> String {
    var text = TerminalType.capability("kmous") == nil ? "" : mouseOff + pasteOff
    for name in ["sgr0", "rmkx", "cnorm"] { text += TerminalType.capability(name) ?? "" }
    // Delays in a description ("$<2>") are for the library; real terminals do not need them.
    return stripDelays(text + (TerminalType.capability("rmcup") ?? "\r\n"))
  }

  private static func stripDelays(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstRange(of: "$<"), let end = rest[start.upperBound...].firstIndex(of: ">") {
      result += rest[..<start.lowerBound]
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private func modes(on isOn: Bool) -> String {
    guard hasMouse else { return "" }
    if isOn { return (usesMouse ? Terminal.mouseOn : "") + Terminal.pasteOn }
    return Terminal.pasteOff + (usesMouse ? Terminal.mouseOff : "")
  }

  /// Bytes for the terminal, in order with what the library writes.
  private func send(_ text: String) {
    guard !text.isEmpty else { return }
    fputs(text, output)
    fflush(output)
  }
}
