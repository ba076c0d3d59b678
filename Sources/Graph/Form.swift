import Tensors

/// How the axes of a value lie in memory.
package enum Layout: Sendable, Hashable {
  case rowMajor
  /// `[N, C, spatial…]` stored as `[N, spatial…, C]`.
  case channelsLast
  /// `[N, C·S]` stored as `[N, S, C]`: what flattening leaves of an image whose channels come last.
  case flattened(channels: Int)

  /// Elements between neighbours along each logical axis of a dense value of this shape.
  package func strides(of shape: Shape) -> [Int] {
    switch self {
    case .rowMajor: return shape.rowMajorStrides
    case .channelsLast:
      guard shape.count > 2 else { return shape.rowMajorStrides }
      let physical = [shape[0]] + shape[2...] + [shape[1]]
      let strides = physical.rowMajorStrides
      return [strides[0], 1] + strides[1..<(strides.count - 1)]
    case .flattened: return shape.rowMajorStrides
    }
  }

  /// Whether a value of this shape has the same bytes in row-major order.
  package func isRowMajor(for shape: Shape) -> Bool {
    switch self {
    case .rowMajor: return true
    case .channelsLast:
      guard shape.count > 2 else { return true }
      return shape[1] == 1 || shape[2...].allSatisfy { $0 == 1 }
    case .flattened(let channels): return shape.count < 2 || channels == 1 || channels == shape[1]
    }
  }
}

/// Codes as bytes: an encoding whose codes are moved by 128 where they are signed, so that kernels see uint8 only.
package struct ByteCodes: Sendable, Hashable {
  /// Real per code.
  package var scale: Float
  package var zero: Int32
  package var lower: Int32
  package var upper: Int32

  package init(scale: Float, zero: Int32, lower: Int32, upper: Int32) {
    self.scale = scale
    self.zero = zero
    self.lower = lower
    self.upper = upper
  }

  /// `nil` for more than 8 bits or more than one scale.
  package init?(_ encoding: Encoding) {
    guard encoding.scales.count == 1 else { return nil }
    let shift: Int32 = encoding.codes.lowerBound < 0 ? 128 : 0
    self.init(
      scale: encoding.scales[0], zero: encoding.zeroPoints[0] + shift,
      lower: encoding.codes.lowerBound + shift,
      upper: encoding.codes.upperBound + shift)
    guard lower >= 0, upper <= 255, zero >= 0, zero <= 255 else { return nil }
  }

  /// Divide, round half to even, add the zero point, clamp.
  package func code(_ x: Float) -> UInt8 {
    let q = (x / scale).rounded(.toNearestOrEven)
    return UInt8(Int32(Swift.min(Swift.max(q, Float(lower - zero)), Float(upper - zero))) + zero)
  }

  package func real(_ code: UInt8) -> Float { scale * Float(Int32(code) - zero) }

  /// The codes that a clamp of real numbers leaves.
  package func clamp(_ low: Float, _ high: Float) -> (lower: Int32, upper: Int32) {
    (
      low == -.infinity ? lower : Int32(code(low)),
      high == .infinity ? upper : Int32(code(high))
    )
  }

  /// For each code here, the code of `function` of its real number there.
  package func table(to target: ByteCodes, _ function: (Float) -> Float = { $0 }) -> [UInt8] {
    (0...255).map { target.code(function(real(UInt8($0)))) }
  }
}

/// What the bytes of a value in memory mean, and in which order they lie.
package struct Form: Sendable, Hashable {
  package enum Content: Sendable, Hashable {
    /// Elements of the value's own type, as computed.
    case plain
    /// One uint8 code per element.
    case codes(ByteCodes)
    /// float32 elements that were decoded from codes, as a static node reads them.
    case decoded(ByteCodes)
  }

  package var content: Content
  package var layout: Layout

  package init(_ content: Content = .plain, _ layout: Layout = .rowMajor) {
    self.content = content
    self.layout = layout
  }

  /// Bytes of one element of a value of this type.
  package func elementBytes(_ type: ElementType) -> Int {
    switch content {
    case .plain: type.bits / 8
    case .codes: 1
    case .decoded: 4
    }
  }
}
