import CKernels
import Tensors

/// Turns rows of float32 into the bytes of a type of GGUF.
struct RowEncoder: Sendable {
  let type: GGMLType
  private let format: (any BlockFormat)?

  /// `nil` for a type that cannot be written.
  init?(_ type: GGMLType) {
    self.type = type
    format = type.format
    switch type.elementType {
    case .float32, .float16, .bfloat16: break
    case nil where format != nil: break
    default: return nil
    }
  }

  /// - Parameters:
  ///   - row: `count` finite numbers, a whole number of blocks.
  ///   - importance: what the squared error of each counts; `nil` for the format's plain encoder.
  func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into out: UnsafeMutableRawPointer
  ) {
    switch type.elementType {
    case .float32: out.copyMemory(from: row, byteCount: 4 * count)
    case .float16: ck_best().pointee.f32_to_f16(row, count, out.assumingMemoryBound(to: UInt16.self))
    case .bfloat16:
      let words = out.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count {
        let bits = row[i].bitPattern
        let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
        words[i] = row[i].isNaN ? UInt16(truncatingIfNeeded: bits >> 16) | 0x40 : rounded
      }
    default: format?.encode(row, count: count, importance: importance, into: out)
    }
  }
}
