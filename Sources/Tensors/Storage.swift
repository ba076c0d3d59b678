import Glibc

/// Bytes that a tensor looks at: 64-byte aligned memory of its own, or a range of a mapped file.
///
/// Immutable once shared: only `Tensor.init(filling:)` writes, before anyone else can see the storage.
package final class Storage: @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  private let owner: Owner

  private enum Owner {
    case allocation(UnsafeMutableRawPointer)
    case mapping(MappedFile)
  }

  /// Zeroed memory of `byteCount` bytes, aligned to 64.
  package init(byteCount: Int) {
    precondition(byteCount >= 0)
    var memory: UnsafeMutableRawPointer?
    let rounded = Swift.max(64, (byteCount + 63) & ~63)
    precondition(posix_memalign(&memory, 64, rounded) == 0, "out of memory")
    guard let memory else { preconditionFailure("out of memory") }
    memset(memory, 0, rounded)
    bytes = UnsafeRawBufferPointer(start: memory, count: byteCount)
    owner = .allocation(memory)
  }

  /// A range of a mapped file, not copied.
  ///
  /// May be unaligned: callers that need alignment check `bytes`.
  package init(mapping file: MappedFile, range: Range<Int>) {
    bytes = UnsafeRawBufferPointer(rebasing: file.bytes[range])
    owner = .mapping(file)
  }

  /// Whether the bytes belong to a file, so that they cost no memory of our own.
  package var isMapped: Bool { if case .mapping = owner { true } else { false } }

  /// Gives back the memory that pages of a mapped file take; they are read from the file again where they are touched.
  package func forgetPages() {
    guard isMapped, let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (Int(bitPattern: base) + page - 1) / page * page
    let end = (Int(bitPattern: base) + bytes.count) / page * page
    if end > first { madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED) }
  }

  /// The memory, writable, for the one initializer that fills it.
  @usableFromInline
  var mutableBytes: UnsafeMutableRawBufferPointer {
    guard case .allocation(let memory) = owner else { preconditionFailure("a mapped tensor is read-only") }
    return UnsafeMutableRawBufferPointer(start: memory, count: bytes.count)
  }

  deinit { if case .allocation(let memory) = owner { free(memory) } }
}
