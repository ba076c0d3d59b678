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
  var realError: Int32 = -1
  var realOutput: Int32 = -1
  var buffer: UnsafeMutablePointer<UInt8>
  /// Actions before ours, by signal number.
  var previous: UnsafeMutablePointer<sigaction>
  var isInstalled = false
}

private let restoreCapacity = 512

// A constant pointer: a handler must not run into exclusivity checks, locks or actors.
private nonisolated(unsafe) let state: UnsafeMutablePointer<GuardState> = {
  let pointer = UnsafeMutablePointer<GuardState>.allocate(capacity: 1)
  let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
  previous.initialize(repeating: sigaction(), count: 65)
  pointer.initialize(
    to: GuardState(
      restore: .allocate(capacity: restoreCapacity), buffer: .allocate(capacity: 512), previous: previous))
  return pointer
}()

/// Async-signal-safe; also runs at exit.
private func restoreTerminal() {
  guard state.pointee.isActive else { return }
  state.pointee.isActive = false
  _ = write(state.pointee.terminal, state.pointee.restore, state.pointee.restoreLength)
  _ = tcsetattr(state.pointee.terminal, TCSANOW, &state.pointee.saved)
  releaseOutput()
}

/// Gives standard error and output back, and shows the end of what was written meanwhile ("Fatal error: …").
private func releaseOutput() {
  let file = state.pointee.captured
  guard file >= 0 else { return }
  state.pointee.captured = -1
  if state.pointee.realError >= 0 { _ = dup2(state.pointee.realError, 2) }
  if state.pointee.realOutput >= 0 { _ = dup2(state.pointee.realOutput, 1) }
  let target = state.pointee.realError >= 0 ? state.pointee.realError : state.pointee.realOutput
  _ = lseek(file, max(0, lseek(file, 0, SEEK_END) - 4096), SEEK_SET)
  while true {
    let count = read(file, state.pointee.buffer, 512)
    if count <= 0 { break }
    _ = write(target, state.pointee.buffer, count)
  }
}

private let crashHandler:
  @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void = {
    number, info, _ in
    restoreTerminal()
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

/// Puts the terminal back as it was, whatever happens: fatal signals, `exit`, and the end of the program.
package enum CrashGuard {
  private static let fatal = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGQUIT]
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
  static func install(terminal: Int32, wakeEnd: Int32, saved: termios, restore: String) {
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
    signal(SIGPIPE, SIG_IGN)
    captureOutput()
    if !state.pointee.isInstalled {
      state.pointee.isInstalled = true
      atexit { restoreTerminal() }
    }
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
    signal(SIGTSTP, SIG_DFL)
    // The whole group, so that it works below a shell script or a build tool.
    kill(0, SIGTSTP)
    listen(SIGTSTP, previous: nil)
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
    guard state.pointee.captured < 0, writesError || writesOutput, let file = tmpfile() else { return }
    state.pointee.captured = fileno(file)
    state.pointee.realError = writesError ? dup(2) : -1
    state.pointee.realOutput = writesOutput ? dup(1) : -1
    if writesError { _ = dup2(fileno(file), 2) }
    if writesOutput { _ = dup2(fileno(file), 1) }
  }
}
