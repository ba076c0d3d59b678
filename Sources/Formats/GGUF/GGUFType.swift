/// The type of a metadata value, as GGUF numbers it.
///
/// Source: ggml, `docs/gguf.md`.
package enum GGUFType: UInt32, Sendable, Hashable, CaseIterable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// Bytes the smallest value of this type takes in a file.
  var leastBytes: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }
}
