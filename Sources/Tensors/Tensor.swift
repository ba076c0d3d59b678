/// An immutable dense array: shape, element type and storage, row-major, packed below 8 bits.
package struct Tensor: Sendable {
  package let shape: Shape
  package let type: ElementType
  package let storage: Storage
  /// Offset of the first element in the storage, in bytes.
  package let byteOffset: Int

  /// A view of storage that already holds the elements.
  package init(shape: Shape, type: ElementType, storage: Storage, byteOffset: Int = 0) {
    precondition(byteOffset >= 0 && byteOffset + type.byteCount(shape.elementCount) <= storage.bytes.count)
    self.shape = shape
    self.type = type
    self.storage = storage
    self.byteOffset = byteOffset
  }

  /// A new tensor whose bytes `fill` writes; they start as zeros.
  @inlinable
  package init(
    shape: Shape, type: ElementType, filling fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let storage = Storage(byteCount: type.byteCount(shape.elementCount))
    try fill(storage.mutableBytes)
    self.init(shape: shape, type: type, storage: storage)
  }

  package var count: Int { shape.elementCount }
  package var rank: Int { shape.count }
  package var byteCount: Int { type.byteCount(count) }

  /// The same elements under another shape of the same count.
  package func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.elementCount == count, "reshape keeps the number of elements")
    return Tensor(shape: shape, type: type, storage: storage, byteOffset: byteOffset)
  }

  /// The raw bytes, possibly unaligned when they lie in a mapped file.
  @inlinable
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount]))
  }
}

/// A Swift type that is an element as it lies in storage.
package protocol TensorElement: BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }
}

extension Float: TensorElement { package static var elementType: ElementType { .float32 } }
extension Double: TensorElement { package static var elementType: ElementType { .float64 } }
extension Float16: TensorElement { package static var elementType: ElementType { .float16 } }
extension Int8: TensorElement { package static var elementType: ElementType { .int8 } }
extension Int16: TensorElement { package static var elementType: ElementType { .int16 } }
extension Int32: TensorElement { package static var elementType: ElementType { .int32 } }
extension Int64: TensorElement { package static var elementType: ElementType { .int64 } }
extension UInt8: TensorElement { package static var elementType: ElementType { .uint8 } }
extension UInt16: TensorElement { package static var elementType: ElementType { .uint16 } }
extension UInt32: TensorElement { package static var elementType: ElementType { .uint32 } }
extension UInt64: TensorElement { package static var elementType: ElementType { .uint64 } }
extension Bool: TensorElement { package static var elementType: ElementType { .bool } }

extension Tensor {
  /// A tensor of `shape` holding `elements` in row-major order.
  @inlinable
  package init<T: TensorElement>(_ elements: [T], shape: Shape) {
    precondition(elements.count == shape.elementCount, "as many elements as the shape holds")
    self.init(shape: shape, type: T.elementType) { bytes in
      elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
  }

  @inlinable
  package init<T: TensorElement>(scalar: T) { self.init([scalar], shape: []) }

  /// A tensor whose elements `fill` writes; they start as zeros.
  @inlinable
  package init<T: TensorElement>(
    of element: T.Type, shape: Shape, filling fill: (UnsafeMutableBufferPointer<T>) throws -> Void
  ) rethrows {
    try self.init(shape: shape, type: T.elementType) { try fill($0.bindMemory(to: T.self)) }
  }

  /// The elements in place.
  ///
  /// `T` must be the tensor's type; an unaligned mapped range is copied first.
  @inlinable
  package func withElements<T: TensorElement, R>(
    of element: T.Type, _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(T.elementType == type, "elements read as the type they have")
    return try withBytes { bytes in
      // One call of `body`, so that it is inlined and its loops are specialised.
      var aligned = bytes
      var copy: UnsafeMutableRawBufferPointer?
      defer { copy?.deallocate() }
      if let base = bytes.baseAddress, Int(bitPattern: base) % MemoryLayout<T>.alignment != 0 {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        memory.copyMemory(from: bytes)
        aligned = UnsafeRawBufferPointer(memory)
        copy = memory
      }
      return try body(aligned.bindMemory(to: T.self))
    }
  }

  /// The elements, copied.
  ///
  /// `T` must be the tensor's type.
  @inlinable
  package func array<T: TensorElement>(of element: T.Type) -> [T] { withElements(of: T.self) { Array($0) } }
}
