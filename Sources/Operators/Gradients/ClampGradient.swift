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
    let y = try inputs.required(0, "y")
    let g = try inputs.required(1, "g")
    try y.require("y", \.isReal, "a float type")
    try requireSameType(y.type, g.type)
    if let a = y.shape, let b = g.shape, a != b {
      throw OperatorError("y has shape \(a.shapeText) and g \(b.shapeText), expected one shape")
    }
    return [OperandInfo(type: y.type, shape: y.shape ?? g.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (y, g) = (try inputs.required(0, "y"), try inputs.required(1, "g"))
    let (low, high) = (Double(lower), Double(upper))
    let result = zip(y.doubles, g.doubles).map { $0 > low && $0 < high ? $1 : 0 }
    return [Tensor(result, shape: y.shape).converted(to: y.type)]
  }
}

extension ClampGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let y = site.input(0), let g = site.input(1), y.info.type == .float32, let count = y.info.count
    else { return nil }
    let (kernels, lower, upper) = (site.kernels, lower, upper)
    // Whatever order the upstream lies in, both are read in it.
    var call = KernelCall(
      "clamp gradient",
      reads: [
        KernelCall.Read(.input(0), y.decoded(y.layout)), KernelCall.Read(.input(1), g.decoded(y.layout)),
      ],
      writes: [Form(.plain, y.layout)], inPlace: 1
    ) { memory in
      let (y, g) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      let to = memory.writes[0].of(Float.self)
      return [
        Phase.over(count, grain: elementGrain) { start, end in
          kernels.pointee.clamp_gradient_f32(y + start, g + start, end - start, lower, upper, to + start)
        }
      ]
    }
    call.elements = count
    return call
  }
}
