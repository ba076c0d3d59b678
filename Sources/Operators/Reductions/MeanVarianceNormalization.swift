import Graph
import Tensors

/// (x − mean) / deviation over some axes, with 1e-9 added to the deviation.
///
/// - Input: X, float. Output: Y, as X. Source: the function body of MeanVarianceNormalization-13.
package struct MeanVarianceNormalization: Operator {
  package static let name = OperatorName("MeanVarianceNormalization", since: 13)
  package let axes: [Int]

  package init(attributes: Attributes) throws {
    axes = try attributes.integersIfPresent("axes") ?? [0, 2, 3]
  }
  package var attributes: Attributes { ["axes": .ints(axes)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isReal, "a float type")
    if let shape = x.shape { for axis in axes { _ = try shape.axis(axis) } }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    let wide = x.converted(to: .float64)
    let over = Tensor(integers: axes, shape: [axes.count])
    let mean = ReduceMean(options: try ReductionOptions([:]))
    func average(_ tensor: Tensor) throws -> Tensor {
      try mean.evaluate([tensor, over], outputs: 1, context: context)[0]
    }
    let centre = try average(wide)
    let variance = try Sub().evaluate(
      average(try Mul().evaluate(wide, wide)), try Mul().evaluate(centre, centre))
    let deviation = mapElements(variance) { (v: Double) in max(v, 0).squareRoot() + 1e-9 }
    return [try Div().evaluate(try Sub().evaluate(wide, centre), deviation).converted(to: x.type)]
  }
}
