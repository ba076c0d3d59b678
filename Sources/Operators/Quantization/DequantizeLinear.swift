import Graph
import Tensors

/// Codes to real numbers: (x − zero point) · scale.
///
/// - Inputs: x, integers or small floats; scale, one, one for each index of `axis`, or one for each block of `block`
///   along it; zero point of the same shape and x's type, optional.
/// - Output: of the scale's type, or `outputType`.
/// - Source: ONNX DequantizeLinear-25.
package struct DequantizeLinear: Operator {
  package static let name = OperatorName("DequantizeLinear", since: 25)
  package var axis: Int
  package var block: Int
  package var outputType: ElementType?

  package init(axis: Int = 1, block: Int = 0, outputType: ElementType? = nil) {
    self.axis = axis
    self.block = block
    self.outputType = outputType
  }

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: 1)
    block = try checkedBlock(attributes)
    outputType = try attributes.elementTypeIfSet("output_dtype")
    if let outputType { try expect(outputType, in: realTypes, "output_dtype") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 1)
    writer.add("block_size", block, unless: 0)
    writer.addIfPresent("output_dtype", outputType)
    return writer.attributes
  }

  private func realType(_ scale: ElementType) -> ElementType {
    outputType ?? (scale == .float8e8m0 ? .float32 : scale)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: QuantizeLinear.codeTypes.union([.int32]), "x")
    let scale = try inputs.required(1, "x_scale")
    try expect(scale.type, in: scaleTypes, "x_scale")
    if let shape = x.shape, let scaleShape = scale.shape {
      _ = try ScaleLayout(x: shape, scale: scaleShape, axis: axis, block: block)
    }
    return [OperandInfo(type: realType(scale.type), shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "x_scale")
    try expect(scale.type, in: scaleTypes, "x_scale")
    let layout = try ScaleLayout(x: x.shape, scale: scale.shape, axis: axis, block: block)
    let scales = scale.floats
    let zeros = inputs.optional(2)?.floats ?? [Float](repeating: 0, count: scales.count)
    guard zeros.count == scales.count else {
      throw OperatorError(
        "the zero point has \(zeros.count) elements (expected \(scales.count), as the scale).")
    }
    let y = x.converted(to: .float32).withElements(of: Float.self) { codes in
      Tensor(of: Float.self, shape: x.shape) { y in
        layout.forEachRun { elements, first, step in
          var index = first
          for i in elements {
            y[i] = (codes[i] - zeros[index]) * scales[index]
            index &+= step
          }
        }
      }
    }
    return [y.converted(to: realType(scale.type))]
  }
}
