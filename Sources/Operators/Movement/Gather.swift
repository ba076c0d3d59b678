import Graph
import Tensors

/// Slices of a tensor picked by index along an axis: a table that is looked up.
///
/// - Inputs: data; indices, int32 or int64, negative ones from the end.
/// - Output: data's axes before `axis`, the axes of indices, data's axes after it.
/// - Source: ONNX Gather-13.
package struct Gather: WeightedOperator {
  package static let name = OperatorName("Gather", since: 13)
  package var axis: Int

  package init(axis: Int = 0) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: 0) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 0)
    return writer.attributes
  }

  private func resolved(_ data: Shape, _ indices: Shape) throws -> Shape {
    let along = try data.axis(axis)
    return try checked(Array(data[..<along]) + indices + Array(data[(along + 1)...]))
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    guard let shape = data.shape, let other = indices.shape else {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    return [OperandInfo(type: data.type, shape: try resolved(shape, other))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let shape = try resolved(data.shape, indices.shape)
    let along = try data.shape.axis(axis)
    let picked = try positions(indices.integers, size: data.shape[along])
    let words = data.words
    let row = Array(data.shape[(along + 1)...]).elementCount * words.type.bits / 8
    let outer = Array(data.shape[..<along]).elementCount
    let size = data.shape[along]
    let result = words.withBytes { bytes in
      Tensor(shape: shape, type: words.type) { out in
        guard row > 0 else { return }
        var at = 0
        for block in 0..<outer {
          for index in picked {
            let from = (block * size + index) * row
            UnsafeMutableRawBufferPointer(rebasing: out[at..<at + row])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + row]))
            at += row
          }
        }
      }
    }
    return [Tensor(words: result, type: data.type)]
  }

  /// A table of rows that are looked up: its channels are the rows.
  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
    guard let data = inputs.optional(0), data.constant != nil, data.type.isFloatingPoint,
      let shape = data.shape, shape.count == 2, shape.normalizedAxis(axis) == 0
    else { return [] }
    return [WeightRole(input: 0, activation: nil, channelAxis: 0, featureAxis: 1)]
  }

  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int { 0 }
}

/// Indices counted from the front, or an error that names the first one outside an axis of `size`.
func positions(_ indices: [Int], size: Int) throws -> [Int] {
  try indices.map { index in
    let position = index < 0 ? index + size : index
    guard position >= 0, position < size else {
      throw OperatorError("index \(index) is outside an axis of \(size) elements.")
    }
    return position
  }
}

/// Single elements picked by index along an axis.
///
/// - Inputs: data; indices of the same rank, no longer than data beside `axis`.
/// - Output: shape of indices; at i it is data[i] with its coordinate on `axis` replaced by indices[i].
/// - Source: ONNX GatherElements-13.
package struct GatherElements: Operator {
  package static let name = OperatorName("GatherElements", since: 13)
  package var axis: Int

  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: 0) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 0)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    return [OperandInfo(type: data.type, shape: try inputs.required(1, "indices").shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let along = try data.shape.axis(axis)
    let offsets = try elementOffsets(data.shape, indices, axis: along)
    let words = data.words
    return [
      Tensor(
        words: words.type.dispatchWord(Pick(x: words, offsets: offsets, shape: indices.shape)),
        type: data.type)
    ]
  }
}

/// The elements of a tensor at flat offsets.
struct Pick: WordVisitor {
  let x: Tensor
  let offsets: [Int]
  let shape: Shape

  func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
    x.withElements(of: W.self) { x in
      Tensor(of: W.self, shape: shape) { y in for i in 0..<y.count { y[i] = x[offsets[i]] } }
    }
  }
}

/// For each index its flat offset in a tensor of `shape`: the index's own position, with `axis` replaced.
func elementOffsets(_ shape: Shape, _ indices: Tensor, axis: Int) throws -> [Int] {
  guard indices.rank == shape.count,
    shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= shape[$0] })
  else {
    throw OperatorError(
      "indices have shape \(indices.shape.shapeText), which does not fit data of shape \(shape.shapeText).")
  }
  let picked = try positions(indices.integers, size: shape[axis])
  var strides = shape.rowMajorStrides
  let along = strides[axis]
  strides[axis] = 0
  var offsets = [Int](repeating: 0, count: picked.count)
  let loop = StridedLoop(shape: indices.shape, strides: [strides])
  loop.forEachRow { position, starts in
    for i in 0..<loop.innerCount {
      offsets[position + i] = starts[0] + i * loop.innerStrides[0] + picked[position + i] * along
    }
  }
  return offsets
}

/// Slices picked by index tuples.
///
/// - Inputs: data; indices `[batch…, …, k]`: the last axis holds the first k coordinates after the batch axes.
/// - Output: indices' axes but the last, then data's axes that the tuples leave open.
/// - Source: ONNX GatherND-13.
package struct GatherND: Operator {
  package static let name = OperatorName("GatherND", since: 13)
  package var batchAxes: Int

  package init(attributes: Attributes) throws { batchAxes = try attributes.integer("batch_dims", default: 0) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("batch_dims", batchAxes, unless: 0)
    return writer.attributes
  }

  private func resolved(_ data: Shape, _ indices: Shape) throws -> Shape {
    guard batchAxes >= 0, batchAxes < indices.count, batchAxes <= data.count,
      data[..<batchAxes] == indices[..<batchAxes], let width = indices.last,
      width + batchAxes <= data.count
    else {
      throw OperatorError(
        "indices have shape \(indices.shapeText), which does not fit data of shape \(data.shapeText) "
          + "with \(batchAxes) batch axes.")
    }
    return try checked(Array(indices.dropLast()) + Array(data[(batchAxes + width)...]))
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    guard let shape = data.shape, let other = try inputs.required(1, "indices").shape else {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    return [OperandInfo(type: data.type, shape: try resolved(shape, other))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let shape = try resolved(data.shape, indices.shape)
    let starts = try tupleOffsets(data.shape, indices, batchAxes: batchAxes)
    let block = data.shape.dropFirst(batchAxes + (indices.shape.last ?? 0)).reduce(1, *)
    let words = data.words
    let size = words.type.bits / 8
    let result = words.withBytes { bytes in
      Tensor(shape: shape, type: words.type) { out in
        guard block > 0 else { return }
        for (i, start) in starts.enumerated() {
          UnsafeMutableRawBufferPointer(rebasing: out[i * block * size..<(i + 1) * block * size])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start * size..<(start + block) * size]))
        }
      }
    }
    return [Tensor(words: result, type: data.type)]
  }
}

/// The flat offset of the slice each index tuple names.
func tupleOffsets(_ data: Shape, _ indices: Tensor, batchAxes: Int) throws -> [Int] {
  let width = indices.shape.last ?? 0
  let tuples = Array(indices.shape.dropLast()).elementCount
  let batches = Array(data[..<batchAxes]).elementCount
  let perBatch = batches == 0 ? 0 : tuples / batches
  let values = indices.integers
  let strides = data.rowMajorStrides
  let batchStride = Array(data[batchAxes...]).elementCount
  return try (0..<tuples).map { tuple in
    var offset = perBatch == 0 ? 0 : tuple / perBatch * batchStride
    for k in 0..<width {
      let axis = batchAxes + k
      let index = values[tuple * width + k]
      let position = index < 0 ? index + data[axis] : index
      guard position >= 0, position < data[axis] else {
        throw OperatorError("index \(index) is outside axis \(axis) of \(data.shapeText).")
      }
      offset += position * strides[axis]
    }
    return offset
  }
}

extension Gather: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let op = GatherGradient(axis: axis, shape: try builder.shape(site.input(0)))
    return [try builder.add(op, site.input(1), site.upstreamOfFirst()), nil]
  }
}

extension GatherElements: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (shape, upstream) = (try builder.shape(site.input(0)), try site.upstreamOfFirst())
    let sums = try ScatterElements(attributes: ["axis": .int(axis), "reduction": .string("add")])
    return [try builder.add(sums, builder.zeros(shape, as: upstream), site.input(1), upstream), nil]
  }
}
