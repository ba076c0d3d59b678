import Graph
import Tensors

/// Xʸ with broadcasting.
///
/// - Inputs: X, float or integer; Y, any number type. Output: type of X; an integer power with a negative or float
///   exponent is computed in `Double` and loses its fraction.
package struct Pow: PlainOperator {
  package static let name = OperatorName("Pow", since: 15)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (x, y) = (try inputs.required(0, "X"), try inputs.required(1, "Y"))
    try x.require("X", \.isNumber, "a number type")
    try y.require("Y", \.isNumber, "a number type")
    return [OperandInfo(type: x.type, shape: try broadcastShapes([x.shape, y.shape]))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let (x, y) = (try inputs.required(0, "X"), try inputs.required(1, "Y"))
    guard let shape = try broadcastShapes([x.shape, y.shape]) else { return [x] }
    let result: Tensor
    switch x.computing.type {
    case .float32:
      let base = x.computing
      switch y.count == 1 && shape == x.shape ? y.floats[0] : .nan {
      case 2: result = mapElements(base) { (x: Float) in x * x }
      case 0.5: result = mapElements(base) { (x: Float) in x.squareRoot() }
      default:
        result = mapPairs(base, y.converted(to: .float32), shape: shape) { (a: Float, b: Float) in
          Float.pow(a, b)
        }
      }
    case .float64:
      result = mapPairs(x, y.converted(to: .float64), shape: shape) { (a: Double, b: Double) in
        Double.pow(a, b)
      }
    default:
      if y.type.isInteger {
        result = mapPairs(x.converted(to: .int64), y.converted(to: .int64), shape: shape) {
          (a: Int64, b: Int64) in
          Self.power(a, b)
        }
      } else {
        result = mapPairs(x.converted(to: .float64), y.converted(to: .float64), shape: shape) {
          (a: Double, b: Double) in Double.pow(a, b)
        }
      }
    }
    return [result.converted(to: x.type)]
  }

  /// aᵇ, wrapping; 0 for a fraction.
  private static func power(_ a: Int64, _ b: Int64) -> Int64 {
    guard b >= 0 else { return Int64(clamping: Double.pow(Double(a), Double(b))) }
    var (result, base, exponent) = (Int64(1), a, b)
    while exponent > 0 {
      if exponent & 1 == 1 { result = result &* base }
      base = base &* base
      exponent >>= 1
    }
    return result
  }
}

extension Pow: DifferentiableOperator {
  /// ∂X = g · Y · X^(Y−1), ∂Y = g · Z · log X, which needs X > 0.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, z, upstream) = (try site.input(0), try site.output(), try site.upstreamOfFirst())
    guard let type = builder.infos[x]?.type, let exponent = builder.infos[try site.input(1)] else {
      throw OperatorError("the types of the operands are not known")
    }
    let y = try exponent.type == type ? site.input(1) : builder.add(Cast(to: type), site.input(1))
    var gradients: [ValueName?] = [nil, nil]
    if site.wants(0) {
      // A square is common, and costs no power.
      let slope =
        exponent.constant?.scalarFloat == 2
        ? try builder.product(x, 2) : try builder.product(builder.add(Pow(), x, builder.sum(y, -1)), y)
      gradients[0] = try builder.sum(builder.product(upstream, slope), to: builder.shape(x))
    }
    if site.wants(1) {
      guard exponent.type == type else { throw OperatorError("an exponent of another type has no gradient") }
      let terms = try builder.product(upstream, builder.product(z, builder.add(Log(), x)))
      gradients[1] = try builder.sum(terms, to: builder.shape(y))
    }
    return gradients
  }
}
