import Graph
import Tensors

/// The p-norm of each window: (Σ |x|^p)^(1/p).
///
/// - Input: x `[batch, channels, spatial…]`, one to three spatial axes.
/// - Output: `[batch, channels, spatial′…]`.
/// - Source: ONNX LpPool-22.
package struct LpPool: Operator {
  package static let name = OperatorName("LpPool", since: 22)

  package var window: WindowAttributes
  package var roundUp: Bool
  package var power: Int

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes, needsKernel: true)
    roundUp = try attributes.isSet("ceil_mode")
    power = try attributes.integer("p", default: 2)
    guard power > 0 else { throw OperatorError("attribute \"p\" is \(power) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("ceil_mode", roundUp)
    writer.add("p", power, unless: 2)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs) { try PoolingSizes($0, window, roundUp: roundUp).shape }]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let sizes = try PoolingSizes(x.shape, window, roundUp: roundUp)
    return [try x.type.dispatchReal(LpRun(x: x, sizes: sizes, power: power))]
  }
}

/// The p-norm of all spatial elements of each channel.
///
/// - Source: ONNX GlobalLpPool-22.
package struct GlobalLpPool: Operator {
  package static let name = OperatorName("GlobalLpPool", since: 22)
  package var power: Int

  package init(attributes: Attributes) throws {
    power = try attributes.integer("p", default: 2)
    guard power > 0 else { throw OperatorError("attribute \"p\" is \(power) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("p", power, unless: 2)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs, globalPoolingShape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let flat = try flattenedImage(x)
    let sizes = try PoolingSizes(flat.shape, WindowAttributes(), roundUp: false)
    let y = try x.type.dispatchReal(LpRun(x: flat, sizes: sizes, power: power))
    return [y.reshaped(try globalPoolingShape(x.shape))]
  }
}

private struct LpRun: RealVisitor {
  let x: Tensor
  let sizes: PoolingSizes
  let power: Int

  func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
    let p = T(power)
    let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
      Tensor(of: T.self, shape: sizes.shape) { y in
        switch power {
        case 1: sizes.combine(x, into: y) { $0 + $1.magnitude }
        case 2: sizes.combine(x, into: y) { $0 + $1 * $1 }
        default: sizes.combine(x, into: y) { $0 + T.pow($1.magnitude, p) }
        }
        for i in y.indices { y[i] = power == 2 ? y[i].squareRoot() : T.pow(y[i], 1 / p) }
      }
    }
    return y.converted(to: x.type)
  }
}

extension LpPool: DifferentiableOperator {
  /// ∂x = |x|^(p−1) · sign(x) · Σ g · y^(1−p), the sum over the windows that hold x; 0 where a norm is 0.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let x = try site.input(0)
    let shape = try builder.shape(x)
    let share = try normShare(site.upstreamOfFirst(), of: site.output(), power, &builder)
    // Every tap of a mean's window has an equal share, which the number of taps takes back.
    let pool = AveragePool(window: window, roundUp: roundUp, includesPadding: true)
    let spatial = Array(try builder.shape(site.output()).dropFirst(2))
    let taps = builder.constant(
      Tensor(
        floats: try pool.divisors(x: shape).map { Float($0) }, shape: spatial,
        type: builder.infos[x]?.type ?? .float32))
    let sums = try builder.add(
      AveragePoolGradient(pool, shape: shape), builder.product(share, taps))
    return [try builder.product(sums, slope(x, power, &builder))]
  }
}

extension GlobalLpPool: DifferentiableOperator {
  /// That of one window.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let x = try site.input(0)
    let share = try normShare(site.upstreamOfFirst(), of: site.output(), power, &builder)
    return [try builder.product(slope(x, power, &builder), share)]
  }
}

/// g · y^(1−p), 0 where y is 0.
private func normShare(
  _ upstream: ValueName, of y: ValueName, _ power: Int, _ builder: inout GraphBuilder
) throws -> ValueName {
  guard power > 1 else { return upstream }
  let inverse = try builder.inverseOfNorm(y)
  guard power > 2 else { return try builder.product(upstream, inverse) }
  return try builder.product(
    upstream, builder.add(Pow(), inverse, builder.scalar(Float(power - 1), as: y)))
}

/// |x|^(p−1) · sign(x).
private func slope(_ x: ValueName, _ power: Int, _ builder: inout GraphBuilder) throws -> ValueName {
  switch power {
  case 1: return try builder.add(Sign(), x)
  case 2: return x
  default:
    let size = try builder.add(Pow(), builder.add(Abs(), x), builder.scalar(Float(power - 2), as: x))
    return try builder.product(x, size)
  }
}
