import CKernels
import Graph
import Tensors

/// The gradient of a clamp: ∂loss/∂y where y lies between the bounds, 0 where it was clamped.
///
/// - Inputs: y, the clamp's output; g = ∂loss/∂y. Output: ∂loss/∂x.
package struct ClampGradient: Operator {
  package static let name = OperatorName("ClampGradient", domain: "lathe", since: 1)
  package let lower: Float
  package let upper: Float

  package init(lower: Float, upper: Float) {
    self.lower = lower
    self.upper = upper
  }
  package init(attributes: Attributes) throws {
    lower = try attributes.real("lower", default: -.infinity)
    upper = try attributes.real("upper", default: .infinity)
  }
  package var attributes: Attributes { ["lower": .float(lower), "upper": .float(upper)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferUpstream(inputs, "y")]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (y, g) = (try inputs.required(0, "y"), try inputs.required(1, "g"))
    // Compared as float32, in which a clamped float64 is a bound too.
    let result = zip(y.floats, g.doubles).map { $0 > lower && $0 < upper ? $1 : 0 }
    return [Tensor(result, shape: y.shape).converted(to: y.type)]
  }
}

extension ClampGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    let (kernels, lower, upper) = (site.kernels, lower, upper)
    return upstreamCall(site, label: "clamp gradient") {
      kernels.pointee.clamp_gradient_f32($0, $1, $2, lower, upper, $3)
    }
  }
}
