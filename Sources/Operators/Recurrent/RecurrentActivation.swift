import Graph
import Tensors

/// A function that a recurrent layer applies to its gates.
package struct RecurrentActivation: Sendable, Hashable {
  package enum Function: String, Sendable, CaseIterable {
    case relu = "Relu"
    case tanh = "Tanh"
    case sigmoid = "Sigmoid"
    case affine = "Affine"
    case leakyRelu = "LeakyRelu"
    case thresholdedRelu = "ThresholdedRelu"
    case scaledTanh = "ScaledTanh"
    case hardSigmoid = "HardSigmoid"
    case elu = "Elu"
    case softsign = "Softsign"
    case softplus = "Softplus"
  }

  package var function: Function
  package var alpha: Float
  package var beta: Float

  package init(_ function: Function) {
    self.function = function
    (alpha, beta) = Self.defaults[function] ?? (0, 0)
  }

  private static let defaults: [Function: (Float, Float)] = [
    .affine: (1, 0), .leakyRelu: (0.01, 0), .thresholdedRelu: (1, 0), .scaledTanh: (1, 1),
    .hardSigmoid: (0.2, 0.5), .elu: (1, 0),
  ]

  private var usesAlpha: Bool { Self.defaults[function] != nil }
  private var usesBeta: Bool {
    switch function {
    case .affine, .scaledTanh, .hardSigmoid: true
    default: false
    }
  }

  /// Functions by name, whose parameters are taken from the lists in turn by those that have any.
  static func list(_ names: [String], alphas: [Float], betas: [Float]) throws -> [RecurrentActivation] {
    var (alphas, betas) = (alphas[...], betas[...])
    return try names.map { name in
      guard let function = Function.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() })
      else {
        throw OperatorError("attribute \"activations\" names \"\(name)\", which is no function known here.")
      }
      var activation = RecurrentActivation(function)
      if activation.usesAlpha, let alpha = alphas.popFirst() { activation.alpha = alpha }
      if activation.usesBeta, let beta = betas.popFirst() { activation.beta = beta }
      return activation
    }
  }

  func callAsFunction<T: RealElement>(_ x: T) -> T {
    let (a, b) = (T(alpha), T(beta))
    switch function {
    case .relu: return x > 0 ? x : 0
    case .tanh: return T.tanh(x)
    case .sigmoid: return 1 / (1 + T.exp(-x))
    case .affine: return a * x + b
    case .leakyRelu: return x >= 0 ? x : a * x
    case .thresholdedRelu: return x >= a ? x : 0
    case .scaledTanh: return a * T.tanh(b * x)
    case .hardSigmoid: return Swift.min(Swift.max(a * x + b, 0), 1)
    case .elu: return x >= 0 ? x : a * (T.exp(x) - 1)
    case .softsign: return x / (1 + x.magnitude)
    case .softplus: return x > 20 ? x : T.log1p(T.exp(x))
    }
  }
}

/// What the three recurrent layers have in common.
package struct RecurrentAttributes: Sendable, Hashable {
  package enum Direction: String, Sendable, CaseIterable { case forward, reverse, bidirectional }

  package var direction: Direction
  /// `nil` follows from the recurrence weights.
  package var hiddenSize: Int?
  package var clip: Float?
  /// Whether the batch is the first axis instead of the time.
  package var isBatchFirst: Bool
  package var activationNames: [String]?
  package var alphas: [Float]?
  package var betas: [Float]?
  /// Functions of one direction after the other.
  package var activations: [RecurrentActivation]

  package var directions: Int { direction == .bidirectional ? 2 : 1 }

  /// - Parameter defaults: the functions of one direction where the node names none.
  init(attributes: Attributes, defaults: [RecurrentActivation.Function]) throws {
    let text = try attributes.text("direction", among: Direction.allCases.map(\.rawValue))
    direction = Direction(rawValue: text) ?? .forward
    hiddenSize = try attributes.integerIfPresent("hidden_size")
    clip = try attributes.realIfPresent("clip")
    isBatchFirst = try attributes.isSet("layout")
    activationNames = try attributes.textsIfPresent("activations")
    alphas = try attributes.realsIfPresent("activation_alpha")
    betas = try attributes.realsIfPresent("activation_beta")
    activations = []
    let names = activationNames ?? (0..<directions).flatMap { _ in defaults.map(\.rawValue) }
    guard names.count == directions * defaults.count else {
      throw OperatorError(
        "attribute \"activations\" has \(names.count) names (expected \(directions * defaults.count)).")
    }
    activations = try RecurrentActivation.list(names, alphas: alphas ?? [], betas: betas ?? [])
  }

  func write(to writer: inout AttributeWriter) {
    writer.add("direction", direction.rawValue, unless: Direction.forward.rawValue)
    writer.addIfPresent("hidden_size", hiddenSize)
    writer.addIfPresent("clip", clip)
    writer.add("layout", isBatchFirst)
    writer.addIfPresent("activations", activationNames)
    writer.addIfPresent("activation_alpha", alphas)
    writer.addIfPresent("activation_beta", betas)
  }
}
