import Graph
import Tensors

/// Its input.
package struct Identity: PlainOperator, ElementwiseOperator, ActivationOperator {
  package static let name = OperatorName("Identity", since: 13)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inputs.required(0, "input")]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [try inputs.required(0, "input")]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

/// Its input when the model runs; in training mode some elements become 0 and the others grow by 1 / (1 − ratio).
///
/// - Inputs: data, float; ratio, scalar, ½ where absent; training_mode, bool scalar, false where absent.
/// - Outputs: as data; mask, bool, which elements are kept.
package struct Dropout: Operator, ElementwiseOperator, ActivationOperator {
  package static let name = OperatorName("Dropout", since: 12)
  /// Start of the random numbers; the run's own where absent.
  package let seed: Int?

  package init(attributes: Attributes) throws { seed = try attributes.integerIfPresent("seed") }
  package var attributes: Attributes { seed.map { ["seed": .int($0)] } ?? [:] }

  /// Before opset 12 the ratio was an attribute, and there was no training mode.
  package static let upgrades: [Upgrade] = [
    .before(12) { node, rewrite in
      if let ratio = try node.attributes.realIfPresent("ratio") {
        node.inputs = [node.inputs.first ?? nil, rewrite.add(constant: Tensor(scalar: ratio), "ratio")]
      }
      node.attributes = [:]
    }
  ]

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    try data.require("data", \.isReal, "a float type")
    return [OperandInfo(type: data.type, shape: data.shape), OperandInfo(type: .bool, shape: data.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let ratio = inputs.optional(1)?.scalarFloat ?? 0.5
    guard inputs.optional(2)?.scalarInteger == 1, ratio > 0 else {
      return [data, Tensor([Bool](repeating: true, count: data.count), shape: data.shape)]
    }
    var random = MersenneTwister(
      seed: UInt32(truncatingIfNeeded: seed ?? Int(truncatingIfNeeded: context.seed)))
    let kept = (0..<data.count).map { _ in random.uniform() >= Double(ratio) }
    let values = zip(data.floats, kept).map { $1 ? $0 / (1 - ratio) : 0 }
    return [Tensor(floats: values, shape: data.shape, type: data.type), Tensor(kept, shape: data.shape)]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? {
    inputs.optional(2) == nil ? .keepsInput(0) : nil
  }
}

/// Whether an element is not a number.
///
/// - Input: X, float. Output: Y, bool, same shape.
package struct IsNaN: PlainOperator {
  package static let name = OperatorName("IsNaN", since: 9)
  package init() {}

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isReal, "a float type")
    return [OperandInfo(type: .bool, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    if x.type == .float64 { return [mapElements(x) { (x: Double) in x.isNaN }] }
    return [mapElements(x.converted(to: .float32)) { (x: Float) in x.isNaN }]
  }
}

/// Whether an element is infinite, of one sign or both.
///
/// - Input: X, float. Output: Y, bool, same shape.
package struct IsInf: Operator {
  package static let name = OperatorName("IsInf", since: 10)
  package let negative: Bool
  package let positive: Bool

  package init(attributes: Attributes) throws {
    negative = try attributes.isSet("detect_negative", default: true)
    positive = try attributes.isSet("detect_positive", default: true)
  }

  package var attributes: Attributes {
    ["detect_negative": .int(negative ? 1 : 0), "detect_positive": .int(positive ? 1 : 0)]
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try IsNaN().infer(inputs, outputs: outputs)
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    if x.type == .float64 {
      return [mapElements(x) { (x: Double) in x == .infinity && positive || x == -.infinity && negative }]
    }
    return [
      mapElements(x.converted(to: .float32)) { (x: Float) in
        x == .infinity && positive || x == -.infinity && negative
      }
    ]
  }
}

extension Identity: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try site.upstreamOfFirst()]
  }
}

extension Dropout: DifferentiableOperator {
  /// Outside training mode it is the identity.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let isTraining = try site.constant(2, "training_mode", builder)?.scalarInteger == 1
    guard try !isTraining || site.constant(1, "ratio", builder)?.scalarFloat == 0 else {
      throw OperatorError("dropout in training mode has no gradient here")
    }
    return site.ofFirst(try site.upstreamOfFirst())
  }
}
