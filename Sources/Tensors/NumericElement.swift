/// A Swift number that arithmetic runs on: the element types that have a Swift type, `Bool` as 0 and 1.
///
/// Conversions follow the C language where it defines them: a float becomes an integer by dropping its fraction, a
/// wider integer a narrower one by dropping high bits. A float beyond 64 bits becomes the nearest 64-bit integer,
/// NaN becomes 0; whatever is not zero becomes `true`.
package protocol NumericElement: TensorElement {
  init(converting x: Float)
  init(converting x: Double)
  init(converting x: Int64)
  init(converting x: UInt64)
  /// This element as another type.
  func converted<T: NumericElement>(to type: T.Type) -> T
}

extension NumericElement {
  @inlinable package var asFloat: Float { converted(to: Float.self) }
  @inlinable package var asDouble: Double { converted(to: Double.self) }
  @inlinable package var asInt64: Int64 { converted(to: Int64.self) }
}

extension Int64 {
  /// The 64 bits of `x` without its fraction, kept inside the range; NaN is 0.
  @inlinable
  package init(clamping x: Double) {
    if x >= -0x1p63 && x < 0x1p63 { self = Int64(x) } else { self = x.isNaN ? 0 : (x < 0 ? .min : .max) }
  }
}

extension UInt64 {
  /// The 64 bits of `x` without its fraction; negative numbers wrap as C's conversion through int64 does.
  @inlinable
  package init(clamping x: Double) {
    if x >= 0x1p63 {
      self = x < 0x1p64 ? UInt64(x) : .max
    } else {
      self = UInt64(bitPattern: Int64(clamping: x))
    }
  }
}

extension Float: NumericElement {
  @inlinable package init(converting x: Float) { self = x }
  @inlinable package init(converting x: Double) { self = Float(x) }
  @inlinable package init(converting x: Int64) { self = Float(x) }
  @inlinable package init(converting x: UInt64) { self = Float(x) }
}

extension NumericElement where Self == Float {
  @inlinable
  package func converted<T: NumericElement>(to type: T.Type) -> T { T(converting: self) }
}

extension Double: NumericElement {
  @inlinable package init(converting x: Float) { self = Double(x) }
  @inlinable package init(converting x: Double) { self = x }
  @inlinable package init(converting x: Int64) { self = Double(x) }
  @inlinable package init(converting x: UInt64) { self = Double(x) }
}

extension NumericElement where Self == Double {
  @inlinable
  package func converted<T: NumericElement>(to type: T.Type) -> T { T(converting: self) }
}

extension Float16: NumericElement {
  @inlinable package init(converting x: Float) { self = Float16(x) }
  @inlinable package init(converting x: Double) { self = Float16(x) }
  @inlinable package init(converting x: Int64) { self = Float16(Double(x)) }
  @inlinable package init(converting x: UInt64) { self = Float16(Double(x)) }
}

extension NumericElement where Self == Float16 {
  @inlinable
  package func converted<T: NumericElement>(to type: T.Type) -> T { T(converting: Float(self)) }
}

extension Bool: NumericElement {
  @inlinable package init(converting x: Float) { self = x != 0 }
  @inlinable package init(converting x: Double) { self = x != 0 }
  @inlinable package init(converting x: Int64) { self = x != 0 }
  @inlinable package init(converting x: UInt64) { self = x != 0 }
}

extension NumericElement where Self == Bool {
  @inlinable
  package func converted<T: NumericElement>(to type: T.Type) -> T { T(converting: Int64(self ? 1 : 0)) }
}

/// Integers of every width share their conversions.
package protocol IntegerElement: NumericElement, FixedWidthInteger {}

extension IntegerElement {
  @inlinable package init(converting x: Float) { self.init(converting: Double(x)) }
  @inlinable
  package init(converting x: Double) {
    if Self.isSigned {
      self.init(truncatingIfNeeded: Int64(clamping: x))
    } else {
      self.init(truncatingIfNeeded: UInt64(clamping: x))
    }
  }
  @inlinable package init(converting x: Int64) { self.init(truncatingIfNeeded: x) }
  @inlinable package init(converting x: UInt64) { self.init(truncatingIfNeeded: x) }
  @inlinable
  package func converted<T: NumericElement>(to type: T.Type) -> T {
    if Self.isSigned {
      T(converting: Int64(truncatingIfNeeded: self))
    } else {
      T(converting: UInt64(truncatingIfNeeded: self))
    }
  }
}

extension Int8: IntegerElement {}
extension Int16: IntegerElement {}
extension Int32: IntegerElement {}
extension Int64: IntegerElement {}
extension UInt8: IntegerElement {}
extension UInt16: IntegerElement {}
extension UInt32: IntegerElement {}
extension UInt64: IntegerElement {}

/// Work written once for every Swift number type and chosen by `ElementType.dispatch`.
package protocol ElementVisitor {
  associatedtype Output
  func visit<T: NumericElement>(_ type: T.Type) throws -> Output
}

extension ElementType {
  /// The type whose Swift numbers stand for this one in arithmetic: itself where Swift has it, `float32` for the
  /// smaller floats (all of whose values it holds), 8-bit integers for packed ones.
  package var working: ElementType {
    switch self {
    case .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      .float32
    case .int4, .int2: .int8
    case .uint4, .uint2: .uint8
    default: self
    }
  }

  /// Calls the visitor with the Swift type of `working`.
  @inlinable
  package func dispatch<V: ElementVisitor>(_ visitor: V) throws -> V.Output {
    switch working {
    case .float32: try visitor.visit(Float.self)
    case .float64: try visitor.visit(Double.self)
    case .float16: try visitor.visit(Float16.self)
    case .int8: try visitor.visit(Int8.self)
    case .int16: try visitor.visit(Int16.self)
    case .int32: try visitor.visit(Int32.self)
    case .int64: try visitor.visit(Int64.self)
    case .uint8: try visitor.visit(UInt8.self)
    case .uint16: try visitor.visit(UInt16.self)
    case .uint32: try visitor.visit(UInt32.self)
    case .uint64: try visitor.visit(UInt64.self)
    case .bool: try visitor.visit(Bool.self)
    default: preconditionFailure("every working type has a Swift type")
    }
  }
}
