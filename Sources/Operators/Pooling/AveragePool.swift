import Graph
import Tensors

/// The mean of each window.
///
/// - Input: x `[batch, channels, spatial…]`, one to three spatial axes.
/// - Output: `[batch, channels, spatial′…]`; padding counts as zeros with `includesPadding` and not at all without.
/// - Source: ONNX AveragePool-22.
package struct AveragePool: ActivationOperator {
  package static let name = OperatorName("AveragePool", since: 22)

  package var window: WindowAttributes
  /// The last window may reach beyond the padding.
  package var roundUp: Bool
  package var includesPadding: Bool

  package init(window: WindowAttributes, roundUp: Bool = false, includesPadding: Bool = false) {
    self.window = window
    self.roundUp = roundUp
    self.includesPadding = includesPadding
  }

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes, needsKernel: true)
    roundUp = try attributes.isSet("ceil_mode")
    includesPadding = try attributes.isSet("count_include_pad")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("ceil_mode", roundUp)
    writer.add("count_include_pad", includesPadding)
    return writer.attributes
  }

  package func geometry(x: Shape) throws -> WindowGeometry {
    try PoolingSizes(x, window, roundUp: roundUp).window
  }

  /// The divisor of each output position, row-major over the spatial axes.
  package func divisors(x: Shape) throws -> [Int] {
    try PoolingSizes(x, window, roundUp: roundUp).counts(includesPadding: includesPadding)
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs) { try PoolingSizes($0, window, roundUp: roundUp).shape }]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let sizes = try PoolingSizes(x.shape, window, roundUp: roundUp)
    return [
      try x.type.dispatchReal(
        Run(x: x, sizes: sizes, divisors: sizes.counts(includesPadding: includesPadding)))
    ]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .ownOutput }

  private struct Run: RealVisitor {
    let x: Tensor
    let sizes: PoolingSizes
    let divisors: [Int]

    func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
      let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
        Tensor(of: T.self, shape: sizes.shape) { y in
          sizes.combine(x, into: y) { $0 + $1 }
          let plane = divisors.count
          for p in 0..<sizes.planes {
            for i in 0..<plane { y[p * plane + i] /= T(divisors[i]) }
          }
        }
      }
      return y.converted(to: x.type)
    }
  }
}

extension AveragePool: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let op = AveragePoolGradient(self, shape: try builder.shape(site.input(0)))
    return [try builder.add(op, site.upstreamOfFirst())]
  }
}
