import Graph
import Tensors

/// A function of one or more tensors of one type, joined pair by pair with broadcasting.
///
/// - Inputs: data_0, …, numbers of one type. Output: that type, the shape all broadcast to.
package protocol VariadicFunction: ArithmeticFunction {
  /// What becomes of the joined tensor of `count` operands.
  func finish(_ joined: Tensor, count: Int) throws -> Tensor
}

extension VariadicFunction {
  package func finish(_ joined: Tensor, count: Int) throws -> Tensor { joined }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let first = try inputs.required(0, "data_0")
    try first.require("data_0", \.isNumber, "a number type")
    for input in inputs { if let input { try requireSameType(first.type, input.type) } }
    return [OperandInfo(type: first.type, shape: try broadcastShapes(inputs.map { $0?.shape }))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    var joined = try inputs.required(0, "data_0")
    for case let next? in inputs.dropFirst() { joined = try evaluate(joined, next) }
    return [try finish(joined, count: inputs.count)]
  }
}

/// The largest of all operands; NaN where one is NaN.
package struct Max: VariadicFunction, PlainOperator {
  package static let name = OperatorName("Max", since: 13)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a > b || a.isNaN ? a : b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { max(a, b) }
}

/// The smallest of all operands; NaN where one is NaN.
package struct Min: VariadicFunction, PlainOperator {
  package static let name = OperatorName("Min", since: 13)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a < b || a.isNaN ? a : b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { min(a, b) }
}

/// The sum of all operands.
package struct Sum: VariadicFunction, PlainOperator {
  package static let name = OperatorName("Sum", since: 13)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a + b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a &+ b }
}

/// The sum of all operands divided by their number.
package struct Mean: VariadicFunction, PlainOperator {
  package static let name = OperatorName("Mean", since: 13)
  package init() {}
  package func value<T: RealElement>(_ a: T, _ b: T) -> T { a + b }
  package func value<T: IntegerElement>(_ a: T, _ b: T) -> T { a &+ b }

  package func finish(_ joined: Tensor, count: Int) throws -> Tensor {
    let divisor = Tensor(doubles: [Double(count)], shape: [], type: joined.type)
    return try Div().evaluate(joined, divisor)
  }
}

extension Min: ActivationOperator {
  /// With one constant for each channel it is a clamp.
  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? {
    guard inputs.count == 2, let rank = inputs[0]?.shape?.count, rank > 1, inputs[0]?.constant == nil,
      let bounds = inputs[1]?.constant, bounds.type == .float32, bounds.shape.count <= rank
    else { return nil }
    let shape = Shape(repeating: 1, count: rank - bounds.shape.count) + bounds.shape
    guard shape[1] > 1, shape[1] == bounds.count, inputs[0]?.shape?[1] == shape[1] else { return nil }
    return .clampChannels(upper: bounds.floats)
  }
}

extension VariadicFunction {
  /// `share` as the gradient of each operand asked for, summed to its shape.
  fileprivate func gradients(
    _ share: ValueName, _ site: GradientSite, _ builder: inout GraphBuilder
  ) throws -> [ValueName?] {
    try site.node.inputs.indices.map { index in
      site.wants(index) ? try builder.sum(share, to: builder.shape(site.input(index))) : nil
    }
  }

  /// g to the operand that was chosen, in equal parts where several were.
  fileprivate func gradientOfChoice(
    _ site: GradientSite, _ builder: inout GraphBuilder
  ) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    let chosen = try site.node.inputs.indices.map { try builder.equality(site.input($0), y) }
    var count = chosen[0]
    for next in chosen.dropFirst() { count = try builder.sum(count, next) }
    let part = try builder.quotient(upstream, count)
    return try chosen.indices.map { index in
      guard site.wants(index) else { return nil }
      return try builder.sum(builder.product(part, chosen[index]), to: builder.shape(site.input(index)))
    }
  }
}

extension Max: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try gradientOfChoice(site, &builder)
  }
}

extension Min: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try gradientOfChoice(site, &builder)
  }
}

extension Sum: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try gradients(site.upstreamOfFirst(), site, &builder)
  }
}

extension Mean: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let part = try builder.product(site.upstreamOfFirst(), 1 / Float(site.node.inputs.count))
    return try gradients(part, site, &builder)
  }
}
