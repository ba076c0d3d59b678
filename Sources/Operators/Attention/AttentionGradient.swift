import Graph
import Tensors

extension Attention: DifferentiableOperator {
  /// With P the softmax of the scores S: ∂v = Pᵀ · G, ∂S = P · (∂P − Σ ∂P · P) with ∂P = G · vᵀ, ∂q = ∂S · k,
  /// ∂k = ∂Sᵀ · q; the heads that share keys are rows of one matrix.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try site.requireFirstOnly()
    guard site.node.inputs.dropFirst(4).allSatisfy({ $0 == nil }) else {
      throw OperatorError("attention with a cache or with counts of keys has no gradient here")
    }
    let operands = try (0..<3).map { try site.input($0) }
    let shapes = try operands.map { try builder.shape($0) }
    let s = try sizes(q: shapes[0], k: shapes[1], v: shapes[2], past: nil)
    let perGroup = [s.batch, s.kvHeads, s.heads / s.kvHeads * s.length]
    let perHead = [s.batch, s.heads, s.length, s.total]
    let q = try builder.reshape(builder.unfolded(operands[0], heads: s.heads), perGroup + [s.size])
    let k = try builder.unfolded(operands[1], heads: s.kvHeads)
    let v = try builder.unfolded(operands[2], heads: s.kvHeads)
    let g = try builder.reshape(
      builder.unfolded(site.upstreamOfFirst(), heads: s.heads), perGroup + [s.valueSize])
    let factor = scale ?? 1 / Float(s.size).squareRoot()

    var scores = try builder.reshape(
      builder.product(builder.add(MatMul(), q, builder.transposeMatrices(k)), factor), perHead)
    var capped: ValueName?
    if softcap > 0 {
      let tanh = try builder.add(Tanh(), builder.product(scores, 1 / softcap))
      scores = try builder.product(tanh, softcap)
      capped = tanh
    }
    let weights = try visibleSoftmax(
      scores, mask: site.node.inputs.count > 3 ? site.node.inputs[3] : nil, s, &builder)
    let rows = try builder.reshape(weights, perGroup + [s.total])

    var gradients = [ValueName?](repeating: nil, count: site.node.inputs.count)
    if site.wants(2) {
      let ofV = try builder.add(MatMul(), builder.transposeMatrices(rows), g)
      gradients[2] = try builder.folded(ofV, to: shapes[2])
    }
    guard site.wants(0) || site.wants(1) || site.wants(3) else { return gradients }
    let ofWeights = try builder.reshape(
      builder.add(MatMul(), g, builder.transposeMatrices(v)), perHead)
    let sums = try builder.reduceSum(builder.product(ofWeights, weights), [3])
    var ofScores = try builder.product(weights, builder.difference(ofWeights, sums))
    if site.wants(3) { gradients[3] = try builder.sum(ofScores, to: builder.shape(site.input(3))) }
    if let capped {
      let through = try builder.product(builder.product(ofScores, capped), capped)
      ofScores = try builder.difference(ofScores, through)
    }
    let ofProducts = try builder.reshape(builder.product(ofScores, factor), perGroup + [s.total])
    if site.wants(0) {
      let ofQ = try builder.reshape(
        builder.add(MatMul(), ofProducts, k), [s.batch, s.heads, s.length, s.size])
      gradients[0] = try builder.folded(ofQ, to: shapes[0])
    }
    if site.wants(1) {
      let ofK = try builder.add(MatMul(), builder.transposeMatrices(ofProducts), q)
      gradients[1] = try builder.folded(ofK, to: shapes[1])
    }
    return gradients
  }

  /// The softmax of what the mask and the order of time leave visible; zeros for a query that sees nothing.
  private func visibleSoftmax(
    _ scores: ValueName, mask: ValueName?, _ sizes: Sizes, _ builder: inout GraphBuilder
  ) throws -> ValueName {
    // Finite, so that a query that sees nothing has no NaN.
    let hidden: Float = -1e30
    let type = builder.infos[scores]?.type ?? .float32
    var bias: ValueName?
    if let mask {
      guard let keys = try builder.shape(mask).last, keys == 1 || keys == sizes.total else {
        throw OperatorError("a mask of fewer keys than there are has no gradient here")
      }
      let lowest = builder.scalar(hidden, as: scores)
      bias =
        builder.infos[mask]?.type == .bool
        ? try builder.add(Where(), mask, builder.scalar(0, as: scores), lowest)
        : try builder.add(Max(), mask, lowest)
    }
    if isCausal {
      let future = (0..<sizes.length).flatMap { query in
        (0..<sizes.total).map { key in
          key > query || window > 0 && key <= query - window ? hidden : 0
        }
      }
      let causal = builder.constant(Tensor(floats: future, shape: [sizes.length, sizes.total], type: type))
      bias = try bias.map { try builder.sum($0, causal) } ?? causal
    }
    let softmax = try Softmax(attributes: [:])
    guard let bias else { return try builder.add(softmax, scores) }
    let weights = try builder.add(softmax, builder.sum(scores, bias))
    guard mask != nil else { return weights }
    let visible = try builder.add(Greater(), bias, builder.scalar(hidden / 2, as: scores))
    return try builder.product(weights, builder.add(Cast(to: type), visible))
  }
}

extension GraphBuilder {
  /// The operand as `[batch, heads, length, size]`, whatever its form.
  fileprivate mutating func unfolded(_ x: ValueName, heads: Int) throws -> ValueName {
    let shape = try shape(x)
    guard shape.count == 3 else { return x }
    return try transpose(reshape(x, [shape[0], shape[1], heads, shape[2] / heads]), [0, 2, 1, 3])
  }

  /// `[batch, heads, length, size]` in the form of an operand.
  fileprivate mutating func folded(_ x: ValueName, to shape: Shape) throws -> ValueName {
    shape.count == 3 ? try reshape(transpose(x, [0, 2, 1, 3]), shape) : x
  }
}
