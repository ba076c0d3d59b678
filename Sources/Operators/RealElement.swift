import Glibc
import Tensors

/// A float type with the functions of the C library; smaller floats are computed as `Float`.
package protocol RealElement: NumericElement, BinaryFloatingPoint {
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func pow(_ x: Self, _ y: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tan(_ x: Self) -> Self
  static func asin(_ x: Self) -> Self
  static func acos(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sinh(_ x: Self) -> Self
  static func cosh(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func asinh(_ x: Self) -> Self
  static func acosh(_ x: Self) -> Self
  static func atanh(_ x: Self) -> Self
  static func remainderOfTruncation(_ x: Self, _ y: Self) -> Self
}

extension Float: RealElement {
  package static func exp(_ x: Float) -> Float { Glibc.expf(x) }
  package static func expm1(_ x: Float) -> Float { Glibc.expm1f(x) }
  package static func log(_ x: Float) -> Float { Glibc.logf(x) }
  package static func log1p(_ x: Float) -> Float { Glibc.log1pf(x) }
  package static func erf(_ x: Float) -> Float { Glibc.erff(x) }
  package static func sin(_ x: Float) -> Float { Glibc.sinf(x) }
  package static func cos(_ x: Float) -> Float { Glibc.cosf(x) }
  package static func tan(_ x: Float) -> Float { Glibc.tanf(x) }
  package static func asin(_ x: Float) -> Float { Glibc.asinf(x) }
  package static func acos(_ x: Float) -> Float { Glibc.acosf(x) }
  package static func atan(_ x: Float) -> Float { Glibc.atanf(x) }
  package static func sinh(_ x: Float) -> Float { Glibc.sinhf(x) }
  package static func cosh(_ x: Float) -> Float { Glibc.coshf(x) }
  package static func tanh(_ x: Float) -> Float { Glibc.tanhf(x) }
  package static func asinh(_ x: Float) -> Float { Glibc.asinhf(x) }
  package static func acosh(_ x: Float) -> Float { Glibc.acoshf(x) }
  package static func atanh(_ x: Float) -> Float { Glibc.atanhf(x) }
  package static func pow(_ x: Float, _ y: Float) -> Float { Glibc.powf(x, y) }
  package static func remainderOfTruncation(_ x: Float, _ y: Float) -> Float { Glibc.fmodf(x, y) }
}

extension Double: RealElement {
  package static func exp(_ x: Double) -> Double { Glibc.exp(x) }
  package static func expm1(_ x: Double) -> Double { Glibc.expm1(x) }
  package static func log(_ x: Double) -> Double { Glibc.log(x) }
  package static func log1p(_ x: Double) -> Double { Glibc.log1p(x) }
  package static func erf(_ x: Double) -> Double { Glibc.erf(x) }
  package static func sin(_ x: Double) -> Double { Glibc.sin(x) }
  package static func cos(_ x: Double) -> Double { Glibc.cos(x) }
  package static func tan(_ x: Double) -> Double { Glibc.tan(x) }
  package static func asin(_ x: Double) -> Double { Glibc.asin(x) }
  package static func acos(_ x: Double) -> Double { Glibc.acos(x) }
  package static func atan(_ x: Double) -> Double { Glibc.atan(x) }
  package static func sinh(_ x: Double) -> Double { Glibc.sinh(x) }
  package static func cosh(_ x: Double) -> Double { Glibc.cosh(x) }
  package static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
  package static func asinh(_ x: Double) -> Double { Glibc.asinh(x) }
  package static func acosh(_ x: Double) -> Double { Glibc.acosh(x) }
  package static func atanh(_ x: Double) -> Double { Glibc.atanh(x) }
  package static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
  package static func remainderOfTruncation(_ x: Double, _ y: Double) -> Double { Glibc.fmod(x, y) }
}
