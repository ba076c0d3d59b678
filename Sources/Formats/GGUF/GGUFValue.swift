/// What a GGUF file says under one key.
package enum GGUFValue: Sendable, Hashable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case uint64(UInt64)
  case int64(Int64)
  case float32(Float)
  case float64(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)

  package var type: GGUFType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .uint64: .uint64
    case .int64: .int64
    case .float32: .float32
    case .float64: .float64
    case .bool: .bool
    case .string: .string
    case .array: .array
    }
  }
}

/// Values of one type.
package enum GGUFArray: Sendable, Hashable {
  case uint8([UInt8])
  case int8([Int8])
  case uint16([UInt16])
  case int16([Int16])
  case uint32([UInt32])
  case int32([Int32])
  case uint64([UInt64])
  case int64([Int64])
  case float32([Float])
  case float64([Double])
  case bool([Bool])
  case string([String])
  case array([GGUFArray])

  /// The type of its elements.
  package var type: GGUFType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .uint64: .uint64
    case .int64: .int64
    case .float32: .float32
    case .float64: .float64
    case .bool: .bool
    case .string: .string
    case .array: .array
    }
  }
}

extension GGUFValue {
  /// A whole number of any width; `nil` for other types and beyond `Int`.
  package var integer: Int? {
    switch self {
    case .uint8(let x): Int(x)
    case .int8(let x): Int(x)
    case .uint16(let x): Int(x)
    case .int16(let x): Int(x)
    case .uint32(let x): Int(x)
    case .int32(let x): Int(x)
    case .uint64(let x): Int(exactly: x)
    case .int64(let x): Int(x)
    default: nil
    }
  }

  /// A number, whole or not; `nil` for other types.
  package var number: Double? {
    switch self {
    case .float32(let x): Double(x)
    case .float64(let x): x
    default: integer.map(Double.init)
    }
  }

  package var bool: Bool? { if case .bool(let x) = self { x } else { nil } }
  package var string: String? { if case .string(let x) = self { x } else { nil } }
  package var array: GGUFArray? { if case .array(let x) = self { x } else { nil } }
}

extension GGUFArray {
  /// Whole numbers of any width; `nil` for other types and beyond `Int`.
  package var integers: [Int]? {
    switch self {
    case .uint8(let x): x.map(Int.init)
    case .int8(let x): x.map(Int.init)
    case .uint16(let x): x.map(Int.init)
    case .int16(let x): x.map(Int.init)
    case .uint32(let x): x.map(Int.init)
    case .int32(let x): x.map(Int.init)
    case .uint64(let x): x.allSatisfy { $0 <= Int.max } ? x.map(Int.init) : nil
    case .int64(let x): x.map(Int.init)
    default: nil
    }
  }

  /// Numbers, whole or not; `nil` for other types.
  package var numbers: [Double]? {
    switch self {
    case .float32(let x): x.map(Double.init)
    case .float64(let x): x
    default: integers?.map(Double.init)
    }
  }

  package var strings: [String]? { if case .string(let x) = self { x } else { nil } }

  package var count: Int {
    switch self {
    case .uint8(let x): x.count
    case .int8(let x): x.count
    case .uint16(let x): x.count
    case .int16(let x): x.count
    case .uint32(let x): x.count
    case .int32(let x): x.count
    case .uint64(let x): x.count
    case .int64(let x): x.count
    case .float32(let x): x.count
    case .float64(let x): x.count
    case .bool(let x): x.count
    case .string(let x): x.count
    case .array(let x): x.count
    }
  }
}
