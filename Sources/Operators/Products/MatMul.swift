import Graph
import Tensors

/// A · B, as NumPy's matmul: stacks of matrices broadcast, a vector is a row on the left and a column on the right.
///
/// - Inputs: A `[…, m, k]` or `[k]`; B `[…, k, n]` or `[k]`; numbers of one type.
/// - Output: Y `[…, m, n]`, without m or n where the operand was a vector.
package struct MatMul: PlainOperator {
  package static let name = OperatorName("MatMul", since: 13)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try a.require("A", \.isNumber, "a number type")
    try requireSameType(a.type, b.type)
    guard let x = a.shape, let y = b.shape else { return [OperandInfo(type: a.type, shape: nil)] }
    return [OperandInfo(type: a.type, shape: try shape(x, y))]
  }

  private func shape(_ a: Shape, _ b: Shape) throws -> Shape {
    guard !a.isEmpty, !b.isEmpty else { throw OperatorError("a scalar cannot be multiplied as a matrix") }
    var result = try stackShape(a.count == 1 ? [1] + a : a, b.count == 1 ? b + [1] : b)
    if b.count == 1 { result.removeLast() }
    if a.count == 1 { result.remove(at: result.count - (b.count == 1 ? 1 : 2)) }
    return result
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (a, b) = (try inputs.required(0, "A"), try inputs.required(1, "B"))
    try requireSameType(a.type, b.type)
    let shape = try shape(a.shape, b.shape)
    let product = try multiplyStacks(
      a.rank == 1 ? a.reshaped([1] + a.shape) : a, b.rank == 1 ? b.reshaped(b.shape + [1]) : b)
    return [product.reshaped(shape)]
  }
}

extension MatMul: WeightedOperator {
  /// A constant matrix on the right: `[features, channels]`.
  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
    guard inputs.count == 2, let a = inputs[0], let b = inputs[1], a.type == .float32, a.constant == nil,
      b.constant != nil, b.shape?.count == 2, a.shape?.count != 1
    else { return [] }
    return [WeightRole(input: 1, activation: 0, channelAxis: 1, featureAxis: 0)]
  }

  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    (outputs.first?.shape?.elementCount ?? 0) * (inputs.first.flatMap { $0?.shape?.last } ?? 0)
  }
}

extension MatMul: DifferentiableOperator {
  /// ∂A = G·Bᵀ and ∂B = Aᵀ·G, summed over what broadcasting repeated; one matrix on the right takes all rows at once.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (a, b) = (try site.input(0), try site.input(1))
    let (own, other) = (try builder.shape(a), try builder.shape(b))
    // A vector is a matrix of one row or column.
    let (aMatrix, bMatrix) = (own.count == 1 ? [1] + own : own, other.count == 1 ? other + [1] : other)
    let (x, y) = (try builder.reshape(a, aMatrix), try builder.reshape(b, bMatrix))
    let stack = broadcastShape(Shape(aMatrix.dropLast(2)), Shape(bMatrix.dropLast(2))) ?? []
    let (m, k, n) = (aMatrix[aMatrix.count - 2], aMatrix[aMatrix.count - 1], bMatrix[bMatrix.count - 1])
    let upstream = try builder.reshape(site.upstreamOfFirst(), stack + [m, n])
    var gradients: [ValueName?] = [nil, nil]
    if bMatrix.count == 2 {
      let rows = stack.elementCount * m
      let flat = try builder.reshape(upstream, [rows, n])
      if site.wants(0) {
        gradients[0] = try builder.reshape(builder.add(Gemm(transposesB: true), flat, y), own)
      }
      if site.wants(1) {
        gradients[1] = try builder.reshape(
          builder.add(Gemm(transposesA: true), builder.reshape(x, [rows, k]), flat), other)
      }
      return gradients
    }
    if site.wants(0) {
      let product = try builder.add(MatMul(), upstream, builder.transposeMatrices(y))
      gradients[0] = try builder.reshape(builder.sum(product, to: aMatrix), own)
    }
    if site.wants(1) {
      let product = try builder.add(MatMul(), builder.transposeMatrices(x), upstream)
      gradients[1] = try builder.reshape(builder.sum(product, to: bMatrix), other)
    }
    return gradients
  }
}
