import Graph
import Tensors

/// Turns pairs of features by angles that depend on the position of a token.
///
/// - Inputs: x `[batch, heads, length, size]` or `[batch, length, heads · size]`; cosines and sines
///   `[positions, rotated / 2]` with positions int64 `[batch, length]`, or `[batch, length, rotated / 2]` without.
/// - Output: like x; of each head the first `rotated` features (all, where 0) are turned: pair (a, b) becomes
///   (a · cos − b · sin, a · sin + b · cos). Pairs are neighbours when `isInterleaved`, else the two halves.
/// - Source: ONNX RotaryEmbedding-23.
package struct RotaryEmbedding: Operator {
  package static let name = OperatorName("RotaryEmbedding", since: 23)
  package var isInterleaved: Bool
  package var rotated: Int
  package var heads: Int?

  package init(isInterleaved: Bool = false, rotated: Int = 0, heads: Int? = nil) {
    self.isInterleaved = isInterleaved
    self.rotated = rotated
    self.heads = heads
  }

  package init(attributes: Attributes) throws {
    isInterleaved = try attributes.isSet("interleaved")
    rotated = try attributes.integer("rotary_embedding_dim", default: 0)
    heads = try attributes.integerIfPresent("num_heads")
    guard rotated >= 0, rotated % 2 == 0 else {
      throw OperatorError("attribute \"rotary_embedding_dim\" is \(rotated) (expected an even number).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("interleaved", isInterleaved)
    writer.add("rotary_embedding_dim", rotated, unless: 0)
    writer.addIfPresent("num_heads", heads)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try expect(x.type, in: realTypes, "x")
    if let shape = x.shape { _ = try resolved(shape) }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  /// Heads, length and features of a head.
  func resolved(_ x: Shape) throws -> (heads: Int, length: Int, size: Int) {
    try expect(rank: 3, atMost: 4, of: x, "x")
    if x.count == 4 { return (x[1], x[2], x[3]) }
    guard let heads, heads > 0, x[2] % heads == 0 else {
      throw OperatorError("x of rank 3 needs num_heads that divides \(x[2]) (found \(heads ?? 0)).")
    }
    return (heads, x[1], x[2] / heads)
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let (heads, length, size) = try resolved(x.shape)
    let turned = rotated == 0 ? size : rotated
    var cosines = try inputs.required(1, "cos_cache")
    var sines = try inputs.required(2, "sin_cache")
    let wanted = [x.shape[0], length, turned / 2]
    if let positions = inputs.optional(3) {
      let gather = Gather()
      cosines = try gather.evaluate([cosines, positions], outputs: 1, context: context)[0]
      sines = try gather.evaluate([sines, positions], outputs: 1, context: context)[0]
    }
    guard turned <= size, turned % 2 == 0, cosines.shape == wanted, sines.shape == wanted else {
      throw OperatorError(
        "cosines have shape \(cosines.shape.shapeText) and sines \(sines.shape.shapeText) (expected "
          + "\(wanted.shapeText)).")
    }
    return [
      try x.type.dispatchReal(
        Run(
          x: x, cosines: cosines, sines: sines, heads: heads, length: length, size: size, turned: turned,
          isInterleaved: isInterleaved))
    ]
  }

  private struct Run: RealVisitor {
    let x: Tensor
    let cosines: Tensor
    let sines: Tensor
    let heads: Int
    let length: Int
    let size: Int
    let turned: Int
    let isInterleaved: Bool

    func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
      var values = T.elements(of: x)
      let cosines = T.elements(of: cosines)
      let sines = T.elements(of: sines)
      let half = turned / 2
      let step = isInterleaved ? 2 : 1
      let distance = isInterleaved ? 1 : half
      for b in 0..<x.shape[0] {
        for h in 0..<heads {
          for t in 0..<length {
            let start =
              (x.rank == 4 ? (b * heads + h) * length + t : (b * length + t) * heads + h) * size
            let angle = (b * length + t) * half
            for i in 0..<half {
              let (first, second) = (start + i * step, start + i * step + distance)
              let (c, s) = (cosines[angle + i], sines[angle + i])
              let (a, d) = (values[first], values[second])
              values[first] = a * c - d * s
              values[second] = a * s + d * c
            }
          }
        }
      }
      return T.tensor(values, shape: x.shape, type: x.type)
    }
  }
}

extension RotaryEmbedding: DifferentiableOperator {
  /// The same turn back.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try site.requireUnwanted(1..<3, "an angle")
    var inputs = site.node.inputs
    inputs[0] = try site.upstreamOfFirst()
    inputs[2] = try builder.negative(site.input(2))
    return site.ofFirst(try builder.add(self, inputs, outputs: 1)[0])
  }
}
