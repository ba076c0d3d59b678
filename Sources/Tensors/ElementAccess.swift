/// The bits of elements without their meaning: what operators that only move data work on.
///
/// `words` gives every tensor as unsigned integers of 8, 16, 32 or 64 bits, one per element (4- and 2-bit elements
/// unpacked); `Tensor(words:type:)` turns them back.
package protocol ElementWord: TensorElement, FixedWidthInteger, UnsignedInteger {}

extension UInt8: ElementWord {}
extension UInt16: ElementWord {}
extension UInt32: ElementWord {}
extension UInt64: ElementWord {}

/// Work on words, written once for the four widths.
package protocol WordVisitor {
  associatedtype Output
  func visit<W: ElementWord>(_ word: W.Type) -> Output
}

extension ElementType {
  /// The unsigned type with the bits of one unpacked element.
  package var word: ElementType {
    switch bits {
    case 64: .uint64
    case 32: .uint32
    case 16: .uint16
    default: .uint8
    }
  }

  /// Calls the visitor with the Swift type of `word`.
  @inlinable
  package func dispatchWord<V: WordVisitor>(_ visitor: V) -> V.Output {
    switch word {
    case .uint64: visitor.visit(UInt64.self)
    case .uint32: visitor.visit(UInt32.self)
    case .uint16: visitor.visit(UInt16.self)
    default: visitor.visit(UInt8.self)
    }
  }
}

extension Tensor {
  /// The same bytes under another type of the same width.
  package func reinterpreted(as type: ElementType) -> Tensor {
    precondition(type.bits == self.type.bits, "reinterpreting keeps the width")
    return Tensor(shape: shape, type: type, storage: storage, byteOffset: byteOffset)
  }

  /// The elements' bits, one unsigned integer each; a packed integer is not sign-extended.
  package var words: Tensor {
    type.isPacked ? unpackedCodes : reinterpreted(as: type.word)
  }

  /// A tensor of `type` from what `words` gives.
  package init(words: Tensor, type: ElementType) {
    precondition(words.type == type.word)
    self = type.isPacked ? Tensor(unpacked: words, type: type) : words.reinterpreted(as: type)
  }

  /// The elements' bits in place; `W` must have the elements' width.
  @inlinable
  package func withElementWords<W: ElementWord, R>(
    _ word: W.Type, _ body: (UnsafeBufferPointer<W>) throws -> R
  ) rethrows -> R {
    precondition(type.bits == W.bitWidth, "words have the width of the elements")
    return try reinterpreted(as: W.elementType).withElements(of: W.self, body)
  }

  /// Integers below 8 bits as `int8` or `uint8`, `float4e2m1` as its codes in `uint8`; other types unchanged.
  package var unpacked: Tensor {
    guard type.isPacked else { return self }
    let codes = unpackedCodes
    guard type.isSignedInteger else { return codes }
    let shift = Int8(8 - type.bits)
    return codes.withElements(of: UInt8.self) { codes in
      Tensor(of: Int8.self, shape: shape) { out in
        for i in 0..<out.count { out[i] = (Int8(bitPattern: codes[i]) << shift) >> shift }
      }
    }
  }

  /// One code per byte, zero-extended.
  private var unpackedCodes: Tensor {
    let bits = type.bits
    let perByte = 8 / bits
    let mask = UInt8((1 << bits) - 1)
    return withBytes { bytes in
      Tensor(of: UInt8.self, shape: shape) { out in
        for i in 0..<out.count {
          out[i] = (bytes[i / perByte] >> UInt8(truncatingIfNeeded: i % perByte * bits)) & mask
        }
      }
    }
  }

  /// Packs `uint8` or `int8` elements into a type below 8 bits, keeping their low bits.
  package init(unpacked: Tensor, type: ElementType) {
    precondition(type.isPacked && unpacked.type.bits == 8, "8-bit elements are packed into a smaller type")
    let bits = type.bits
    let perByte = 8 / bits
    let mask = UInt8((1 << bits) - 1)
    self = unpacked.withElementWords(UInt8.self) { codes in
      Tensor(shape: unpacked.shape, type: type) { bytes in
        for i in 0..<codes.count {
          bytes[i / perByte] |= (codes[i] & mask) << UInt8(truncatingIfNeeded: i % perByte * bits)
        }
      }
    }
  }

  /// A dense tensor of `shape` whose element at index (i₀, i₁, …) is this one's at offset + Σ iₖ · strides[k].
  ///
  /// Strides and offset are in elements and may be negative or zero, so this is Transpose, Slice and Expand at once.
  package func gathering(shape: Shape, strides: [Int], offset: Int = 0) -> Tensor {
    struct Gather: WordVisitor {
      let source: Tensor
      let shape: Shape
      let strides: [Int]
      let offset: Int
      func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
        source.withElements(of: W.self) { values in
          Tensor(of: W.self, shape: shape) { out in
            let loop = StridedLoop(shape: shape, strides: [strides])
            let n = loop.innerCount
            let step = loop.innerStrides[0]
            loop.forEachRow { position, offsets in
              let start = offset + offsets[0]
              if step == 1 {
                for i in 0..<n { out[position &+ i] = values[start &+ i] }
              } else {
                for i in 0..<n { out[position &+ i] = values[start &+ i &* step] }
              }
            }
          }
        }
      }
    }
    let source = words
    let moved = source.type.dispatchWord(
      Gather(source: source, shape: shape, strides: strides, offset: offset))
    return Tensor(words: moved, type: type)
  }

  /// The tensor repeated to a shape it broadcasts to.
  package func broadcast(to shape: Shape) -> Tensor {
    if self.shape == shape { return self }
    return gathering(shape: shape, strides: self.shape.broadcastStrides(to: shape))
  }
}
