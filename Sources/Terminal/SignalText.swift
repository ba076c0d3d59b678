import Glibc

/// Text put together inside a signal handler: no allocation, no locks, no lookup of names at run time.
struct SignalText {
  private let bytes: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private(set) var count = 0

  /// Starts an empty text in memory that was allocated before; what does not fit is cut.
  init(in bytes: UnsafeMutablePointer<UInt8>, capacity: Int) {
    self.bytes = bytes
    self.capacity = capacity
  }

  func write(to descriptor: Int32) { _ = Glibc.write(descriptor, bytes, count) }

  /// Ends the line, at the cost of the last character where there is no room.
  mutating func end() {
    if count == capacity { count -= 1 }
    add("\n")
  }

  mutating func add(byte: UInt8) {
    guard count < capacity else { return }
    bytes[count] = byte
    count += 1
  }

  mutating func add(_ text: StaticString) { add(text.utf8Start, text.utf8CodeUnitCount) }

  mutating func add(_ source: UnsafePointer<UInt8>, _ length: Int) {
    for index in 0..<length { add(byte: source[index]) }
  }

  /// A number in decimal, with zeros before it up to a width.
  mutating func add(_ number: Int, width: Int = 1) {
    var divisor = 1
    var digits = 1
    while digits < width || number / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    while divisor > 0 {
      add(byte: UInt8(0x30 + number / divisor % 10))
      divisor /= 10
    }
  }

  /// The time of day in UTC, as ISO 8601 writes it; `gmtime` may take a lock.
  ///
  /// - Source: Howard Hinnant, “chrono-Compatible Low-Level Date Algorithms”, `civil_from_days`, for years from 1970.
  mutating func add(time: Int) {
    let days = time / 86_400 + 719_468
    let (era, dayOfEra) = (days / 146_097, days % 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    add(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), width: 4)
    add("-")
    add(month, width: 2)
    add("-")
    add(dayOfYear - (153 * shifted + 2) / 5 + 1, width: 2)
    add("T")
    add(time / 3600 % 24, width: 2)
    add(":")
    add(time / 60 % 60, width: 2)
    add(":")
    add(time % 60, width: 2)
    add("Z")
  }

  mutating func add(signal number: Int32) {
    switch number {
    case SIGHUP: add("SIGHUP")
    case SIGINT: add("SIGINT")
    case SIGQUIT: add("SIGQUIT")
    case SIGILL: add("SIGILL")
    case SIGTRAP: add("SIGTRAP")
    case SIGABRT: add("SIGABRT")
    case SIGBUS: add("SIGBUS")
    case SIGFPE: add("SIGFPE")
    case SIGSEGV: add("SIGSEGV")
    case SIGSYS: add("SIGSYS")
    case SIGXCPU: add("SIGXCPU")
    case SIGUSR1: add("SIGUSR1")
    case SIGUSR2: add("SIGUSR2")
    case SIGALRM: add("SIGALRM")
    case SIGTERM: add("SIGTERM")
    default:
      add("signal ")
      add(Int(number))
    }
  }
}
