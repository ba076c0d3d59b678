import Graph
import Tensors

// Functions of one element with float attributes.

/// x where x ≥ 0, else α·x.
package struct LeakyRelu: UnaryFunction {
  package static let name = OperatorName("LeakyRelu", since: 16)
  package let alpha: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 0.01)
  }

  package var attributes: Attributes { ["alpha": .float(alpha)] }
  package func value<T: RealElement>(_ x: T) -> T { x < 0 ? T(alpha) * x : x }
}

/// x where x ≥ 0, else α·(eˣ − 1).
package struct Elu: UnaryFunction {
  package static let name = OperatorName("Elu", since: 6)
  package let alpha: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1)
  }

  package var attributes: Attributes { ["alpha": .float(alpha)] }
  package func value<T: RealElement>(_ x: T) -> T { x < 0 ? T(alpha) * T.expm1(x) : x }
}

/// γ·x where x > 0, else γ·α·(eˣ − 1).
package struct Selu: UnaryFunction {
  package static let name = OperatorName("Selu", since: 6)
  package let alpha: Float
  package let gamma: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1.67326319217681884765625)
    gamma = try attributes.real("gamma", default: 1.05070102214813232421875)
  }

  package var attributes: Attributes { ["alpha": .float(alpha), "gamma": .float(gamma)] }
  package func value<T: RealElement>(_ x: T) -> T { T(gamma) * (x > 0 ? x : T(alpha) * T.expm1(x)) }
}

/// max(0, x) + min(0, α·(e^(x/α) − 1)).
package struct Celu: UnaryFunction {
  package static let name = OperatorName("Celu", since: 12)
  package let alpha: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1)
  }

  package var attributes: Attributes { ["alpha": .float(alpha)] }
  package func value<T: RealElement>(_ x: T) -> T { max(0, x) + min(0, T(alpha) * T.expm1(x / T(alpha))) }
}

/// x where x > α, else 0.
package struct ThresholdedRelu: UnaryFunction {
  package static let name = OperatorName("ThresholdedRelu", since: 10)
  package let alpha: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1)
  }

  package var attributes: Attributes { ["alpha": .float(alpha)] }
  package func value<T: RealElement>(_ x: T) -> T { x > T(alpha) ? x : 0 }
}

/// clamp(α·x + β, 0, 1).
package struct HardSigmoid: UnaryFunction {
  package static let name = OperatorName("HardSigmoid", since: 6)
  package let alpha: Float
  package let beta: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 0.2)
    beta = try attributes.real("beta", default: 0.5)
  }

  package var attributes: Attributes { ["alpha": .float(alpha), "beta": .float(beta)] }
  package func value<T: RealElement>(_ x: T) -> T { max(0, min(1, T(alpha) * x + T(beta))) }
}

/// x · sigmoid(α·x).
package struct Swish: UnaryFunction {
  package static let name = OperatorName("Swish", since: 24)
  package let alpha: Float

  package init(attributes: Attributes) throws {
    alpha = try attributes.real("alpha", default: 1)
  }

  package var attributes: Attributes { ["alpha": .float(alpha)] }
  package func value<T: RealElement>(_ x: T) -> T { x / (1 + T.exp(-T(alpha) * x)) }
}

/// x · Φ(x), with the error function or its tanh approximation.
package struct Gelu: UnaryFunction {
  package static let name = OperatorName("Gelu", since: 20)
  /// Whether Φ is approximated: ½·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
  package let isTanh: Bool

  package init(attributes: Attributes) throws {
    isTanh = try attributes.text("approximate", among: ["none", "tanh"]) == "tanh"
  }

  package var attributes: Attributes { ["approximate": .string(isTanh ? "tanh" : "none")] }
  package func value<T: RealElement>(_ x: T) -> T {
    isTanh
      ? 0.5 * x * (1 + T.tanh(0.797884560802865356 * (x + 0.044715 * x * x * x)))
      : 0.5 * x * (1 + T.erf(x * 0.707106781186547524))
  }
}

/// x + bias below −λ, x − bias above λ, 0 between.
package struct Shrink: UnaryFunction {
  package static let name = OperatorName("Shrink", since: 9)
  package let bias: Float
  package let lambda: Float

  package init(attributes: Attributes) throws {
    bias = try attributes.real("bias", default: 0)
    lambda = try attributes.real("lambd", default: 0.5)
  }

  package var attributes: Attributes { ["bias": .float(bias), "lambd": .float(lambda)] }
  package func value<T: RealElement>(_ x: T) -> T {
    x < -T(lambda) ? x + T(bias) : (x > T(lambda) ? x - T(bias) : 0)
  }
  // Integers are computed as floats.
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isNumber, "a number type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    guard x.type.isInteger else { return [try evaluateReal(x)] }
    return [try evaluateReal(x.converted(to: .float64)).converted(to: x.type)]
  }
}

extension LeakyRelu: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x < 0 ? T(alpha) : 1 }
}

extension Elu: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x < 0 ? T(alpha) * T.exp(x) : 1 }
}

extension Selu: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { T(gamma) * (x > 0 ? 1 : T(alpha) * T.exp(x)) }
}

extension Celu: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x > 0 ? 1 : T.exp(x / T(alpha)) }
}

extension ThresholdedRelu: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T { x > T(alpha) ? 1 : 0 }
}

extension HardSigmoid: DifferentiableFunction {
  package func slope<T: RealElement>(_ x: T) -> T {
    let y = T(alpha) * x + T(beta)
    return y > 0 && y < 1 ? T(alpha) : 0
  }
}

extension Swish: DifferentiableOperator {
  /// With s = sigmoid(αx): ∂x = g · (s + αy · (1 − s)).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, y, upstream) = (try site.input(0), try site.output(), try site.upstreamOfFirst())
    let sigmoid = try builder.add(Sigmoid(), builder.product(x, alpha))
    let scaled = try builder.product(y, alpha)
    let rest = try builder.difference(scaled, builder.product(scaled, sigmoid))
    return [try builder.product(upstream, builder.sum(sigmoid, rest))]
  }
}

extension Gelu: DifferentiableOperator {
  /// With Φ and its derivative φ: ∂x = g · (Φ(x) + x · φ(x)).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    let square = try builder.product(x, x)
    let (half, rest): (ValueName, ValueName)
    if isTanh {
      // Φ = ½ + ½·t with t = tanh(c·(x + a·x³)), φ = ½ · (1 − t²) · c · (1 + 3a·x²).
      let (c, a) = (Float(0.797884560802865356), Float(0.044715))
      let inner = try builder.product(x, builder.sum(builder.product(square, a * c), c))
      half = try builder.product(builder.add(Tanh(), inner), 0.5)
      let slope = try builder.sum(builder.product(square, 6 * a * c), 2 * c)
      let bell = try builder.difference(builder.scalar(0.25, as: x), builder.product(half, half))
      rest = try builder.product(bell, slope)
    } else {
      // Φ = ½ + ½·erf(x / √2), φ = e^(−x²/2) / √(2π).
      half = try builder.product(builder.add(Erf(), builder.product(x, 0.707106781186547524)), 0.5)
      rest = try builder.product(
        builder.add(Exp(), builder.product(square, -0.5)), 0.398942280401432678)
    }
    let derivative = try builder.sum(builder.sum(half, 0.5), builder.product(x, rest))
    return [try builder.product(upstream, derivative)]
  }
}
