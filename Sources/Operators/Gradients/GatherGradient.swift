import CKernels
import Graph
import Tensors

/// The gradient of the table of a `Gather`: each slice is the sum of ∂loss/∂y wherever it was picked.
///
/// - Inputs: indices, int32 or int64; g = ∂loss/∂y: `shape` with `axis` replaced by the axes of indices.
/// - Output: ∂loss/∂data, of `shape`.
package struct GatherGradient: Operator {
  package static let name = OperatorName("GatherGradient", domain: "lathe", since: 1)
  package let axis: Int
  package let shape: Shape

  package init(axis: Int, shape: Shape) {
    self.axis = axis
    self.shape = shape
  }

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: 0)
    shape = try checked(attributes.required("shape", attributes.integersIfPresent("shape")))
  }

  package var attributes: Attributes { ["axis": .int(axis), "shape": .ints(shape)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let indices = try inputs.required(0, "indices")
    let g = try inputs.required(1, "g")
    try indices.require("indices", { $0 == .int64 || $0 == .int32 }, "int32 or int64")
    try g.require("g", \.isReal, "a float type")
    let along = try shape.axis(axis)
    if let picked = indices.shape, let found = g.shape {
      let expected = Array(shape[..<along]) + picked + Array(shape[(along + 1)...])
      guard found == expected else {
        throw OperatorError("g has shape \(found.shapeText), expected \(expected.shapeText)")
      }
    }
    return [OperandInfo(type: g.type, shape: shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    _ = try infer(inputs.map { $0.map { OperandInfo(type: $0.type, shape: $0.shape) } }, outputs: 1)
    let (indices, g) = (try inputs.required(0, "indices"), try inputs.required(1, "g"))
    let along = try shape.axis(axis)
    let picked = try positions(indices.integers, size: shape[along])
    let rows = AxisRows(shape: shape, axis: along)
    var sums = [Double](repeating: 0, count: shape.elementCount)
    let values = g.doubles
    for outer in 0..<rows.outer {
      for (item, index) in picked.enumerated() {
        let from = (outer * picked.count + item) * rows.inner
        let to = (outer * rows.count + index) * rows.inner
        for i in 0..<rows.inner { sums[to + i] += values[from + i] }
      }
    }
    return [Tensor(doubles: sums, shape: shape, type: g.type)]
  }
}

extension GatherGradient: Lowerable {
  /// Chunks share no element of the table: blocks of columns, each of which adds the picked rows in their order.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let indices = site.input(0), let g = site.input(1), g.info.type == .float32,
      let count = indices.info.count, g.info.count != nil, let along = shape.normalizedAxis(axis),
      shape.elementCount > 0
    else { return nil }
    let wide = indices.info.type == .int64
    let rows = AxisRows(shape: shape, axis: along)
    let (size, columns) = (rows.count, rows.inner)
    let block = Swift.min(columns, 64)
    let blocks = (columns + block - 1) / block
    let kernels = site.kernels
    return KernelCall(
      "gather gradient",
      reads: [KernelCall.Read(.input(0), Form()), KernelCall.Read(.input(1), g.decoded(.rowMajor))],
      writes: [Form()]
    ) { memory in
      let (picks, from) = (memory.reads[0], memory.reads[1].of(Float.self))
      let to = memory.writes[0].of(Float.self)
      return [
        Gather.check(picks, count, wide: wide, size: size, memory),
        Phase(chunks: rows.outer * blocks) { chunk in
          let (outer, column) = (chunk / blocks, chunk % blocks * block)
          let width = Swift.min(block, columns - column)
          let (table, upstream) = (to + outer * size * columns, from + outer * count * columns)
          for row in 0..<size { (table + row * columns + column).update(repeating: 0, count: width) }
          for item in 0..<count {
            guard let index = Gather.index(picks, item, wide: wide, size: size) else { continue }
            let target = table + index * columns + column
            kernels.pointee.add_f32(target, upstream + item * columns + column, width, target)
          }
        },
      ]
    }
  }
}
