import CKernels
import Graph
import Tensors

/// Sums what broadcasting repeated: the transpose of broadcasting a tensor of `target` shape to that of x.
///
/// - Input: x, float. Output: y of shape `target`; each element is the sum of the elements of x that broadcasting
///   would have made of it.
package struct SumToShape: Operator {
  package static let name = OperatorName("SumToShape", domain: "lathe", since: 1)
  package let target: Shape

  package init(_ target: Shape) { self.target = target }
  package init(attributes: Attributes) throws {
    target = try attributes.required("shape", try attributes.integersIfPresent("shape"))
  }
  package var attributes: Attributes { ["shape": .ints(target)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try x.require("x", \.isReal, "a float type")
    if let shape = x.shape, broadcastShape(shape, target) != shape {
      throw OperatorError(
        "x has shape \(shape.shapeText), which \(target.shapeText) does not broadcast to")
    }
    return [OperandInfo(type: x.type, shape: target)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    _ = try infer([OperandInfo(type: x.type, shape: x.shape)], outputs: 1)
    var sums = [Double](repeating: 0, count: target.elementCount)
    let loop = StridedLoop(
      shape: x.shape, strides: [x.shape.rowMajorStrides, target.broadcastStrides(to: x.shape)])
    let values = x.doubles
    loop.forEachRow { _, offsets in
      for i in 0..<loop.innerCount {
        sums[offsets[1] + i * loop.innerStrides[1]] += values[offsets[0] + i * loop.innerStrides[0]]
      }
    }
    return [Tensor(sums, shape: target).converted(to: x.type)]
  }
}

extension SumToShape: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.expand(site.upstreamOfFirst(), to: builder.shape(site.input(0)))]
  }
}

extension SumToShape: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), x.info.type == .float32, let shape = x.info.shape, shape.elementCount > 0
    else { return nil }
    let padded = Shape(repeating: 1, count: shape.count - target.count) + target
    let kept = shape.indices.filter { padded[$0] != 1 }
    if !kept.isEmpty, kept == Array(0..<kept.count), kept.count < shape.count {
      return rowSums(site, x, rows: target.elementCount, columns: shape.elementCount / target.elementCount)
    }
    let layout: Layout
    if kept == [1], shape.count > 2 {
      layout = .channelsLast
    } else if kept.isEmpty || kept == Array(kept[0]..<shape.count) {
      // Any order will do for the sum of everything.
      layout = kept.isEmpty ? x.layout : .rowMajor
    } else {
      return nil
    }
    let columns = target.elementCount
    let rows = shape.elementCount / columns
    let grain = Swift.max(1, rowGrain / columns)
    let chunks = (rows + grain - 1) / grain
    let kernels = site.kernels
    return KernelCall(
      "sum", reads: [KernelCall.Read(.input(0), x.decoded(layout))], writes: [Form()],
      scratchBytes: chunks * columns * 4
    ) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      let parts = memory.scratch.of(Float.self)
      return [
        Phase(chunks: chunks) { chunk in
          let first = chunk * grain
          sumRows(
            from + first * columns, rows: Swift.min(rows - first, grain), columns, parts + chunk * columns,
            kernels)
        },
        Phase(chunks: 1) { _ in sumRows(parts, rows: chunks, columns, to, kernels) },
      ]
    }
  }
}

/// The call that sums each row.
private func rowSums(
  _ site: LoweringSite, _ x: LoweringSite.Operand, rows: Int, columns: Int
) -> KernelCall {
  let kernels = site.kernels
  return KernelCall(
    "sum of rows", reads: [KernelCall.Read(.input(0), x.decoded(.rowMajor))], writes: [Form()]
  ) { memory in
    let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
    return [
      Phase.over(rows, grain: Swift.max(1, rowGrain / columns)) { start, end in
        for row in start..<end { to[row] = kernels.pointee.sum_f32(from + row * columns, columns) }
      }
    ]
  }
}

/// Writes the sum of `rows` rows of `columns` elements each.
func sumRows(
  _ x: UnsafePointer<Float>, rows: Int, _ columns: Int, _ y: UnsafeMutablePointer<Float>,
  _ kernels: UnsafePointer<ck_table>
) {
  if columns == 1 {
    y[0] = kernels.pointee.sum_f32(x, rows)
  } else {
    y.update(repeating: 0, count: columns)
    kernels.pointee.sum_columns_f32(x, rows, columns, columns, y)
  }
}
