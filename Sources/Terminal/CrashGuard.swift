internal import CNcurses
import Glibc

/// What a signal handler needs, allocated once and never freed.
///
/// The handlers only load from it and call write, tcsetattr, sigaction, lseek, read and dup2, all async-signal-safe.
private struct GuardState {
  var terminal: Int32 = -1
  var wakeEnd: Int32 = -1
  var isActive = false
  var saved = termios()
  var restore: UnsafeMutablePointer<UInt8>
  var restoreLength = 0
  /// Where standard error goes while the screen is up, and where it went before.
  var captured: Int32 = -1
  var isCapturing = false
  var realError: Int32 = -1
  var realOutput: Int32 = -1
  var buffer: UnsafeMutablePointer<UInt8>
  var tail: UnsafeMutablePointer<UInt8>
  /// The log, or −1; who writes to it ("lathe 0.1.0"); and where it is, both ending with 0.
  var log: Int32 = -1
  var name: UnsafeMutablePointer<CChar>?
  var path: UnsafeMutablePointer<CChar>?
  /// Actions before ours, by signal number.
  var previous: UnsafeMutablePointer<sigaction>
  var isInstalled = false
}

private let restoreCapacity = 512
private let bufferCapacity = 1024
private let tailCapacity = 4096

// A constant pointer: a handler must not run into exclusivity checks, locks or actors.
private nonisolated(unsafe) let state: UnsafeMutablePointer<GuardState> = {
  let pointer = UnsafeMutablePointer<GuardState>.allocate(capacity: 1)
  let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
  previous.initialize(repeating: sigaction(), count: 65)
  pointer.initialize(
    to: GuardState(
      restore: .allocate(capacity: restoreCapacity), buffer: .allocate(capacity: bufferCapacity),
      tail: .allocate(capacity: tailCapacity),
      previous: previous))
  return pointer
}()

/// Async-signal-safe; also runs at exit.
private func restoreTerminal() {
  guard state.pointee.isActive else { return }
  state.pointee.isActive = false
  _ = write(state.pointee.terminal, state.pointee.restore, state.pointee.restoreLength)
  // What the mouse has sent meanwhile would be typed into the shell.
  tcflush(state.pointee.terminal, TCIFLUSH)
  _ = tcsetattr(state.pointee.terminal, TCSANOW, &state.pointee.saved)
  releaseOutput()
}

/// Gives standard error and output back, and shows the end of what was written meanwhile ("Fatal error: …").
private func releaseOutput() {
  guard state.pointee.isCapturing else { return }
  state.pointee.isCapturing = false
  if state.pointee.realError >= 0 { _ = dup2(state.pointee.realError, 2) }
  if state.pointee.realOutput >= 0 { _ = dup2(state.pointee.realOutput, 1) }
  let target = state.pointee.realError >= 0 ? state.pointee.realError : state.pointee.realOutput
  var place = max(0, lseek(state.pointee.captured, 0, SEEK_END) - tailCapacity)
  while true {
    let count = pread(state.pointee.captured, state.pointee.buffer, bufferCapacity, place)
    if count <= 0 { break }
    _ = write(target, state.pointee.buffer, count)
    place += count
  }
}

/// One line for the person, and one for the log: what ended the program, and the last it had to say.
private func report(_ number: Int32) {
  var text = SignalText(in: state.pointee.buffer, capacity: bufferCapacity)
  text.add("lathe: ended by ")
  text.add(signal: number)
  text.add(".")
  if let path = state.pointee.path, state.pointee.log >= 0 {
    text.add(" It is noted in ")
    path.withMemoryRebound(to: UInt8.self, capacity: 1) { text.add($0, strlen(path)) }
    text.add(".")
  }
  text.add("\n")
  text.write(to: 2)
  guard state.pointee.log >= 0, let name = state.pointee.name else { return }
  text = SignalText(in: state.pointee.buffer, capacity: bufferCapacity)
  text.add(time: time(nil))
  text.add(" ")
  name.withMemoryRebound(to: UInt8.self, capacity: 1) { text.add($0, strlen(name)) }
  text.add(" crash: ")
  text.add(signal: number)
  addLastWords(to: &text)
  text.end()
  text.write(to: state.pointee.log)
}

/// What the runtime said of its end, in one line; else the end of what was said at all.
private func addLastWords(to text: inout SignalText) {
  guard state.pointee.captured >= 0 else { return }
  let place = max(0, lseek(state.pointee.captured, 0, SEEK_END) - tailCapacity)
  let count = pread(state.pointee.captured, state.pointee.tail, tailCapacity, place)
  guard count > 0 else { return }
  let words: StaticString = "Fatal error"
  let length = words.utf8CodeUnitCount
  var start = max(0, count - 512)
  for index in 0..<max(0, count - length)
  where memcmp(state.pointee.tail + index, words.utf8Start, length) == 0 {
    start = index
  }
  text.add(" ")
  for index in start..<count {
    let byte = state.pointee.tail[index]
    text.add(byte: byte < 0x20 || byte == 0x7F ? 0x20 : byte)
  }
}

private let crashHandler:
  @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void = {
    number, info, _ in
    restoreTerminal()
    report(number)
    // Put back what was there before: the default, or the runtime's own backtracer.
    _ = sigaction(number, state.pointee.previous + Int(number), nil)
    // Above 0 it is a fault: returning repeats the instruction, so the old action sees it in its true context.
    // Otherwise it was sent: send it again, to be delivered when this handler returns.
    if let info, info.pointee.si_code > 0 { return }
    _ = raise(number)
  }

private let notifyHandler: @convention(c) (Int32) -> Void = { number in
  let saved = errno
  var byte = UInt8(truncatingIfNeeded: number)
  _ = write(state.pointee.wakeEnd, &byte, 1)
  errno = saved
}

/// Where a crash is written down.
package struct CrashLog {
  /// Open for appending.
  package var descriptor: Int32
  package var path: String
  /// Program and version.
  package var name: String

  package init(descriptor: Int32, path: String, name: String) {
    self.descriptor = descriptor
    self.path = path
    self.name = name
  }
}

/// Puts the terminal back as it was, whatever happens: fatal signals, `exit`, and the end of the program.
package enum CrashGuard {
  /// Signals that end the program at once: faults, and all others that would end it unasked.
  private static let fatal: [Int32] =
    [
      SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGQUIT, SIGSYS, SIGXCPU, SIGUSR1, SIGUSR2, SIGALRM,
      SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR, SIGSTKFLT,
    ] + realTime
  /// Those the C library leaves to programs.
  private static let realTime: ClosedRange<Int32> = 34...64
  private static let notify = [SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT]

  /// Gives this thread a stack for signal handlers, for threads that may overflow their own.
  ///
  /// Without one an overflow ends the process before any handler runs, and the terminal stays as it is.
  package static func prepareThread() {
    var current = stack_t()
    if sigaltstack(nil, &current) == 0, current.ss_flags & Int32(SS_DISABLE) == 0 { return }
    let size = 64 * 1024
    var stack = stack_t()
    stack.ss_size = size
    // Never freed: the handler may need it as long as the thread lives.
    stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    sigaltstack(&stack, nil)
  }

  /// Takes over signals; `restore` is what to send to the terminal, `saved` its settings before.
  static func install(terminal: Int32, wakeEnd: Int32, saved: termios, restore: String, log: CrashLog?) {
    state.pointee.log = log?.descriptor ?? -1
    free(state.pointee.name)
    free(state.pointee.path)
    state.pointee.name = strdup(log?.name ?? "")
    state.pointee.path = strdup(log?.path ?? "")
    state.pointee.terminal = terminal
    state.pointee.wakeEnd = wakeEnd
    state.pointee.saved = saved
    state.pointee.restoreLength = 0
    for byte in restore.utf8.prefix(restoreCapacity) {
      state.pointee.restore[state.pointee.restoreLength] = byte
      state.pointee.restoreLength += 1
    }
    state.pointee.isActive = true
    prepareThread()
    for number in fatal {
      var action = sigaction()
      action.__sigaction_handler.sa_sigaction = crashHandler
      action.sa_flags = Int32(SA_ONSTACK) | Int32(SA_SIGINFO)
      sigemptyset(&action.sa_mask)
      sigaction(number, &action, state.pointee.previous + Int(number))
    }
    for number in notify { listen(number, previous: state.pointee.previous + Int(number)) }
    // A pipe that closes or a file that grows too large is an error of the write, which is told.
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    captureOutput()
    if !state.pointee.isInstalled {
      state.pointee.isInstalled = true
      atexit { restoreTerminal() }
    }
  }

  /// Ends the program by a signal that asked for it, so that whoever sent it sees that it was obeyed.
  package static func die(by number: Int32) {
    signal(number, SIG_DFL)
    raise(number)
  }

  /// Gives signals back.
  static func uninstall() {
    guard state.pointee.wakeEnd >= 0 else { return }
    state.pointee.isActive = false
    releaseOutput()
    for number in fatal + notify { sigaction(number, state.pointee.previous + Int(number), nil) }
    state.pointee.wakeEnd = -1
  }

  /// Off while the program is suspended and the terminal belongs to the shell.
  static func setActive(_ isActive: Bool) { state.pointee.isActive = isActive }

  /// Stops the process group as the shell's ^Z would, and returns when it goes on.
  static func stop() {
    // The whole group, so that it works below a shell script or a build tool.
    signal(SIGTSTP, SIG_IGN)
    kill(0, SIGTSTP)
    // Itself by a signal to this very thread, which stands still before `raise` returns; one to the process might find
    // another thread first. The continuation is ours then, not one to be told of.
    signal(SIGTSTP, SIG_DFL)
    signal(SIGCONT, SIG_DFL)
    raise(SIGTSTP)
    for number in [SIGTSTP, SIGCONT] { listen(number, previous: nil) }
  }

  private static func listen(_ number: Int32, previous: UnsafeMutablePointer<sigaction>?) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = notifyHandler
    action.sa_flags = Int32(SA_RESTART) | Int32(SA_ONSTACK)
    sigemptyset(&action.sa_mask)
    sigaction(number, &action, previous)
  }

  /// Sends standard error and output to a file without a name where they would be written over the screen.
  private static func captureOutput() {
    let writesError = isatty(2) == 1
    let writesOutput = isatty(1) == 1
    guard !state.pointee.isCapturing, writesError || writesOutput, let file = tmpfile() else { return }
    state.pointee.captured = fileno(file)
    state.pointee.isCapturing = true
    state.pointee.realError = writesError ? dup(2) : -1
    state.pointee.realOutput = writesOutput ? dup(1) : -1
    if writesError { _ = dup2(fileno(file), 2) }
    if writesOutput { _ = dup2(fileno(file), 1) }
  }
}
