import Graph
import Tensors

/// Vectors that are `on` at an index and `off` elsewhere.
///
/// - Inputs: indices, numbers of any type; depth, one number; values `[off, on]`.
/// - Output: the axes of indices with one of size depth at `axis`; an index outside −depth…depth−1 is off everywhere.
/// - Source: ONNX OneHot-11.
package struct OneHot: Operator {
  package static let name = OperatorName("OneHot", since: 11)
  package var axis: Int

  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: -1) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: -1)
    return writer.attributes
  }

  private func resolved(_ indices: Shape, depth: Int) throws -> (shape: Shape, axis: Int) {
    var shape = indices
    let along = try (indices + [1]).axis(axis)
    shape.insert(depth, at: along)
    return (try checked(shape), along)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let values = try inputs.required(2, "values")
    guard let shape = try inputs.required(0, "indices").shape,
      let depth = try inputs.required(1, "depth").constant?.scalarInteger
    else { return [OperandInfo(type: values.type, shape: nil)] }
    return [OperandInfo(type: values.type, shape: try resolved(shape, depth: depth).shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let indices = try inputs.required(0, "indices")
    let values = try inputs.required(2, "values")
    guard let depth = try inputs.required(1, "depth").scalarInteger, values.count == 2 else {
      throw OperatorError("depth takes one element and values two.")
    }
    let (shape, along) = try resolved(indices.shape, depth: depth)
    let inner = Array(indices.shape[along...]).elementCount
    var chosen = [Int](repeating: 0, count: shape.elementCount)
    for (i, index) in indices.integers.enumerated() {
      let position = index < 0 ? index + depth : index
      guard position >= 0, position < depth else { continue }
      chosen[(i / inner * depth + position) * inner + i % inner] = 1
    }
    let words = values.words
    return [
      Tensor(words: words.type.dispatchWord(Pick(x: words, offsets: chosen, shape: shape)), type: values.type)
    ]
  }
}

/// The coordinates of all elements that are not zero.
///
/// - Output: int64 `[rank, found]`, in row-major order of the elements.
/// - Source: ONNX NonZero-13.
package struct NonZero: Operator {
  package static let name = OperatorName("NonZero", since: 13)
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [OperandInfo(type: .int64, shape: nil)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let found = x.doubles.enumerated().filter { $0.element != 0 }.map(\.offset)
    let strides = x.shape.rowMajorStrides
    let coordinates = x.shape.indices.flatMap { axis in found.map { $0 / strides[axis] % x.shape[axis] } }
    return [Tensor(integers: coordinates, shape: [x.rank, found.count])]
  }
}

/// The slices along an axis, or without one the elements, for which a condition holds.
///
/// - Inputs: input; condition, bool, at most as long as the axis.
/// - Source: ONNX Compress-11.
package struct Compress: Operator {
  package static let name = OperatorName("Compress", since: 11)
  package var axis: Int?

  package init(attributes: Attributes) throws { axis = try attributes.integerIfPresent("axis") }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.addIfPresent("axis", axis)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    if let axis, let shape = x.shape { _ = try shape.axis(axis) }
    return [OperandInfo(type: x.type, shape: nil)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let input = try inputs.required(0, "input")
    let x = axis == nil ? input.reshaped([input.count]) : input
    let along = try x.shape.axis(axis ?? 0)
    let condition = try inputs.required(1, "condition").integers
    guard condition.count <= x.shape[along] else {
      throw OperatorError("condition has \(condition.count) elements, axis \(along) only \(x.shape[along]).")
    }
    var maps = x.shape.map { Array(0..<$0) }
    maps[along] = condition.indices.filter { condition[$0] != 0 }
    return [x.mapped(maps)]
  }
}

/// The beginning of each sequence of a batch reversed, the rest kept.
///
/// - Inputs: input, with a batch and a time axis among its first two; lengths, int64 `[batch]`.
/// - Source: ONNX ReverseSequence-10.
package struct ReverseSequence: Operator {
  package static let name = OperatorName("ReverseSequence", since: 10)
  package var batchAxis: Int
  package var timeAxis: Int

  package init(attributes: Attributes) throws {
    batchAxis = try attributes.integer("batch_axis", default: 1)
    timeAxis = try attributes.integer("time_axis", default: 0)
    guard Set([batchAxis, timeAxis]) == [0, 1] else {
      throw OperatorError(
        "batch_axis is \(batchAxis) and time_axis \(timeAxis) (expected 0 and 1, in some order).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("batch_axis", batchAxis, unless: 1)
    writer.add("time_axis", timeAxis, unless: 0)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    if let shape = x.shape { try expect(rank: 2, of: shape, "input") }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    try expect(rank: 2, of: x.shape, "input")
    let lengths = try inputs.required(1, "sequence_lens").integers
    let time = x.shape[timeAxis]
    guard lengths.count == x.shape[batchAxis], lengths.allSatisfy({ $0 >= 0 && $0 <= time }) else {
      throw OperatorError(
        "sequence_lens is \(lengths) (expected \(x.shape[batchAxis]) lengths of at most \(time)).")
    }
    let inner = x.shape.dropFirst(2).reduce(1, *)
    let offsets = (0..<x.count).map { index in
      let (row, rest) = index.quotientAndRemainder(dividingBy: Swift.max(inner, 1))
      let (first, second) = row.quotientAndRemainder(dividingBy: x.shape[1])
      let (batch, step) = batchAxis == 0 ? (first, second) : (second, first)
      let source = step < lengths[batch] ? lengths[batch] - 1 - step : step
      return (batchAxis == 0 ? batch * x.shape[1] + source : source * x.shape[1] + batch) * inner + rest
    }
    let words = x.words
    return [
      Tensor(words: words.type.dispatchWord(Pick(x: words, offsets: offsets, shape: x.shape)), type: x.type)
    ]
  }
}
