import Glibc
import Interface
import Terminal

/// A terminal with nobody behind it: the test reads what is sent to it and types into it.
///
/// Used by one thread at a time.
final class Pty: @unchecked Sendable {
  private(set) var master: Int32
  let slave: Int32

  init(width: Int, height: Int) throws {
    var (master, slave): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&master, &slave, nil, nil, &size) == 0 else { throw TerminalError.system("openpty", errno) }
    self.master = master
    self.slave = slave
    _ = fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK)
  }

  deinit {
    close(slave)
    hangUp()
  }

  /// Closes the terminal's window.
  func hangUp() {
    if master >= 0 { close(master) }
    master = -1
  }

  /// What has been sent to the terminal since the last call.
  func sent() -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(master, &buffer, buffer.count)
      if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer.prefix(count)
    }
  }

  func type(_ text: String) {
    var bytes = Array(text.utf8)[...]
    // The terminal takes a few thousand bytes at a time; whoever reads them runs on another thread.
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
      if count > 0 { bytes = bytes.dropFirst(count) } else if errno == EAGAIN { usleep(1000) } else { return }
    }
  }

  func resize(width: Int, height: Int) {
    var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  /// The terminal's settings.
  var settings: termios {
    var result = termios()
    tcgetattr(slave, &result)
    return result
  }

  func options(
    _ type: String, color: ColorChoice = .auto, environment: [String: String] = [:], usesMouse: Bool = true
  ) -> Terminal.Options {
    Terminal.Options(
      type: type, color: color, usesMouse: usesMouse, environment: environment, descriptor: slave,
      handlesSignals: false)
  }
}

extension Terminal {
  /// Inputs until there are `count` of them, or half a second is over.
  func collect(_ count: Int) -> [Input] {
    var inputs: [Input] = []
    for _ in 0..<50 where inputs.count < count { inputs += wait(timeoutMilliseconds: 10) }
    return inputs
  }
}
