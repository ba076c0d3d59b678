import CKernels

extension Tensor {
  /// The same numbers as another element type.
  ///
  /// Between Swift's numbers the rules of `NumericElement` hold; smaller floats round half to even, and beyond their
  /// largest number become that number (`saturate`) or infinity or NaN. 4- and 2-bit integers keep the low bits.
  package func converted(
    to target: ElementType, saturate: Bool = true, powers: PowerRounding = .up
  ) -> Tensor {
    if target == type { return self }
    let source = working
    if source.type == target { return source }
    switch target {
    case .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1, .float8e8m0:
      return source.encodedAsSmallFloat(target, saturate: saturate, powers: powers)
    case .int4, .uint4, .int2, .uint2:
      let wide = source.convertedBetweenNumbers(to: target.working)
      return Tensor(unpacked: wide, type: target)
    default:
      return source.convertedBetweenNumbers(to: target)
    }
  }

  /// The same numbers in the Swift type that stands for this one (`ElementType.working`); exact.
  package var working: Tensor {
    switch type {
    case .int4, .int2, .uint4, .uint2: return unpacked
    case .bfloat16:
      return withElementWords(UInt16.self) { words in
        Tensor(of: Float.self, shape: shape) { out in
          for i in 0..<out.count { out[i] = Float(bitPattern: UInt32(words[i]) << 16) }
        }
      }
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1:
      let table = SmallFloat.decodeTable(type)
      return unpacked.withElementWords(UInt8.self) { words in
        Tensor(of: Float.self, shape: shape) { out in
          table.withUnsafeBufferPointer { table in for i in 0..<out.count { out[i] = table[Int(words[i])] } }
        }
      }
    default: return self
    }
  }

  /// The elements as `Float`, whatever the type.
  package var floats: [Float] { converted(to: .float32).array(of: Float.self) }
  /// The elements as `Double`, whatever the type.
  package var doubles: [Double] { converted(to: .float64).array(of: Double.self) }
  /// The elements as `Int`, fractions dropped.
  package var integers: [Int] { converted(to: .int64).withElements(of: Int64.self) { $0.map { Int($0) } } }
  /// The one element of a tensor of one element, `nil` otherwise.
  package var scalarFloat: Float? { count == 1 ? floats[0] : nil }
  package var scalarInteger: Int? { count == 1 ? integers[0] : nil }

  /// Numbers as a tensor of any element type; as `converted(to:)`.
  package init(floats: [Float], shape: Shape, type: ElementType) {
    self = Tensor(floats, shape: shape).converted(to: type)
  }
  package init(doubles: [Double], shape: Shape, type: ElementType) {
    self = Tensor(doubles, shape: shape).converted(to: type)
  }
  package init(integers: [Int], shape: Shape, type: ElementType = .int64) {
    self = Tensor(integers.map { Int64($0) }, shape: shape).converted(to: type)
  }

  /// Conversion between types that Swift has; `self` is already `working`.
  private func convertedBetweenNumbers(to target: ElementType) -> Tensor {
    guard type != target else { return self }
    if type == .float16, target == .float32 { return halvesToFloats() }
    if type == .float32, target == .float16 { return floatsToHalves() }
    // Visitors here do not throw.
    guard let result = try? type.dispatch(ConvertFrom(source: self, target: target)) else {
      preconditionFailure("conversion of numbers cannot fail")
    }
    return result
  }

  private func halvesToFloats() -> Tensor {
    withElementWords(UInt16.self) { source in
      Tensor(of: Float.self, shape: shape) { out in
        guard let source = source.baseAddress, let out = out.baseAddress else { return }
        ck_best().pointee.f16_to_f32(source, count, out)
      }
    }
  }

  private func floatsToHalves() -> Tensor {
    withElements(of: Float.self) { source in
      Tensor(shape: shape, type: .float16) { bytes in
        guard let source = source.baseAddress, let out = bytes.bindMemory(to: UInt16.self).baseAddress else {
          return
        }
        ck_best().pointee.f32_to_f16(source, count, out)
      }
    }
  }

  private func encodedAsSmallFloat(_ target: ElementType, saturate: Bool, powers: PowerRounding) -> Tensor {
    if target == .bfloat16, type == .float32 {
      return withElements(of: Float.self) { values in
        Tensor(shape: shape, type: .bfloat16) { bytes in
          let out = bytes.bindMemory(to: UInt16.self)
          for i in 0..<out.count {
            let bits = values[i].bitPattern
            let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
            out[i] = values[i].isNaN ? UInt16(truncatingIfNeeded: bits >> 16) | 0x40 : rounded
          }
        }
      }
    }
    let values = doubles
    if target == .float8e8m0 {
      return Tensor(shape: shape, type: target) { bytes in
        for i in values.indices { bytes[i] = powers.encode(values[i], saturate: saturate) }
      }
    }
    guard let format = SmallFloat.format(target) else { preconditionFailure("\(target) is a small float") }
    let clamp = saturate && target != .bfloat16
    if target.bits == 16 {
      return Tensor(shape: shape, type: target) { bytes in
        let out = bytes.bindMemory(to: UInt16.self)
        for i in values.indices { out[i] = format.encode(values[i], saturate: clamp) }
      }
    }
    let codes = Tensor(of: UInt8.self, shape: shape) { out in
      for i in values.indices {
        out[i] = UInt8(truncatingIfNeeded: format.encode(values[i], saturate: clamp))
      }
    }
    return target.isPacked ? Tensor(unpacked: codes, type: target) : codes.reinterpreted(as: target)
  }
}

/// First half of a conversion between numbers: the type converted from.
private struct ConvertFrom: ElementVisitor {
  let source: Tensor
  let target: ElementType
  func visit<S: NumericElement>(_ element: S.Type) throws -> Tensor {
    try target.dispatch(Convert<S>(source: source))
  }
}

/// Second half: the type converted to.
private struct Convert<S: NumericElement>: ElementVisitor {
  let source: Tensor
  func visit<D: NumericElement>(_ element: D.Type) throws -> Tensor {
    source.withElements(of: S.self) { values in
      Tensor(of: D.self, shape: source.shape) { out in
        for i in 0..<out.count { out[i] = values[i].converted(to: D.self) }
      }
    }
  }
}
