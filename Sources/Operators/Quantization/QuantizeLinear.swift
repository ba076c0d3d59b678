import Graph
import Tensors

/// Real numbers to codes: clamp(rne(x / scale) + zero point).
///
/// - Inputs: x; scale, one, one for each index of `axis`, or one for each block of `block` along it; zero point of the
///   same shape, optional, whose type is the output's.
/// - Output: integers of 2 to 16 bits, or small floats, which saturate when `saturates`.
/// - Source: ONNX QuantizeLinear-25.
package struct QuantizeLinear: Operator {
  package static let name = OperatorName("QuantizeLinear", since: 25)
  package var axis: Int
  package var block: Int
  /// The output's type where there is no zero point to say it.
  package var outputType: ElementType?
  /// The type the quotient is rounded to; the scale's where `nil`.
  package var precision: ElementType?
  package var saturates: Bool

  package init(axis: Int = 1, block: Int = 0, outputType: ElementType? = nil) {
    self.axis = axis
    self.block = block
    self.outputType = outputType
    precision = nil
    saturates = true
  }

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: 1)
    block = try checkedBlock(attributes)
    outputType = try attributes.elementTypeIfSet("output_dtype")
    precision = try attributes.elementTypeIfSet("precision")
    saturates = try attributes.isSet("saturate", default: true)
    if let outputType { try expect(outputType, in: Self.codeTypes, "output_dtype") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 1)
    writer.add("block_size", block, unless: 0)
    writer.addIfPresent("output_dtype", outputType)
    writer.addIfPresent("precision", precision)
    writer.add("saturate", saturates, unless: true)
    return writer.attributes
  }

  static let codeTypes: Set<ElementType> = [
    .int8, .uint8, .int16, .uint16, .int4, .uint4, .int2, .uint2, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2,
    .float8e5m2fnuz, .float4e2m1,
  ]

  private func codeType(_ zero: ElementType?) throws -> ElementType {
    let type = zero ?? outputType ?? .uint8
    try expect(type, in: Self.codeTypes, "y_zero_point")
    if let outputType, outputType != type {
      throw OperatorError("output_dtype is \(outputType.name), but the zero point is \(type.name).")
    }
    return type
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: realTypes.union([.int32]), "x")
    let scale = try inputs.required(1, "y_scale")
    if let shape = x.shape, let scaleShape = scale.shape {
      _ = try ScaleLayout(x: shape, scale: scaleShape, axis: axis, block: block)
    }
    return [OperandInfo(type: try codeType(inputs.optional(2)?.type), shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "y_scale")
    let zero = inputs.optional(2)
    try expect(scale.type, in: scaleTypes, "y_scale")
    let type = try codeType(zero?.type)
    let layout = try ScaleLayout(x: x.shape, scale: scale.shape, axis: axis, block: block)
    let zeros = zero?.floats ?? [Float](repeating: 0, count: scale.count)
    guard zeros.count == scale.count else {
      throw OperatorError(
        "the zero point has \(zeros.count) elements (expected \(scale.count), as the scale).")
    }
    let quotients = rounded(quotients(x, scale.floats, layout), scaleType: scale.type, xType: x.type)
    guard type.isInteger else {
      return [quotients.converted(to: type, saturate: saturates || type == .float4e2m1)]
    }
    let range = try type.codeRange("y_zero_point")
    let (low, high) = (Float(range.lowerBound), Float(range.upperBound))
    let codes = quotients.withElements(of: Float.self) { quotients in
      Tensor(of: Float.self, shape: x.shape) { codes in
        layout.forEachRun { elements, first, step in
          var index = first
          for i in elements {
            let code = quotients[i].rounded(.toNearestOrEven) + zeros[index]
            // NaN has no code; it takes the zero point's.
            codes[i] = code.isNaN ? zeros[index] : Swift.min(Swift.max(code, low), high)
            index &+= step
          }
        }
      }
    }
    return [codes.converted(to: type)]
  }

  private func quotients(_ x: Tensor, _ scales: [Float], _ layout: ScaleLayout) -> Tensor {
    let shape = x.shape
    return x.converted(to: .float32).withElements(of: Float.self) { x in
      Tensor(of: Float.self, shape: shape) { y in
        layout.forEachRun { elements, first, step in
          var index = first
          for i in elements {
            y[i] = x[i] / scales[index]
            index &+= step
          }
        }
      }
    }
  }

  /// The quotients as the precision of the division leaves them.
  private func rounded(_ x: Tensor, scaleType: ElementType, xType: ElementType) -> Tensor {
    let type = precision ?? (scaleType == .float8e8m0 ? xType : scaleType)
    guard type == .float16 || type == .bfloat16 else { return x }
    return x.converted(to: type).converted(to: .float32)
  }
}
