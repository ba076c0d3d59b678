import Graph
import Tensors

/// The tensor with its axes in another order: axis i of the result is axis `permutation[i]` of the input.
///
/// - Source: ONNX Transpose-25.
package struct Transpose: ActivationOperator {
  package static let name = OperatorName("Transpose", since: 25)
  /// `nil` reverses the axes.
  package var permutation: [Int]?

  package init(_ permutation: [Int]? = nil) { self.permutation = permutation }
  package init(attributes: Attributes) throws { permutation = try attributes.integersIfPresent("perm") }
  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.addIfPresent("perm", permutation)
    return writer.attributes
  }

  /// The permutation for a tensor of this rank.
  package func order(rank: Int) throws -> [Int] {
    guard let permutation else { return (0..<rank).reversed() }
    guard permutation.sorted() == Array(0..<rank) else {
      throw OperatorError("attribute \"perm\" is \(permutation) (expected an order of \(rank) axes).")
    }
    return permutation
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "data")
    return [
      OperandInfo(
        type: x.type, shape: try x.shape.map { shape in try order(rank: shape.count).map { shape[$0] } })
    ]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "data")
    return [x.permuted(try order(rank: x.rank))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

extension Tensor {
  /// Axis i of the result is axis `order[i]` of this tensor.
  package func permuted(_ order: [Int]) -> Tensor {
    let strides = shape.rowMajorStrides
    return gathering(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
  }
}

/// Moves channels into blocks of space.
///
/// - Input: `[batch, block² · channels, height, width]`. Output: `[batch, channels, height · block, width · block]`.
/// - Source: ONNX DepthToSpace-13.
package struct DepthToSpace: ActivationOperator {
  package static let name = OperatorName("DepthToSpace", since: 13)
  package var block: Int
  /// Whether the channel counts slowest (`CRD`) or fastest (`DCR`) in the input's channels.
  package var isChannelFirst: Bool

  package init(attributes: Attributes) throws {
    block = try attributes.integer("blocksize")
    isChannelFirst = try attributes.text("mode", among: ["DCR", "CRD"]) == "CRD"
    guard block > 0, block < 1 << 15 else {
      throw OperatorError("attribute \"blocksize\" is \(block) (expected 1 to 32767).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("blocksize", block)
    writer.add("mode", isChannelFirst ? "CRD" : "DCR", unless: "DCR")
    return writer.attributes
  }

  private func resolved(_ x: Shape) throws -> Shape {
    try expect(rank: 4, atMost: 4, of: x, "input")
    guard x[1] % (block * block) == 0 else {
      throw OperatorError("input has \(x[1]) channels (expected a multiple of \(block * block)).")
    }
    return try checked([x[0], x[1] / (block * block), x[2] * block, x[3] * block])
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    return [OperandInfo(type: x.type, shape: try x.shape.map(resolved))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    let shape = try resolved(x.shape)
    let (n, c, h, w) = (x.shape[0], shape[1], x.shape[2], x.shape[3])
    let moved =
      isChannelFirst
      ? x.reshaped([n, c, block, block, h, w]).permuted([0, 1, 4, 2, 5, 3])
      : x.reshaped([n, block, block, c, h, w]).permuted([0, 3, 4, 1, 5, 2])
    return [moved.reshaped(shape)]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// Moves blocks of space into channels, the block's position slowest.
///
/// - Source: ONNX SpaceToDepth-13.
package struct SpaceToDepth: ActivationOperator {
  package static let name = OperatorName("SpaceToDepth", since: 13)
  package var block: Int

  package init(attributes: Attributes) throws {
    block = try attributes.integer("blocksize")
    guard block > 0, block < 1 << 15 else {
      throw OperatorError("attribute \"blocksize\" is \(block) (expected 1 to 32767).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("blocksize", block)
    return writer.attributes
  }

  private func resolved(_ x: Shape) throws -> Shape {
    try expect(rank: 4, atMost: 4, of: x, "input")
    guard x[2] % block == 0, x[3] % block == 0 else {
      throw OperatorError("input is \(x[2]) by \(x[3]) (expected multiples of \(block)).")
    }
    return try checked([x[0], x[1] * block * block, x[2] / block, x[3] / block])
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    return [OperandInfo(type: x.type, shape: try x.shape.map(resolved))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    let shape = try resolved(x.shape)
    let (n, c) = (x.shape[0], x.shape[1])
    let moved = x.reshaped([n, c, shape[2], block, shape[3], block]).permuted([0, 3, 5, 1, 2, 4])
    return [moved.reshaped(shape)]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

extension Transpose: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let order = try order(rank: builder.shape(site.input(0)).count)
    var inverse = order
    for (new, old) in order.enumerated() { inverse[old] = new }
    return [try builder.transpose(site.upstreamOfFirst(), inverse)]
  }
}

extension DepthToSpace: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (shape, upstream) = (try builder.shape(site.input(0)), try site.upstreamOfFirst())
    let whole = try SpaceToDepth(attributes: ["blocksize": .int(block)])
    guard isChannelFirst else { return [try builder.add(whole, upstream)] }
    let (n, c, h, w) = (shape[0], shape[1] / (block * block), shape[2], shape[3])
    let blocks = try builder.reshape(upstream, [n, c, h, block, w, block])
    return [try builder.reshape(builder.transpose(blocks, [0, 1, 3, 5, 2, 4]), shape)]
  }
}

extension SpaceToDepth: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.add(DepthToSpace(attributes: ["blocksize": .int(block)]), site.upstreamOfFirst())]
  }
}
