import Graph
import Tensors

/// Codes of a tensor by its own range, stretched to hold zero.
///
/// - Outputs: uint8 codes like x; scale = (max − min) / 255, 1 / 255 where all is zero; zero point
///   = clamp(rne(0 − min / scale)), uint8.
/// - Source: ONNX DynamicQuantizeLinear-11.
package struct DynamicQuantizeLinear: Operator {
  package static let name = OperatorName("DynamicQuantizeLinear", since: 11)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: [.float32], "x")
    let all = [
      OperandInfo(type: .uint8, shape: x.shape), OperandInfo(type: .float32, shape: []),
      OperandInfo(type: .uint8, shape: []),
    ]
    return Array(all.prefix(outputs))
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let values = x.floats
    let low = Swift.min(values.min() ?? 0, 0)
    let high = Swift.max(values.max() ?? 0, 0)
    guard low.isFinite, high.isFinite else { throw OperatorError("x holds numbers that are not finite.") }
    let scale = (low == high ? 1 : high - low) / 255
    let zero = Swift.min(Swift.max((0 - low / scale).rounded(.toNearestOrEven), 0), 255)
    let codes = values.map {
      UInt8(Swift.min(Swift.max(($0 / scale).rounded(.toNearestOrEven) + zero, 0), 255))
    }
    let all = [
      Tensor(codes, shape: x.shape), Tensor(scalar: scale), Tensor(scalar: UInt8(zero)),
    ]
    return Array(all.prefix(outputs))
  }
}
