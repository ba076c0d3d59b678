import Glibc

/// Memory at a fixed address (64-byte aligned) for constants that kernels read: packed weights, offsets, biases.
final class Pinned: @unchecked Sendable {
  let address: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    var memory: UnsafeMutableRawPointer?
    let rounded = Swift.max(64, (byteCount + 63) & ~63)
    guard posix_memalign(&memory, 64, rounded) == 0, let memory else { preconditionFailure("out of memory") }
    memset(memory, 0, rounded)
    address = memory
    self.byteCount = byteCount
  }

  convenience init<T: BitwiseCopyable>(_ elements: [T]) {
    self.init(byteCount: elements.count * MemoryLayout<T>.stride)
    elements.withUnsafeBytes {
      if let base = $0.baseAddress { address.copyMemory(from: base, byteCount: $0.count) }
    }
  }

  deinit { free(address) }

  func of<T>(_ type: T.Type) -> UnsafePointer<T> { UnsafePointer(address.assumingMemoryBound(to: T.self)) }
}

extension UnsafeRawPointer {
  func of<T>(_ type: T.Type) -> UnsafePointer<T> { assumingMemoryBound(to: T.self) }
}

extension UnsafeMutableRawPointer {
  func of<T>(_ type: T.Type) -> UnsafeMutablePointer<T> { assumingMemoryBound(to: T.self) }
}

/// Bytes rounded up to the next multiple of 64, so that what follows in scratch memory is aligned.
func aligned(_ bytes: Int) -> Int { (bytes + 63) & ~63 }
