import Graph
import Tensors

// Functions of one element without attributes, one row each.

/// The square root.
package struct Sqrt: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Sqrt", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x.squareRoot() }
}

/// eˣ.
package struct Exp: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Exp", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.exp(x) }
}

/// The natural logarithm.
package struct Log: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Log", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.log(x) }
}

/// 1 / x.
package struct Reciprocal: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Reciprocal", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { 1 / x }
}

/// The hyperbolic tangent.
package struct Tanh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Tanh", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.tanh(x) }
}

/// 1 / (1 + e⁻ˣ).
package struct Sigmoid: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Sigmoid", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { 1 / (1 + T.exp(-x)) }
}

/// x · clamp(x / 6 + ½, 0, 1).
package struct HardSwish: UnaryFunction, PlainOperator {
  package static let name = OperatorName("HardSwish", since: 14)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x * max(0, min(1, x / 6 + 0.5)) }
}

/// log(1 + eˣ), in a form that does not overflow.
package struct Softplus: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Softplus", since: 1)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { max(x, 0) + T.log1p(T.exp(-x.magnitude)) }
}

/// x / (1 + |x|).
package struct Softsign: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Softsign", since: 1)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x / (1 + x.magnitude) }
}

/// x · tanh(softplus(x)).
package struct Mish: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Mish", since: 18)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x * T.tanh(max(x, 0) + T.log1p(T.exp(-x.magnitude))) }
}

/// The error function.
package struct Erf: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Erf", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.erf(x) }
}

/// The sine.
package struct Sin: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Sin", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.sin(x) }
}

/// The cosine.
package struct Cos: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Cos", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.cos(x) }
}

/// The tangent.
package struct Tan: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Tan", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.tan(x) }
}

/// The inverse sine.
package struct Asin: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Asin", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.asin(x) }
}

/// The inverse cosine.
package struct Acos: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Acos", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.acos(x) }
}

/// The inverse tangent.
package struct Atan: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Atan", since: 7)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.atan(x) }
}

/// The hyperbolic sine.
package struct Sinh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Sinh", since: 9)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.sinh(x) }
}

/// The hyperbolic cosine.
package struct Cosh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Cosh", since: 9)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.cosh(x) }
}

/// The inverse hyperbolic sine.
package struct Asinh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Asinh", since: 9)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.asinh(x) }
}

/// The inverse hyperbolic cosine.
package struct Acosh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Acosh", since: 9)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.acosh(x) }
}

/// The inverse hyperbolic tangent.
package struct Atanh: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Atanh", since: 9)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { T.atanh(x) }
}

/// The integer above.
package struct Ceil: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Ceil", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x.rounded(.up) }
}

/// The integer below.
package struct Floor: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Floor", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x.rounded(.down) }
}

/// The nearest integer, halves to even.
package struct Round: UnaryFunction, PlainOperator {
  package static let name = OperatorName("Round", since: 11)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x.rounded(.toNearestOrEven) }
}

// Functions that also take integers.

/// |x|; the lowest integer stays as it is.
package struct Abs: NumberFunction, PlainOperator {
  package static let name = OperatorName("Abs", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x.magnitude }
  package func value<T: IntegerElement>(_ x: T) -> T { T(truncatingIfNeeded: x.magnitude) }
}

/// −x; wraps at the lowest integer.
package struct Neg: NumberFunction, PlainOperator {
  package static let name = OperatorName("Neg", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { -x }
  package func value<T: IntegerElement>(_ x: T) -> T { 0 &- x }
}

/// max(x, 0).
package struct Relu: NumberFunction, PlainOperator {
  package static let name = OperatorName("Relu", since: 14)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x > 0 || x.isNaN ? x : 0 }
  package func value<T: IntegerElement>(_ x: T) -> T { max(x, 0) }
}

/// −1, 0 or 1.
package struct Sign: NumberFunction, PlainOperator {
  package static let name = OperatorName("Sign", since: 13)
  package init() {}
  package func value<T: RealElement>(_ x: T) -> T { x > 0 ? 1 : (x < 0 ? -1 : x) }
  package func value<T: IntegerElement>(_ x: T) -> T { x.signum() }
}

extension Relu: ActivationOperator {
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .clamp(lower: 0, upper: .infinity) }
}

extension Relu: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.add(ClampGradient(lower: 0, upper: .infinity), site.output(), site.upstreamOfFirst())]
  }
}

extension Sqrt: DifferentiableOperator {
  /// ∂x = g / 2y.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    return [try builder.quotient(builder.product(upstream, 0.5), y)]
  }
}

extension Exp: DifferentiableOperator {
  /// ∂x = g · y.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.product(site.upstreamOfFirst(), site.output())]
  }
}

extension Log: DifferentiableOperator {
  /// ∂x = g / x.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.quotient(site.upstreamOfFirst(), site.input(0))]
  }
}

extension Reciprocal: DifferentiableOperator {
  /// ∂x = −g · y².
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    return [try builder.negative(builder.product(builder.product(upstream, y), y))]
  }
}

extension Tanh: DifferentiableOperator {
  /// ∂x = g − g · y · y.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    let product = try builder.product(builder.product(upstream, y), y)
    return [try builder.difference(upstream, product)]
  }
}

extension Sigmoid: DifferentiableOperator {
  /// ∂x = g · y − g · y · y.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    let product = try builder.product(upstream, y)
    return [try builder.difference(product, builder.product(product, y))]
  }
}

extension Softplus: DifferentiableOperator {
  /// ∂x = g · sigmoid(x).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    return [try builder.product(upstream, builder.add(Sigmoid(), x))]
  }
}

extension Erf: DifferentiableOperator {
  /// ∂x = g · 2/√π · e^(−x²).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    let power = try builder.add(Exp(), builder.negative(builder.product(x, x)))
    return [try builder.product(upstream, builder.product(power, 1.1283791670955126))]
  }
}

extension Sin: DifferentiableOperator {
  /// ∂x = g · cos x.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    return [try builder.product(upstream, builder.add(Cos(), x))]
  }
}

extension Cos: DifferentiableOperator {
  /// ∂x = −g · sin x.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    return [try builder.negative(builder.product(upstream, builder.add(Sin(), x)))]
  }
}

extension Neg: DifferentiableOperator {
  /// ∂x = −g.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.negative(site.upstreamOfFirst())]
  }
}

extension Abs: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x > 0 ? 1 : (x < 0 ? -1 : 0) }
}

extension HardSwish: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x <= -3 ? 0 : (x >= 3 ? 1 : x / 3 + 0.5) }
}

extension Softsign: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { 1 / ((1 + x.magnitude) * (1 + x.magnitude)) }
}

extension Mish: DifferentiableFunction {
  /// With t = tanh(softplus(x)): t + x · (1 − t²) · sigmoid(x).
  package func slope<T: RealElement>(_ x: T) -> T {
    let t = T.tanh(max(x, 0) + T.log1p(T.exp(-x.magnitude)))
    return t + x * (1 - t * t) / (1 + T.exp(-x))
  }
}
