import Graph
import Tensors

/// A tensor with elements added around it, or taken away by negative pads.
///
/// - Inputs: data; pads, int64 `[2 · axes]`: begins, then ends; the constant, optional: 0; axes, optional: all.
/// - Output: sizes grown by the pads; what is added is the constant (`constant`), the nearest element (`edge`), a mirror
///   image that does not repeat the edge (`reflect`) or the other end (`wrap`).
/// - Source: ONNX Pad-25.
package struct Pad: ActivationOperator {
  package static let name = OperatorName("Pad", since: 25)
  package static var upgrades: [Upgrade] {
    [
      .before(11) { node, rewrite in
        let value = try node.attributes.real("value", default: 0)
        let pads = try node.attributes.integersIfPresent("pads") ?? []
        node.attributes["value"] = nil
        node.attributes["pads"] = nil
        node.setInput(1, rewrite.add(constant: Tensor(integers: pads, shape: [pads.count]), "pads"))
        if value != 0 { node.setInput(2, rewrite.add(constant: Tensor(scalar: value), "value")) }
      }
    ]
  }

  package enum Mode: String, Sendable, CaseIterable { case constant, reflect, edge, wrap }
  package var mode: Mode

  package init(mode: Mode = .constant) { self.mode = mode }
  package init(attributes: Attributes) throws {
    mode = Mode(rawValue: try attributes.text("mode", among: Mode.allCases.map(\.rawValue))) ?? .constant
  }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("mode", mode.rawValue, unless: Mode.constant.rawValue)
    return writer.attributes
  }

  /// Elements added before and after each axis.
  package func resolved(_ shape: Shape, pads: [Int], axes: [Int]?) throws -> [(begin: Int, end: Int)] {
    let axes = try shape.axes(axes ?? Array(shape.indices))
    guard pads.count == 2 * axes.count else {
      throw OperatorError("pads has \(pads.count) elements (expected \(2 * axes.count), two for each axis).")
    }
    guard pads.allSatisfy({ $0 > -1 << 40 && $0 < 1 << 40 }) else {
      throw OperatorError("pads holds an impossibly large size.")
    }
    var result = shape.map { _ in (begin: 0, end: 0) }
    for (i, axis) in axes.enumerated() { result[axis] = (pads[i], pads[axes.count + i]) }
    return result
  }

  private func padded(_ shape: Shape, _ pads: [(begin: Int, end: Int)]) throws -> Shape {
    try checked(shape.indices.map { shape[$0] + pads[$0].begin + pads[$0].end })
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    let axes = inputs.optional(3)
    guard let shape = data.shape, let pads = try inputs.required(1, "pads").constant?.integers,
      axes == nil || axes?.constant != nil
    else { return [OperandInfo(type: data.type, shape: nil)] }
    let resolved = try resolved(shape, pads: pads, axes: axes?.constant?.integers)
    return [OperandInfo(type: data.type, shape: try padded(shape, resolved))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let pads = try resolved(
      data.shape, pads: inputs.required(1, "pads").integers, axes: inputs.optional(3)?.integers)
    let shape = try padded(data.shape, pads)
    var fill = Tensor(integers: [0], shape: [1], type: data.type)
    if let constant = inputs.optional(2), constant.count > 0 {
      guard constant.count == 1, constant.type == data.type else {
        throw OperatorError(
          "the constant has \(constant.count) elements of \(constant.type.name) (expected 1 of \(data.type.name))."
        )
      }
      fill = constant.reshaped([1])
    }
    let maps = try shape.indices.map { axis in
      try map(axis: axis, size: data.shape[axis], pads: pads[axis], count: shape[axis])
    }
    return [data.mapped(maps, fill: fill)]
  }

  /// The source index of each element along an axis, −1 for the constant.
  ///
  /// Negative pads crop before others add.
  private func map(axis: Int, size: Int, pads: (begin: Int, end: Int), count: Int) throws -> [Int] {
    let first = Swift.min(size, Swift.max(0, -pads.begin))
    let kept = Swift.max(0, size - first - Swift.max(0, -pads.end))
    guard kept > 0 || mode == .constant || count == 0 else {
      throw OperatorError("axis \(axis) is empty, so mode \(mode.rawValue) has nothing to pad it with.")
    }
    return (0..<count).map { position in
      let index = position - Swift.max(0, pads.begin)
      if index >= 0, index < kept { return first + index }
      switch mode {
      case .constant: return -1
      case .edge: return first + Swift.min(Swift.max(index, 0), kept - 1)
      case .wrap: return first + ((index % kept) + kept) % kept
      case .reflect:
        let period = 2 * (kept - 1)
        if period == 0 { return first }
        let folded = ((index % period) + period) % period
        return first + (folded < kept ? folded : period - folded)
      }
    }
  }

  /// Padding by elements of the input or by zero keeps its codes; zero is always one of them.
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? {
    guard mode == .constant, let constant = inputs.optional(2) else { return .keepsInput(0) }
    guard let value = constant.constant else { return nil }
    return value.floats.allSatisfy { $0 == 0 } ? .keepsInput(0) : nil
  }
}

/// A tensor cropped or padded with zeros, centred, to given sizes.
///
/// - Inputs: input; shape, int64, one size for each of `axes` (all, where absent).
/// - Source: ONNX CenterCropPad-18.
package struct CenterCropPad: Operator {
  package static let name = OperatorName("CenterCropPad", since: 18)
  package var axes: [Int]?

  package init(attributes: Attributes) throws { axes = try attributes.integersIfPresent("axes") }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.addIfPresent("axes", axes)
    return writer.attributes
  }

  private func resolved(_ shape: Shape, _ sizes: [Int]) throws -> Shape {
    let axes = try shape.axes(axes ?? Array(shape.indices))
    guard sizes.count == axes.count else {
      throw OperatorError("shape has \(sizes.count) sizes (expected \(axes.count)).")
    }
    var result = shape
    for (axis, size) in zip(axes, sizes) { result[axis] = size }
    return try checked(result)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    guard let shape = x.shape, let sizes = try inputs.required(1, "shape").constant?.integers else {
      return [OperandInfo(type: x.type, shape: nil)]
    }
    return [OperandInfo(type: x.type, shape: try resolved(shape, sizes))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    let shape = try resolved(x.shape, inputs.required(1, "shape").integers)
    let maps = shape.indices.map { axis in
      let (size, wanted) = (x.shape[axis], shape[axis])
      // Where the difference is odd the extra element is taken away or added at the end.
      let begin = wanted >= size ? (wanted - size) / 2 : -((size - wanted) / 2)
      return (0..<wanted).map { position in
        let index = position - begin
        return index >= 0 && index < size ? index : -1
      }
    }
    return [x.mapped(maps, fill: Tensor(integers: [0], shape: [1], type: x.type))]
  }
}

extension Pad: DifferentiableOperator {
  /// What was added is taken away, and what was taken away is zero.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    guard mode == .constant else { throw OperatorError("mode \(mode.rawValue) has no gradient here") }
    try site.requireUnwanted(2..<3, "the constant")
    guard let pads = try site.constant(1, "pads", builder)?.integers else {
      throw OperatorError("input pads is missing")
    }
    let shape = try builder.shape(site.input(0))
    let sizes = try resolved(shape, pads: pads, axes: site.constant(3, "axes", builder)?.integers)
    return site.ofFirst(
      try builder.padded(
        site.upstreamOfFirst(), before: sizes.map { -$0.begin }, behind: sizes.map { -$0.end }))
  }
}
