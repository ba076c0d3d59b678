import Graph
import Tensors

/// A regular part of a tensor: from, to and step along some axes.
///
/// - Inputs: data; starts, ends, int64 or int32; axes and steps, optional. Negative indices count from the end, and
///   indices beyond an axis are clamped to it.
/// - Source: ONNX Slice-13.
package struct Slice: ActivationOperator {
  package static let name = OperatorName("Slice", since: 13)
  package static var upgrades: [Upgrade] {
    [.listsBecomeInputs(["starts": 1, "ends": 2, "axes": 3], before: 10)]
  }
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  /// What a slice reads along each axis.
  package struct Range: Sendable, Hashable {
    package var start: Int
    package var step: Int
    package var count: Int
  }

  package func resolved(
    _ shape: Shape, starts: [Int], ends: [Int], axes: [Int]?, steps: [Int]?
  ) throws -> [Range] {
    var ranges = shape.map { Range(start: 0, step: 1, count: $0) }
    let axes = try shape.axes(axes ?? Array(0..<starts.count))
    let steps = steps ?? [Int](repeating: 1, count: starts.count)
    guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
      throw OperatorError(
        "\(starts.count) starts, \(ends.count) ends, \(axes.count) axes and \(steps.count) steps (expected as many of each)."
      )
    }
    for (i, axis) in axes.enumerated() {
      let size = shape[axis]
      let step = steps[i]
      guard step != 0, step > .min else { throw OperatorError("the step of axis \(axis) is \(step).") }
      func fromFront(_ index: Int) -> Int { index < 0 ? index + size : index }
      let start: Int
      let end: Int
      if step > 0 {
        start = Swift.min(Swift.max(fromFront(starts[i]), 0), size)
        end = Swift.min(Swift.max(fromFront(ends[i]), 0), size)
      } else {
        start = Swift.min(Swift.max(fromFront(starts[i]), 0), size - 1)
        end = Swift.min(Swift.max(fromFront(ends[i]), -1), size - 1)
      }
      let span = step > 0 ? end - start : start - end
      let count = span <= 0 ? 0 : (span - 1) / abs(step) + 1
      ranges[axis] = Range(start: count == 0 ? 0 : start, step: step, count: count)
    }
    return ranges
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    let lists = try [
      inputs.required(1, "starts"), inputs.required(2, "ends"), inputs.optional(3), inputs.optional(4),
    ]
    guard let shape = data.shape, lists.allSatisfy({ $0 == nil || $0?.constant != nil }) else {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    let numbers = lists.map { $0?.constant?.integers }
    let ranges = try resolved(
      shape, starts: numbers[0] ?? [], ends: numbers[1] ?? [], axes: numbers[2], steps: numbers[3])
    return [OperandInfo(type: data.type, shape: ranges.map(\.count))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let ranges = try resolved(
      data.shape, starts: inputs.required(1, "starts").integers, ends: inputs.required(2, "ends").integers,
      axes: inputs.optional(3)?.integers, steps: inputs.optional(4)?.integers)
    let strides = data.shape.rowMajorStrides
    let offset = ranges.indices.map { ranges[$0].start * strides[$0] }.reduce(0, +)
    return [
      data.gathering(
        shape: ranges.map(\.count), strides: ranges.indices.map { ranges[$0].step &* strides[$0] },
        offset: offset)
    ]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// A tensor repeated to the shape it and `shape` broadcast to.
///
/// - Source: ONNX Expand-13.
package struct Expand: ActivationOperator {
  package static let name = OperatorName("Expand", since: 13)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  private func resolved(_ x: Shape, _ wanted: Shape) throws -> Shape {
    guard let shape = broadcastShape(x, try checked(wanted)) else {
      throw OperatorError("input has shape \(x.shapeText), which does not expand to \(wanted.shapeText).")
    }
    return try checked(shape)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    guard let shape = x.shape, let wanted = try inputs.required(1, "shape").constant?.integers else {
      return [OperandInfo(type: x.type, shape: nil)]
    }
    return [OperandInfo(type: x.type, shape: try resolved(shape, wanted))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    return [x.broadcast(to: try resolved(x.shape, inputs.required(1, "shape").integers))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// A tensor repeated along its axes.
///
/// - Inputs: input; repeats, int64, one for each axis.
/// - Source: ONNX Tile-13.
package struct Tile: ActivationOperator {
  package static let name = OperatorName("Tile", since: 13)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  private func resolved(_ x: Shape, _ repeats: [Int]) throws -> Shape {
    guard repeats.count == x.count, repeats.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }) else {
      throw OperatorError("repeats is \(repeats) (expected one count for each axis of \(x.shapeText)).")
    }
    let (shape, overflows) = zip(x, repeats).reduce(into: (Shape(), false)) { result, pair in
      let (size, overflow) = pair.0.multipliedReportingOverflow(by: pair.1)
      result.0.append(size)
      if overflow { result.1 = true }
    }
    return try checked(overflows ? [.max, .max] : shape)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    guard let shape = x.shape, let repeats = try inputs.required(1, "repeats").constant?.integers else {
      return [OperandInfo(type: x.type, shape: nil)]
    }
    return [OperandInfo(type: x.type, shape: try resolved(shape, repeats))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    let repeats = try inputs.required(1, "repeats").integers
    let shape = try resolved(x.shape, repeats)
    // Each axis becomes two, the repetition before the index.
    let strides = x.shape.rowMajorStrides
    let tiled = x.gathering(
      shape: x.shape.indices.flatMap { [repeats[$0], x.shape[$0]] },
      strides: x.shape.indices.flatMap { [0, strides[$0]] })
    return [tiled.reshaped(shape)]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// The upper or lower triangle of matrices, zeros elsewhere.
///
/// - Inputs: input `[…, rows, columns]`; k, int64, optional: the diagonal, counted upwards from the main one.
/// - Source: ONNX Trilu-14.
package struct Trilu: Operator {
  package static let name = OperatorName("Trilu", since: 14)
  package var isUpper: Bool

  package init(attributes: Attributes) throws { isUpper = try attributes.isSet("upper", default: true) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("upper", isUpper, unless: true)
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
    guard let k = inputs.optional(1).map({ $0.scalarInteger }) ?? 0 else {
      throw OperatorError("k has more than one element (expected 1).")
    }
    let words = x.words
    return [Tensor(words: words.type.dispatchWord(Run(x: words, k: k, isUpper: isUpper)), type: x.type)]
  }

  private struct Run: WordVisitor {
    let x: Tensor
    let k: Int
    let isUpper: Bool

    func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
      let rows = x.shape[x.rank - 2]
      let columns = x.shape[x.rank - 1]
      return x.withElements(of: W.self) { x in
        Tensor(of: W.self, shape: self.x.shape) { y in
          for row in 0..<(columns == 0 ? 0 : x.count / columns) {
            // Compared without overflow whatever k is.
            let (first, isBeyond) = (row % rows).addingReportingOverflow(k)
            let edge =
              isBeyond ? (k > 0 ? columns : 0) : Swift.min(Swift.max(first + (isUpper ? 0 : 1), 0), columns)
            let kept = isUpper ? edge..<columns : 0..<edge
            for column in kept { y[row * columns + column] = x[row * columns + column] }
          }
        }
      }
    }
  }
}

extension Slice: DifferentiableOperator {
  /// The gradient at the places that were read, zeros between and around them.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    let ranges = try resolved(
      shape, starts: site.constant(1, "starts", builder)?.integers ?? [],
      ends: site.constant(2, "ends", builder)?.integers ?? [],
      axes: site.constant(3, "axes", builder)?.integers,
      steps: site.constant(4, "steps", builder)?.integers)
    var gradient = try site.upstreamOfFirst()
    guard ranges.allSatisfy({ $0.count > 0 }) else {
      return site.ofFirst(try builder.zeros(shape, as: gradient))
    }
    let backwards = ranges.indices.filter { ranges[$0].step < 0 && ranges[$0].count > 1 }
    if !backwards.isEmpty {
      let flip = [
        builder.integers(backwards.map { _ in -1 }), builder.integers(backwards.map { _ in .min }),
        builder.integers(backwards), builder.integers(backwards.map { _ in -1 }),
      ]
      gradient = try builder.add(Slice(), [gradient] + flip, outputs: 1)[0]
    }
    var (before, behind) = ([Int](), [Int]())
    for (axis, range) in ranges.enumerated() {
      let step = range.count > 1 ? abs(range.step) : 1
      let first = range.step < 0 ? range.start + (range.count - 1) * range.step : range.start
      if step > 1 { gradient = try builder.spread(gradient, axis: axis, step: step) }
      before.append(first)
      // Negative where the zeros behind the last element lie outside.
      behind.append(shape[axis] - first - range.count * step)
    }
    return site.ofFirst(try builder.padded(gradient, before: before, behind: behind))
  }
}

extension GraphBuilder {
  /// Zeros behind each index of an axis, so that indices are `step` apart.
  fileprivate mutating func spread(_ value: ValueName, axis: Int, step: Int) throws -> ValueName {
    let shape = try shape(value)
    let column = try reshape(value, Array(shape[...axis]) + [1] + Array(shape[(axis + 1)...]))
    var pads = [Int](repeating: 0, count: 2 * (shape.count + 1))
    pads[shape.count + 1 + axis + 1] = step - 1
    let spread = try add(Pad(), column, integers(pads))
    return try reshape(spread, Array(shape[..<axis]) + [shape[axis] * step] + Array(shape[(axis + 1)...]))
  }
}

extension Expand: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    site.ofFirst(try builder.sum(site.upstreamOfFirst(), to: builder.shape(site.input(0))))
  }
}

extension Tile: DifferentiableOperator {
  /// The sum over the repetitions of each axis.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    var gradient = try site.upstreamOfFirst()
    for axis in shape.indices {
      let own = try builder.shape(gradient)
      guard own[axis] != shape[axis], shape[axis] > 0 else { continue }
      let rest = Array(own[(axis + 1)...])
      let pairs = Array(own[..<axis]) + [own[axis] / shape[axis], shape[axis]] + rest
      let sum = try builder.reduceSum(builder.reshape(gradient, pairs), [axis])
      gradient = try builder.reshape(sum, Array(own[..<axis]) + [shape[axis]] + rest)
    }
    return site.ofFirst(gradient)
  }
}

extension Trilu: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let rest = site.node.inputs.dropFirst()
    return site.ofFirst(try builder.add(self, [site.upstreamOfFirst()] + rest, outputs: 1)[0])
  }
}
