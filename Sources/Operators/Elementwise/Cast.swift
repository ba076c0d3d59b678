import Graph
import Tensors

/// How a cast rounds and what it does beyond the largest number: `saturate` and `round_mode` of ONNX.
struct CastRules: Sendable {
  /// Whether 8-bit floats take their largest number for what lies beyond.
  let saturate: Bool
  /// For `float8e8m0`.
  let powers: PowerRounding

  init(_ attributes: Attributes) throws {
    saturate = try attributes.isSet("saturate", default: true)
    let mode = try attributes.text("round_mode", among: PowerRounding.allCases.map(\.rawValue))
    powers = PowerRounding(rawValue: mode) ?? .up
  }

  /// Only what differs from the default: older opsets do not know the others.
  var attributes: Attributes {
    var result: Attributes = [:]
    if !saturate { result["saturate"] = .int(0) }
    if powers != .up { result["round_mode"] = .string(powers.rawValue) }
    return result
  }

  func apply(_ x: Tensor, to type: ElementType) -> Tensor {
    x.converted(to: type, saturate: saturate, powers: powers)
  }
}

/// The same numbers as another element type.
///
/// - Input: any type. Output: type `to`, same shape; a float becomes an integer by dropping its fraction.
package struct Cast: Operator {
  package static let name = OperatorName("Cast", since: 13)
  package let to: ElementType
  let rules: CastRules

  package init(to: ElementType) throws { try self.init(attributes: ["to": .int(to.rawValue)]) }

  package init(attributes: Attributes) throws {
    to = try attributes.required("to", try attributes.elementTypeIfSet("to"))
    rules = try CastRules(attributes)
  }

  package var attributes: Attributes { rules.attributes.merging(["to": .int(to.rawValue)]) { $1 } }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [OperandInfo(type: to, shape: try inputs.required(0, "input").shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [rules.apply(try inputs.required(0, "input"), to: to)]
  }
}

/// As `Cast`, to the type of the second input.
package struct CastLike: Operator {
  package static let name = OperatorName("CastLike", since: 15)
  let rules: CastRules

  package init(attributes: Attributes) throws { rules = try CastRules(attributes) }
  package var attributes: Attributes { rules.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [
      OperandInfo(
        type: try inputs.required(1, "target_type").type, shape: try inputs.required(0, "input").shape)
    ]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [rules.apply(try inputs.required(0, "input"), to: try inputs.required(1, "target_type").type)]
  }
}

/// The same bits read as another type of the same width.
package struct BitCast: Operator {
  package static let name = OperatorName("BitCast", since: 26)
  package let to: ElementType

  package init(attributes: Attributes) throws {
    to = try attributes.required("to", try attributes.elementTypeIfSet("to"))
  }
  package var attributes: Attributes { ["to": .int(to.rawValue)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    guard x.type.bits == to.bits else {
      throw OperatorError(
        "input is \(x.type.name) of \(x.type.bits) bits, expected the \(to.bits) bits of \(to.name)")
    }
    return [OperandInfo(type: to, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    _ = try infer([OperandInfo(type: x.type, shape: x.shape)], outputs: 1)
    return [x.reinterpreted(as: to)]
  }
}

extension Cast: DifferentiableOperator {
  /// The gradient in the type of the input, between float types.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    guard let source = builder.infos[try site.input(0)]?.type, source.isReal, to.isReal else {
      throw OperatorError("a cast to or from integers has no gradient")
    }
    return [try builder.add(Cast(to: source), site.upstreamOfFirst())]
  }
}
