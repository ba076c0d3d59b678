import Glibc
import Synchronization

/// Wakes the main loop from any thread; also carries signals to it.
///
/// A pipe, because the main loop sleeps in `poll` on the terminal and on this.
package final class Waker: Sendable {
  let readEnd: Int32
  let writeEnd: Int32
  private let isPending = Atomic(false)

  /// Opens the pipe.
  /// - Errors: `TerminalError.system` where the process has no descriptors left.
  package init() throws(TerminalError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .system("making a pipe", errno) }
    for end in ends {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    readEnd = ends[0]
    writeEnd = ends[1]
  }

  deinit {
    Glibc.close(readEnd)
    Glibc.close(writeEnd)
  }

  /// Makes `Terminal.wait` return `.wake`; many calls before it does are one.
  package func wake() {
    if isPending.exchange(true, ordering: .acquiringAndReleasing) { return }
    var byte: UInt8 = 0
    _ = write(writeEnd, &byte, 1)
  }

  /// What came since the last call: whether somebody woke, and the signals in order.
  func drain() -> (woken: Bool, signals: [Int32]) {
    var signals: [Int32] = []
    // Before reading: a wake after this line writes a byte of its own.
    var woken = isPending.exchange(false, ordering: .acquiringAndReleasing)
    var bytes = [UInt8](repeating: 0, count: 64)
    while true {
      let count = read(readEnd, &bytes, bytes.count)
      if count <= 0 { return (woken, signals) }
      for byte in bytes.prefix(count) {
        if byte == 0 { woken = true } else { signals.append(Int32(byte)) }
      }
    }
  }
}
