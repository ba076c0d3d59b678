import Graph
import Tensors

/// A convolution of integer codes with exact int32 sums.
///
/// - Inputs: x int8 or uint8 `[batch, in, spatial…]`; w `[out, in / groups, kernel…]`; zero points of x (one) and of w
///   (one, or one per output channel), optional.
/// - Output: int32, Σ (x − x zero point) · (w − w zero point); padding counts as the zero point.
/// - Source: ONNX ConvInteger-10.
package struct ConvInteger: Operator {
  package static let name = OperatorName("ConvInteger", since: 10)
  package var conv: Conv

  package init(attributes: Attributes) throws { conv = try Conv(attributes: attributes) }
  package var attributes: Attributes { conv.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(1, "w")
    try expect(x.type, in: [.int8, .uint8], "x")
    try expect(w.type, in: [.int8, .uint8], "w")
    return [OperandInfo(type: .int32, shape: try conv.inferredShape(x.shape, w.shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let sums = try conv.integerSums(
      try inputs.required(0, "x"), zero: inputs.optional(2), try inputs.required(1, "w"),
      wZero: inputs.optional(3))
    return [sums.converted(to: .int32)]
  }
}

/// A convolution of codes whose result is codes again.
///
/// - Inputs: x, its scale and zero point; w, scale and zero point (one, or one per output channel); scale and zero
///   point of y; int32 bias `[out]` in units of x scale · w scale, optional.
/// - Output: clamp(rne(float32(Σ + bias) · m) + zero point), m = x scale · w scale / y scale.
/// - Source: ONNX QLinearConv-10.
package struct QLinearConv: Operator {
  package static let name = OperatorName("QLinearConv", since: 10)
  package var conv: Conv

  package init(attributes: Attributes) throws { conv = try Conv(attributes: attributes) }
  package var attributes: Attributes { conv.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let w = try inputs.required(3, "w")
    try expect(x.type, in: [.int8, .uint8], "x")
    try expect(w.type, in: [.int8, .uint8], "w")
    let zero = try inputs.required(7, "y_zero_point")
    return [OperandInfo(type: zero.type, shape: try conv.inferredShape(x.shape, w.shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let w = try inputs.required(3, "w")
    let sums = try conv.integerSums(
      try inputs.required(0, "x"), zero: inputs.optional(2), w, wZero: inputs.optional(5))
    let xScale = try inputs.required(1, "x_scale").floats
    let wScales = try inputs.required(4, "w_scale").floats
    let yScale = try inputs.required(6, "y_scale").floats
    let yZero = try inputs.required(7, "y_zero_point")
    let channels = w.shape[0]
    guard xScale.count == 1, yScale.count == 1, yZero.count == 1 else {
      throw OperatorError("x and y take one scale and zero point each.")
    }
    guard wScales.count == 1 || wScales.count == channels else {
      throw OperatorError("w_scale has \(wScales.count) elements (expected 1 or \(channels)).")
    }
    let multipliers = wScales.map { Float(Double(xScale[0]) * Double($0) / Double(yScale[0])) }
    let bias = inputs.optional(8)?.integers
    if let bias, bias.count != channels {
      throw OperatorError("bias has \(bias.count) elements (expected \(channels)).")
    }
    let range = try yZero.type.codeRange("y_zero_point")
    let zero = Double(yZero.integers[0])
    let plane = sums.shape.dropFirst(2).reduce(1, *)
    let codes = sums.doubles.enumerated().map { index, sum in
      let channel = index / plane % channels
      let scaled = Float(sum + Double(bias?[channel] ?? 0)) * multipliers[wScales.count == 1 ? 0 : channel]
      let code = Double(scaled.rounded(.toNearestOrEven)) + zero
      return Swift.min(Swift.max(code, Double(range.lowerBound)), Double(range.upperBound))
    }
    return [Tensor(doubles: codes, shape: sums.shape, type: yZero.type)]
  }
}

extension Conv {
  func inferredShape(_ x: Shape?, _ w: Shape?) throws -> Shape? {
    guard let x, let w else { return nil }
    let window = try geometry(x: x, w: w)
    return try checked([x[0], w[0]] + window.output)
  }

  /// Σ (x − zero) · (w − wZero) as float64, exact because every sum is far below 2⁵³.
  func integerSums(_ x: Tensor, zero: Tensor?, _ w: Tensor, wZero: Tensor?) throws -> Tensor {
    var values = x.doubles
    if let zero {
      guard zero.count == 1 else {
        throw OperatorError("x_zero_point has \(zero.count) elements (expected 1).")
      }
      let z = zero.doubles[0]
      for i in values.indices { values[i] -= z }
    }
    var weights = w.doubles
    if let wZero {
      let zeros = wZero.doubles
      guard zeros.count == 1 || zeros.count == w.shape.first else {
        throw OperatorError(
          "w_zero_point has \(zeros.count) elements (expected 1 or \(w.shape.first ?? 0), the output channels)."
        )
      }
      let filter = weights.count / Swift.max(zeros.count, 1)
      for i in weights.indices { weights[i] -= zeros[i / filter] }
    }
    return try convolved(
      Tensor(values, shape: x.shape), Tensor(weights, shape: w.shape), bias: nil)
  }
}

extension ElementType {
  /// Lowest and highest number of an integer type that codes can have; `label` names the operand in the error.
  func codeRange(_ label: String) throws -> ClosedRange<Int> {
    guard isInteger, bits <= 32 else {
      throw OperatorError("\(label) is \(name) (expected an integer type of at most 32 bits).")
    }
    return isSignedInteger ? -(1 << (bits - 1))...(1 << (bits - 1)) - 1 : 0...(1 << bits) - 1
  }
}
