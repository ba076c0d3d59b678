/// The type of one element of a tensor, with the number and meaning ONNX gives it.
package enum ElementType: Int, Sendable, Hashable, Codable, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case bfloat16 = 16
  case float8e4m3fn = 17
  case float8e4m3fnuz = 18
  case float8e5m2 = 19
  case float8e5m2fnuz = 20
  case uint4 = 21
  case int4 = 22
  case float4e2m1 = 23
  case float8e8m0 = 24
  case uint2 = 25
  case int2 = 26

  /// Bits one element takes in storage; types below 8 bits are packed, low bits first.
  package var bits: Int {
    switch self {
    case .float64, .int64, .uint64: 64
    case .float32, .int32, .uint32: 32
    case .float16, .bfloat16, .int16, .uint16: 16
    case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
    case .uint4, .int4, .float4e2m1: 4
    case .uint2, .int2: 2
    }
  }

  /// Whether several elements share a byte.
  package var isPacked: Bool { bits < 8 }

  package var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2,
      .float8e5m2fnuz,
      .float8e8m0, .float4e2m1:
      true
    default: false
    }
  }

  package var isSignedInteger: Bool {
    switch self {
    case .int2, .int4, .int8, .int16, .int32, .int64: true
    default: false
    }
  }

  package var isUnsignedInteger: Bool {
    switch self {
    case .uint2, .uint4, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  package var isInteger: Bool { isSignedInteger || isUnsignedInteger }

  /// The short name used on screen and in messages, for example `float32`.
  package var name: String { String(describing: self) }

  /// Bytes `count` elements take when stored densely; a packed tail fills its last byte with zeros.
  package func byteCount(_ count: Int) -> Int { (count * bits + 7) / 8 }
}
