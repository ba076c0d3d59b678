import Glibc

/// A file written beside its destination and renamed into place, so that a crash never leaves half of it.
package final class OutputFile {
  package let path: String
  private let partial: String
  private let descriptor: Int32
  /// Bytes written so far.
  package private(set) var count = 0
  private var isOpen = true

  /// Creates the partial file.
  package init(path: String) throws(ExportError) {
    self.path = path
    partial = "\(path).partial-\(getpid())"
    unlink(partial)
    descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure(path, "create the file") }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ExportError) {
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(path, "write") }
      done += written
    }
    count += bytes.count
  }

  package func write(_ bytes: [UInt8]) throws(ExportError) {
    // A closure inside `withUnsafeBytes` would lose the error's type.
    var failure: ExportError?
    bytes.withUnsafeBytes { buffer in
      do throws(ExportError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Adds zeros until the length is a multiple of `alignment` bytes.
  package func pad(to alignment: Int) throws(ExportError) {
    try write([UInt8](repeating: 0, count: (alignment - count % alignment) % alignment))
  }

  /// Puts the finished file in its place.
  package func commit() throws(ExportError) {
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path, "write") }
    close(descriptor)
    isOpen = false
    guard rename(partial, path) == 0 else {
      let error = Self.failure(path, "rename the finished file")
      unlink(partial)
      throw error
    }
  }

  deinit {
    guard isOpen, descriptor >= 0 else { return }
    close(descriptor)
    unlink(partial)
  }

  private static func failure(_ path: String, _ action: String) -> ExportError {
    ExportError(file: path, reason: .system(action: action, String(cString: strerror(errno))))
  }
}
