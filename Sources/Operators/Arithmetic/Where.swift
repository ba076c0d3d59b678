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
    let (c, s, t) = (steps[0], steps[1], steps[2])
    return condition.withElements(of: Bool.self) { condition in
      x.withElements(of: W.self) { x in
        y.withElements(of: W.self) { y in
          Tensor(of: W.self, shape: shape) { out in
            loop.forEachRow { position, offsets in
              let (i, j, k) = (offsets[0], offsets[1], offsets[2])
              for e in 0..<n { out[position + e] = condition[i + e * c] ? x[j + e * s] : y[k + e * t] }
            }
          }
        }
      }
    }
  }
}
