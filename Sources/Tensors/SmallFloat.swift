import Glibc

/// A float format of 16 bits or fewer: how its codes become real numbers and back.
///
/// Source: OCP 8-bit floating point specification; ONNX technical details "Float stored in 8 bits" and "… 4 bits".
package struct SmallFloat: Sendable {
  package enum Specials: Sendable {
    /// The highest exponent holds infinity and NaN, as IEEE 754 has it.
    case ieee
    /// Only the code with all bits set (but the sign) is NaN; no infinity.
    case finite
    /// Only the code of minus zero is NaN; no infinity, no minus zero.
    case unsignedZero
    /// Every code is a number; NaN becomes minus zero.
    case none
  }

  package let type: ElementType
  package let exponentBits: Int
  package let mantissaBits: Int
  package let bias: Int
  package let specials: Specials

  package static let all: [SmallFloat] = [
    .init(type: .float16, exponentBits: 5, mantissaBits: 10, bias: 15, specials: .ieee),
    .init(type: .bfloat16, exponentBits: 8, mantissaBits: 7, bias: 127, specials: .ieee),
    .init(type: .float8e4m3fn, exponentBits: 4, mantissaBits: 3, bias: 7, specials: .finite),
    .init(type: .float8e4m3fnuz, exponentBits: 4, mantissaBits: 3, bias: 8, specials: .unsignedZero),
    .init(type: .float8e5m2, exponentBits: 5, mantissaBits: 2, bias: 15, specials: .ieee),
    .init(type: .float8e5m2fnuz, exponentBits: 5, mantissaBits: 2, bias: 16, specials: .unsignedZero),
    .init(type: .float4e2m1, exponentBits: 2, mantissaBits: 1, bias: 1, specials: .none),
  ]

  /// The format of an element type, `nil` where it is none of `all`.
  package static func format(_ type: ElementType) -> SmallFloat? { all.first { $0.type == type } }

  var signBit: UInt16 { 1 << (exponentBits + mantissaBits) }
  /// The code of the largest finite number.
  var largest: UInt16 {
    switch specials {
    case .ieee: signBit - 1 - (1 << mantissaBits)
    case .finite: signBit - 2
    case .unsignedZero, .none: signBit - 1
    }
  }
  var notANumber: UInt16 {
    switch specials {
    case .ieee: signBit - (1 << (mantissaBits - 1))
    case .finite: signBit - 1
    case .unsignedZero, .none: signBit
    }
  }

  /// The number a code stands for.
  package func decode(_ code: UInt16) -> Float {
    let magnitude = code & (signBit - 1)
    let sign: Float = code & signBit != 0 ? -1 : 1
    switch specials {
    case .ieee where magnitude > largest: return magnitude == largest + 1 ? sign * .infinity : .nan
    case .finite where magnitude == signBit - 1: return .nan
    case .unsignedZero where code == signBit: return .nan
    default: break
    }
    let exponent = Int(magnitude >> mantissaBits)
    let mantissa = Int(magnitude) & ((1 << mantissaBits) - 1)
    let scaled =
      exponent == 0
      ? scalbn(Float(mantissa), 1 - bias - mantissaBits)
      : scalbn(Float(mantissa + (1 << mantissaBits)), exponent - bias - mantissaBits)
    return sign * scaled
  }

  /// The code nearest to `x`, ties to even.
  ///
  /// Beyond the largest number: that number when `saturate`, otherwise infinity, or NaN where the format has none.
  package func encode(_ x: Double, saturate: Bool) -> UInt16 {
    guard !x.isNaN else {
      return specials == .none
        ? notANumber : notANumber | (x.sign == .minus && specials == .ieee ? signBit : 0)
    }
    let sign = x.sign == .minus ? signBit : 0
    let beyond: UInt16
    switch specials {
    case .none: beyond = largest | sign
    case .ieee: beyond = (saturate ? largest : largest + 1) | sign
    case .finite: beyond = (saturate ? largest : notANumber) | sign
    case .unsignedZero: beyond = saturate ? largest | sign : notANumber
    }
    guard x.isFinite else { return beyond }
    guard x != 0 else { return specials == .unsignedZero ? 0 : sign }
    let magnitude = x.magnitude
    // The spacing of codes around x; below the normal numbers it stays that of the smallest.
    let exponent = Swift.max(Int(magnitude.exponent), 1 - bias)
    let steps = scalbn(magnitude, mantissaBits - exponent).rounded(.toNearestOrEven)
    // Codes are consecutive across exponents, so a step count that reaches the next power carries by itself.
    let code = Int(steps) + ((exponent + bias - 1) << mantissaBits)
    guard code <= Int(largest) else { return beyond }
    return code == 0 && specials == .unsignedZero ? 0 : UInt16(code) | sign
  }

  /// Real numbers of all codes of a format of at most 8 bits.
  package static func decodeTable(_ type: ElementType) -> [Float] {
    if type == .float8e8m0 { return (0..<256).map { $0 == 255 ? .nan : scalbn(Float(1), $0 - 127) } }
    guard let format = format(type), type.bits <= 8 else { return [] }
    return (0..<(1 << type.bits)).map { format.decode(UInt16($0)) }
  }
}

/// How a number becomes a power of two (`float8e8m0`).
package enum PowerRounding: String, Sendable, CaseIterable {
  case up, down, nearest

  /// The code 2^(code − 127) of |x|; 255 is NaN.
  ///
  /// Beyond the largest power: that power when `saturate`, otherwise NaN.
  package func encode(_ x: Double, saturate: Bool) -> UInt8 {
    guard !x.isNaN else { return 255 }
    let magnitude = x.magnitude
    guard magnitude.isFinite else { return saturate ? 254 : 255 }
    guard magnitude > 0 else { return 0 }
    var exponent = Int(magnitude.exponent)
    let fraction = magnitude.significand
    switch self {
    case .up: if fraction > 1 { exponent += 1 }
    case .down: break
    case .nearest: if fraction >= 1.5 { exponent += 1 }
    }
    if exponent > 127 { return saturate ? 254 : 255 }
    return UInt8(Swift.max(exponent + 127, 0))
  }
}
