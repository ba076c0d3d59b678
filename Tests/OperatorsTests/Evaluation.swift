import Graph
import Operators
import Tensors

/// Numbers that are the same in every run.
struct SeededNumbers {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func uniform() -> Double { Double(next() >> 11) / 0x1p53 * 2 - 1 }

  /// A float64 tensor with elements in −1…1, so that identities hold to rounding in double.
  mutating func tensor(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.elementCount).map { _ in uniform() }, shape: shape)
  }

  mutating func integers(_ shape: Shape, _ range: ClosedRange<Int>, type: ElementType) -> Tensor {
    let count = UInt64(range.count)
    return Tensor(
      integers: (0..<shape.elementCount).map { _ in range.lowerBound + Int(next() % count) }, shape: shape,
      type: type)
  }
}

struct NoSubgraphs: Error {}

extension Operator {
  /// Evaluates alone, and checks that inference with and without constants agrees with what comes out.
  func outputs(_ inputs: [Tensor?], count: Int = 1) throws -> [Tensor] {
    let results = try evaluate(
      inputs, outputs: count, context: EvaluationContext { _, _, _ in throw NoSubgraphs() })
    for knowsConstants in [true, false] {
      let infos = inputs.map { input in
        input.map { OperandInfo(type: $0.type, shape: $0.shape, constant: knowsConstants ? $0 : nil) }
      }
      for (info, result) in zip(try infer(infos, outputs: count), results) {
        guard info.type == result.type, info.shape ?? result.shape == result.shape else {
          throw OperatorError(
            "inferred \(info.type.name) \(info.shape?.shapeText ?? "?"), is \(result.type.name) \(result.shape.shapeText)"
          )
        }
      }
    }
    return results
  }

  func output(_ inputs: Tensor?...) throws -> Tensor { try outputs(inputs)[0] }
}

extension Attributes {
  /// A text that is equal for equal attributes.
  var text: String { sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
}

/// Largest absolute difference of two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return zip(a.doubles, b.doubles).map { abs($0 - $1) }.max() ?? 0
}

/// Applies an operator's upgrades to a node of an older opset, as a reader does.
func upgraded(
  _ declaration: any Operator.Type, _ node: RawNode, opset: Int
) throws -> (node: RawNode, constants: [ValueName: Tensor]) {
  var node = node
  var rewrite = RawRewrite(freshName: "new.", constant: { _ in nil }, rank: { _ in nil })
  var reached = opset
  while let next = declaration.upgrades.first(where: { $0.before > reached }) {
    try next.apply(&node, &rewrite)
    reached = next.before
  }
  return (node, rewrite.constants)
}
