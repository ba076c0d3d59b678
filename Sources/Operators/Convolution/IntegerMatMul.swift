import Graph
import Tensors

/// A matrix product of integer codes with exact int32 sums.
///
/// - Inputs: a `[…, m, k]`, b `[…, k, n]`, int8 or uint8, batch axes broadcast; zero points of a (one, or one per row)
///   and b (one, or one per column), optional.
/// - Output: int32 `[…, m, n]`.
/// - Source: ONNX MatMulInteger-10.
package struct MatMulInteger: Operator {
  package static let name = OperatorName("MatMulInteger", since: 10)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let a = try inputs.required(0, "a")
    let b = try inputs.required(1, "b")
    try expect(a.type, in: [.int8, .uint8], "a")
    try expect(b.type, in: [.int8, .uint8], "b")
    return [OperandInfo(type: .int32, shape: try ProductSizes.shape(a.shape, b.shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let a = try inputs.required(0, "a")
    let b = try inputs.required(1, "b")
    let left = try shifted(a, zero: inputs.optional(2), isLeft: true)
    let right = try shifted(b, zero: inputs.optional(3), isLeft: false)
    let sizes = try ProductSizes(a.shape, b.shape)
    return [Tensor(doubles: sizes.product(left, right), shape: sizes.shape, type: .int32)]
  }
}

/// A matrix product of codes whose result is codes again.
///
/// - Inputs: a, its scale and zero point; b, scale and zero point; scale and zero point of y. Those of a and y are one
///   or one per row, those of b one or one per column.
/// - Output: clamp(rne(float32(Σ) · m) + zero point), m = a scale · b scale / y scale, in the type of y's zero point.
/// - Source: ONNX QLinearMatMul-21.
package struct QLinearMatMul: Operator {
  package static let name = OperatorName("QLinearMatMul", since: 21)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let a = try inputs.required(0, "a")
    let b = try inputs.required(3, "b")
    let zero = try inputs.required(7, "y_zero_point")
    return [OperandInfo(type: zero.type, shape: try ProductSizes.shape(a.shape, b.shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let a = try inputs.required(0, "a")
    let b = try inputs.required(3, "b")
    let yZero = try inputs.required(7, "y_zero_point")
    let left = try shifted(a, zero: inputs.optional(2), isLeft: true)
    let right = try shifted(b, zero: inputs.optional(5), isLeft: false)
    let sizes = try ProductSizes(a.shape, b.shape)
    let sums = sizes.product(left, right)
    func spread(_ tensor: Tensor, byRow: Bool, _ label: String) throws -> [Double] {
      try broadcastPerLine(tensor, to: sizes.shape, byRow: byRow, label)
    }
    let aScale = try spread(inputs.required(1, "a_scale"), byRow: true, "a_scale")
    let bScale = try spread(inputs.required(4, "b_scale"), byRow: false, "b_scale")
    let yScale = try spread(inputs.required(6, "y_scale"), byRow: true, "y_scale")
    let zeros = try spread(yZero, byRow: true, "y_zero_point")
    let isInteger = yZero.type.isInteger
    let range = isInteger ? try yZero.type.codeRange("y_zero_point") : 0...0
    let codes = sums.indices.map { i in
      let scaled = Float(sums[i]) * Float(aScale[i] * bScale[i] / yScale[i])
      guard isInteger else { return Double(scaled) + zeros[i] }
      let code = Double(scaled.rounded(.toNearestOrEven)) + zeros[i]
      return Swift.min(Swift.max(code, Double(range.lowerBound)), Double(range.upperBound))
    }
    return [Tensor(doubles: codes, shape: sizes.shape, type: yZero.type)]
  }
}

/// The elements of a matrix operand less its zero points.
private func shifted(_ x: Tensor, zero: Tensor?, isLeft: Bool) throws -> [Double] {
  let values = x.doubles
  guard let zero else { return values }
  let shape = x.rank == 1 ? (isLeft ? [1, x.count] : [x.count, 1]) : x.shape
  let zeros = try broadcastPerLine(zero, to: shape, byRow: isLeft, isLeft ? "a_zero_point" : "b_zero_point")
  return values.indices.map { values[$0] - zeros[$0] }
}

/// Numbers given once, once per row (last but one axis) or once per column, one for each element of `shape`.
private func broadcastPerLine(
  _ numbers: Tensor, to shape: Shape, byRow: Bool, _ label: String
) throws -> [Double] {
  if numbers.count == 1 { return [Double](repeating: numbers.doubles[0], count: shape.elementCount) }
  let lined = byRow && numbers.rank == 1 ? numbers.reshaped([numbers.count, 1]) : numbers
  guard broadcastShape(lined.shape, shape) == shape else {
    throw OperatorError(
      "\(label) has shape \(numbers.shape.shapeText), which does not fit \(shape.shapeText).")
  }
  return lined.converted(to: .float64).broadcast(to: shape).doubles
}

/// The sizes of a batched matrix product with NumPy's rules.
struct ProductSizes {
  var shape: Shape
  var m: Int
  var n: Int
  var k: Int
  /// For each product of the batch, the index of the left and right matrix.
  var lefts: [Int]
  var rights: [Int]

  static func shape(_ a: Shape?, _ b: Shape?) throws -> Shape? {
    guard let a, let b else { return nil }
    return try ProductSizes(a, b).shape
  }

  init(_ a: Shape, _ b: Shape) throws {
    guard !a.isEmpty, !b.isEmpty else { throw OperatorError("a matrix product needs operands with axes.") }
    let left = a.count == 1 ? [1, a[0]] : a
    let right = b.count == 1 ? [b[0], 1] : b
    m = left[left.count - 2]
    k = left[left.count - 1]
    n = right[right.count - 1]
    guard right[right.count - 2] == k else {
      throw OperatorError(
        "a has shape \(a.shapeText) and b \(b.shapeText): \(k) columns against "
          + "\(right[right.count - 2]) rows.")
    }
    let leftBatch = Array(left.dropLast(2))
    let rightBatch = Array(right.dropLast(2))
    guard let batch = broadcastShape(leftBatch, rightBatch) else {
      throw OperatorError("a has shape \(a.shapeText) and b \(b.shapeText), whose batches do not fit.")
    }
    shape = try checked(batch + (a.count == 1 ? [] : [m]) + (b.count == 1 ? [] : [n]))
    func indices(_ own: Shape) -> [Int] {
      Tensor(integers: Array(0..<own.elementCount), shape: own).broadcast(to: batch).integers
    }
    lefts = indices(leftBatch)
    rights = indices(rightBatch)
  }

  func product(_ a: [Double], _ b: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: lefts.count * m * n)
    for batch in lefts.indices {
      let left = lefts[batch] * m * k
      let right = rights[batch] * k * n
      for i in 0..<m {
        let row = (batch * m + i) * n
        for l in 0..<k {
          let factor = a[left + i * k + l]
          let other = right + l * n
          for j in 0..<n { result[row + j] += factor * b[other + j] }
        }
      }
    }
    return result
  }
}
