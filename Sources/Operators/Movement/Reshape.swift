import Graph
import Tensors

/// The same elements under another shape.
///
/// - Inputs: data; shape, int64 `[rank]`: 0 keeps the size of that axis (unless `allowsZero`), −1 is what remains.
/// - Source: ONNX Reshape-25.
package struct Reshape: ActivationOperator {
  package static let name = OperatorName("Reshape", since: 25)
  /// Whether 0 is a size of its own.
  package var allowsZero: Bool

  package init(allowsZero: Bool = false) { self.allowsZero = allowsZero }
  package init(attributes: Attributes) throws { allowsZero = try attributes.isSet("allowzero") }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("allowzero", allowsZero)
    return writer.attributes
  }

  /// The shape that `wanted` makes of `shape`.
  package func resolved(_ wanted: [Int], of shape: Shape) throws -> Shape {
    var result = wanted
    for (axis, size) in wanted.enumerated() {
      guard size >= -1 else { throw OperatorError("the new shape \(wanted) holds \(size).") }
      if size == 0, !allowsZero {
        guard axis < shape.count else {
          throw OperatorError(
            "the new shape \(wanted) keeps axis \(axis), which \(shape.shapeText) does not have.")
        }
        result[axis] = shape[axis]
      }
    }
    let open = result.indices.filter { result[$0] == -1 }
    if let axis = open.first {
      guard open.count == 1 else { throw OperatorError("the new shape \(wanted) holds −1 more than once.") }
      result[axis] = 1
      guard let known = result.checkedElementCount, known > 0, shape.elementCount % known == 0 else {
        throw OperatorError("a tensor of shape \(shape.shapeText) does not fit the new shape \(wanted).")
      }
      result[axis] = shape.elementCount / known
    }
    guard result.checkedElementCount == shape.elementCount else {
      throw OperatorError(
        "a tensor of shape \(shape.shapeText), \(shape.elementCount) elements, does not fit the new shape \(wanted)."
      )
    }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    let wanted = try inputs.required(1, "shape").constant?.integers
    if let wanted, let shape = data.shape {
      return [OperandInfo(type: data.type, shape: try resolved(wanted, of: shape))]
    }
    // A shape without 0 and −1 says everything even where the input's is unknown.
    if let wanted, wanted.allSatisfy({ $0 > 0 }) { return [OperandInfo(type: data.type, shape: wanted)] }
    return [OperandInfo(type: data.type, shape: nil)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    return [data.reshaped(try resolved(inputs.required(1, "shape").integers, of: data.shape))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// A matrix of the axes before `axis` and those from it on.
///
/// - Source: ONNX Flatten-25.
package struct Flatten: ActivationOperator {
  package static let name = OperatorName("Flatten", since: 25)
  package var axis: Int

  package init(axis: Int = 1) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: 1) }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 1)
    return writer.attributes
  }

  package func resolved(_ shape: Shape) throws -> Shape {
    let split = axis < 0 ? axis + shape.count : axis
    guard split >= 0, split <= shape.count else {
      throw OperatorError("axis \(axis) is outside a tensor of rank \(shape.count).")
    }
    return [Array(shape[..<split]).elementCount, Array(shape[split...]).elementCount]
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    return [OperandInfo(type: x.type, shape: try x.shape.map(resolved))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    return [x.reshaped(try resolved(x.shape))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// The tensor without axes of size 1.
///
/// - Inputs: data; axes, int64, optional: all axes of size 1.
/// - Source: ONNX Squeeze-25.
package struct Squeeze: ActivationOperator {
  package static let name = OperatorName("Squeeze", since: 25)
  package static var upgrades: [Upgrade] { [.listsBecomeInputs(["axes": 1], before: 13)] }
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func resolved(_ shape: Shape, axes: [Int]?) throws -> Shape {
    guard let axes else { return shape.filter { $0 != 1 } }
    let gone = try shape.axes(axes)
    if let axis = gone.first(where: { shape[$0] != 1 }) {
      throw OperatorError("axis \(axis) of \(shape.shapeText) has size \(shape[axis]) (expected 1).")
    }
    return shape.indices.filter { !gone.contains($0) }.map { shape[$0] }
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    let axes = inputs.optional(1)
    guard let shape = data.shape, axes == nil || axes?.constant != nil else {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    return [OperandInfo(type: data.type, shape: try resolved(shape, axes: axes?.constant?.integers))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    return [data.reshaped(try resolved(data.shape, axes: inputs.optional(1)?.integers))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// The tensor with new axes of size 1.
///
/// - Inputs: data; axes, int64: where the new axes are in the result.
/// - Source: ONNX Unsqueeze-25.
package struct Unsqueeze: ActivationOperator {
  package static let name = OperatorName("Unsqueeze", since: 25)
  package static var upgrades: [Upgrade] { [.listsBecomeInputs(["axes": 1], before: 13)] }
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func resolved(_ shape: Shape, axes: [Int]) throws -> Shape {
    // The axes count in the result, so its rank is what they are checked against.
    let new = Set(try Shape(repeating: 1, count: shape.count + axes.count).axes(axes))
    var old = shape.makeIterator()
    return (0..<shape.count + axes.count).map { new.contains($0) ? 1 : old.next() ?? 1 }
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    guard let shape = data.shape, let axes = try inputs.required(1, "axes").constant?.integers else {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    return [OperandInfo(type: data.type, shape: try resolved(shape, axes: axes))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    return [data.reshaped(try resolved(data.shape, axes: inputs.required(1, "axes").integers))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// An operator that gives the elements of its first input another shape: so does its gradient, back.
package protocol ReshapingOperator: DifferentiableOperator {}

extension ReshapingOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    let gradient = try builder.reshape(site.upstreamOfFirst(), shape)
    return [gradient] + site.node.inputs.dropFirst().map { _ in nil }
  }
}

extension Reshape: ReshapingOperator {}
extension Flatten: ReshapingOperator {}
extension Squeeze: ReshapingOperator {}
extension Unsqueeze: ReshapingOperator {}
