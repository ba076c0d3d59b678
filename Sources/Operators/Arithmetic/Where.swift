import Graph
import Tensors

/// X where the condition holds, else Y, with broadcasting.
///
/// - Inputs: condition, bool; X, Y, any one type. Output: that type, the shape all three broadcast to.
package struct Where: PlainOperator {
  package static let name = OperatorName("Where", since: 9)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let condition = try inputs.required(0, "condition")
    let (x, y) = (try inputs.required(1, "X"), try inputs.required(2, "Y"))
    try condition.require("condition", { $0 == .bool }, "bool")
    try requireSameType(x.type, y.type)
    return [OperandInfo(type: x.type, shape: try broadcastShapes([condition.shape, x.shape, y.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let condition = try inputs.required(0, "condition")
    let (x, y) = (try inputs.required(1, "X"), try inputs.required(2, "Y"))
    try requireSameType(x.type, y.type)
    guard let shape = try broadcastShapes([condition.shape, x.shape, y.shape]) else { return [x] }
    let words = x.words.type.dispatchWord(Choose(condition: condition, x: x.words, y: y.words, shape: shape))
    return [Tensor(words: words, type: x.type)]
  }
}

private struct Choose: WordVisitor {
  let condition, x, y: Tensor
  let shape: Shape

  func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
    let loop = StridedLoop(
      shape: shape, strides: [condition, x, y].map { $0.shape.broadcastStrides(to: shape) })
    let (n, steps) = (loop.innerCount, loop.innerStrides)
    return condition.withElements(of: Bool.self) { condition in
      x.withElements(of: W.self) { x in
        y.withElements(of: W.self) { y in
          Tensor(of: W.self, shape: shape) { out in
            guard let condition = condition.baseAddress, let x = x.baseAddress, let y = y.baseAddress,
              let out = out.baseAddress
            else { return }
            loop.forEachRow { position, offsets in
              chooseRow(
                condition + offsets[0], x + offsets[1], y + offsets[2], out + position, n,
                (steps[0], steps[1], steps[2]))
            }
          }
        }
      }
    }
  }
}

private func chooseRow<W: ElementWord>(
  _ condition: UnsafePointer<Bool>, _ x: UnsafePointer<W>, _ y: UnsafePointer<W>,
  _ out: UnsafeMutablePointer<W>,
  _ n: Int, _ steps: (Int, Int, Int)
) {
  if steps == (1, 1, 1) {
    // By masks, so that the loop has no branch.
    for i in 0..<n { out[i] = y[i] ^ ((x[i] ^ y[i]) & (0 &- (condition[i] ? 1 : 0))) }
  } else {
    for i in 0..<n { out[i] = condition[i &* steps.0] ? x[i &* steps.1] : y[i &* steps.2] }
  }
}

extension Where: DifferentiableOperator {
  /// g where the condition chose the operand, 0 elsewhere.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (condition, upstream) = (try site.input(0), try site.upstreamOfFirst())
    let zero = builder.scalar(0, as: upstream)
    return [
      nil,
      site.wants(1)
        ? try builder.sum(
          builder.add(Where(), condition, upstream, zero), to: builder.shape(site.input(1))) : nil,
      site.wants(2)
        ? try builder.sum(
          builder.add(Where(), condition, zero, upstream), to: builder.shape(site.input(2))) : nil,
    ]
  }
}
