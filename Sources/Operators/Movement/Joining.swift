import Graph
import Tensors

/// Tensors one after another along an axis.
///
/// - Inputs: one or more tensors of one type whose shapes agree but for `axis`.
/// - Source: ONNX Concat-13.
package struct Concat: ActivationOperator {
  package static let name = OperatorName("Concat", since: 13)
  package var axis: Int

  package init(axis: Int) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis") }
  package var attributes: Attributes { ["axis": .int(axis)] }

  private func resolved(_ shapes: [Shape]) throws -> (shape: Shape, axis: Int) {
    let along = try shapes[0].axis(axis)
    var result = shapes[0]
    for (index, shape) in shapes.enumerated().dropFirst() {
      var fitting = shape
      if shape.count == result.count { fitting[along] = result[along] }
      guard fitting == result else {
        throw OperatorError(
          "input \(index) has shape \(shape.shapeText), input 0 \(shapes[0].shapeText): they differ beside axis \(along)."
        )
      }
      result[along] += shape[along]
    }
    return (try checked(result), along)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let operands = try inputs.indices.map { try inputs.required($0, "input \($0)") }
    guard let first = operands.first else { throw OperatorError("there is nothing to join.") }
    if let other = operands.first(where: { $0.type != first.type }) {
      throw OperatorError("inputs are \(first.type.name) and \(other.type.name) (expected one type).")
    }
    let shapes = operands.compactMap(\.shape)
    guard shapes.count == operands.count else { return [OperandInfo(type: first.type, shape: nil)] }
    return [OperandInfo(type: first.type, shape: try resolved(shapes).shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let tensors = try inputs.indices.map { try inputs.required($0, "input \($0)") }
    guard let first = tensors.first else { throw OperatorError("there is nothing to join.") }
    guard tensors.allSatisfy({ $0.type == first.type }) else {
      throw OperatorError("the inputs have different types.")
    }
    let (shape, along) = try resolved(tensors.map(\.shape))
    return [Tensor.joined(tensors, shape: shape, axis: along)]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .ownOutput }
}

extension Tensor {
  /// Tensors of one type one after another along `axis`; `shape` is the result's.
  static func joined(_ tensors: [Tensor], shape: Shape, axis: Int) -> Tensor {
    let words = tensors.map(\.words)
    let outer = Array(shape[..<axis]).elementCount
    let size = words[0].type.bits / 8
    let row = Array(shape[axis...]).elementCount * size
    let result = Tensor(shape: shape, type: words[0].type) { out in
      var column = 0
      for tensor in words {
        let part = outer == 0 ? 0 : tensor.byteCount / outer
        tensor.withBytes { bytes in
          guard part > 0 else { return }
          for i in 0..<outer {
            UnsafeMutableRawBufferPointer(rebasing: out[i * row + column..<i * row + column + part])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[i * part..<(i + 1) * part]))
          }
        }
        column += part
      }
    }
    return Tensor(words: result, type: tensors[0].type)
  }

  /// `count` indices from `start` on along `axis`.
  func slice(axis: Int, start: Int, count: Int) -> Tensor {
    var part = shape
    part[axis] = count
    let strides = shape.rowMajorStrides
    return gathering(shape: part, strides: strides, offset: start * strides[axis])
  }
}

/// A tensor in parts along an axis.
///
/// - Inputs: data; sizes of the parts, int64, optional: `parts` equal ones, the last shorter where they do not divide.
/// - Source: ONNX Split-18.
package struct Split: ActivationOperator {
  package static let name = OperatorName("Split", since: 18)
  package static var upgrades: [Upgrade] {
    [
      .listsBecomeInputs(["split": 1], before: 13),
      .before(18) { node, _ in
        if node.input(1) == nil { node.attributes["num_outputs"] = .int(node.outputs.count) }
      },
    ]
  }
  package var axis: Int
  package var parts: Int?

  package init(axis: Int = 0, parts: Int? = nil) {
    self.axis = axis
    self.parts = parts
  }

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: 0)
    parts = try attributes.integerIfPresent("num_outputs")
    if let parts, parts < 1 {
      throw OperatorError("attribute \"num_outputs\" is \(parts) (expected at least 1).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 0)
    writer.addIfPresent("num_outputs", parts)
    return writer.attributes
  }

  private func resolved(_ shape: Shape, sizes: [Int]?, outputs: Int) throws -> (sizes: [Int], axis: Int) {
    let along = try shape.axis(axis)
    let total = shape[along]
    if let sizes {
      guard sizes.allSatisfy({ $0 >= 0 && $0 <= total }), sizes.reduce(0, +) == total, sizes.count >= outputs
      else {
        throw OperatorError("the parts \(sizes) do not make up axis \(along) of \(shape.shapeText).")
      }
      return (sizes, along)
    }
    let count = parts ?? outputs
    guard count >= outputs, count <= Swift.max(total, outputs) else {
      throw OperatorError("axis \(along) of \(shape.shapeText) does not make \(count) parts.")
    }
    let each = (total + count - 1) / count
    return ((0..<count).map { Swift.max(0, Swift.min(each, total - $0 * each)) }, along)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "input")
    let sizes = inputs.optional(1)
    guard let shape = data.shape, sizes == nil || sizes?.constant != nil else {
      return [OperandInfo](repeating: OperandInfo(type: data.type, shape: nil), count: outputs)
    }
    let (parts, along) = try resolved(shape, sizes: sizes?.constant?.integers, outputs: outputs)
    return parts.prefix(outputs).map { size in
      var part = shape
      part[along] = size
      return OperandInfo(type: data.type, shape: part)
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "input")
    let (parts, along) = try resolved(data.shape, sizes: inputs.optional(1)?.integers, outputs: outputs)
    var start = 0
    return parts.prefix(outputs).map { size in
      defer { start += size }
      return data.slice(axis: along, start: start, count: size)
    }
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

extension Concat: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try site.upstreamOfFirst()
    let along = try builder.shape(upstream).axis(axis)
    let sizes = try site.node.inputs.indices.map { try builder.shape(site.input($0))[along] }
    let parts = try builder.add(
      Split(axis: along), [upstream, builder.integers(sizes)], outputs: sizes.count)
    return site.only(parts)
  }
}

extension Split: DifferentiableOperator {
  /// The parts' gradients joined, with zeros for parts that the loss does not depend on.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let x = try site.input(0)
    let shape = try builder.shape(x)
    let along = try shape.axis(axis)
    let sizes = try resolved(
      shape, sizes: site.constant(1, "split", builder)?.integers, outputs: site.node.outputs.count
    ).sizes
    let parts = try sizes.enumerated().map { index, size in
      if site.upstream.indices.contains(index), let upstream = site.upstream[index] { return upstream }
      var part = shape
      part[along] = size
      return try builder.zeros(part, as: x)
    }
    return site.ofFirst(try builder.add(Concat(axis: along), parts, outputs: 1)[0])
  }
}
