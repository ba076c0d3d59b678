import Graph
import Tensors

/// Its input, which learns nothing through it.
///
/// - Input: x. Output: x.
package struct StopGradient: Operator, DifferentiableOperator {
  package static let name = OperatorName("StopGradient", domain: "lathe", since: 1)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [try inputs.required(0, "x")]
  }

  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] { [nil] }
}

extension StopGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0) else { return nil }
    return .alias(0, x.decoded(x.layout), as: Form(.plain, x.layout))
  }
}
