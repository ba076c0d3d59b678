import Graph
import Tensors

/// The words gradients are written in.
extension GraphBuilder {
  package mutating func product(_ a: ValueName, _ b: ValueName) throws -> ValueName { try add(Mul(), a, b) }
  package mutating func quotient(_ a: ValueName, _ b: ValueName) throws -> ValueName { try add(Div(), a, b) }
  package mutating func sum(_ a: ValueName, _ b: ValueName) throws -> ValueName { try add(Add(), a, b) }
  package mutating func difference(_ a: ValueName, _ b: ValueName) throws -> ValueName {
    try add(Sub(), a, b)
  }
  package mutating func negative(_ a: ValueName) throws -> ValueName { try add(Neg(), a) }
  package mutating func product(_ a: ValueName, _ factor: Float) throws -> ValueName {
    factor == 1 ? a : try product(a, scalar(factor, as: a))
  }
  package mutating func sum(_ a: ValueName, _ term: Float) throws -> ValueName {
    term == 0 ? a : try sum(a, scalar(term, as: a))
  }

  /// A number as a constant of no axes, of the element type of `value`.
  package mutating func scalar(_ number: Float, as value: ValueName) -> ValueName {
    constant(Tensor(floats: [number], shape: [], type: infos[value]?.type ?? .float32))
  }

  /// The same elements under another shape.
  package mutating func reshape(_ value: ValueName, _ shape: Shape) throws -> ValueName {
    guard try self.shape(value) != shape else { return value }
    return try add(
      Reshape(allowsZero: true), value, integers(shape))
  }

  /// What broadcasting to the shape of `value` repeated, summed.
  package mutating func sum(_ value: ValueName, to shape: Shape) throws -> ValueName {
    try self.shape(value) == shape ? value : try add(SumToShape(shape), value)
  }

  /// `value` repeated to `shape`.
  package mutating func expand(_ value: ValueName, to shape: Shape) throws -> ValueName {
    guard try self.shape(value) != shape else { return value }
    return try add(Expand(), value, integers(shape))
  }

  /// Axes in the order `axes` names them.
  package mutating func transpose(_ value: ValueName, _ axes: [Int]) throws -> ValueName {
    axes == Array(axes.indices) ? value : try add(Transpose(axes), value)
  }

  /// The last two axes exchanged.
  package mutating func transposeMatrices(_ value: ValueName) throws -> ValueName {
    var axes = Array(try shape(value).indices)
    axes.swapAt(axes.count - 1, axes.count - 2)
    return try transpose(value, axes)
  }

  /// Sums over axes, which stay with size 1.
  package mutating func reduceSum(_ value: ValueName, _ axes: [Int]) throws -> ValueName {
    try add(
      ReduceSum(options: ReductionOptions()), value,
      integers(axes))
  }

  /// The means over axes, which stay with size 1.
  package mutating func reduceMean(_ value: ValueName, _ axes: [Int]) throws -> ValueName {
    try add(ReduceMean(options: ReductionOptions()), value, integers(axes))
  }

  /// Integers as a constant.
  package mutating func integers(_ numbers: [Int]) -> ValueName {
    constant(Tensor(integers: numbers, shape: [numbers.count]))
  }

  /// Zeros of the element type of `value`.
  package mutating func zeros(_ shape: Shape, as value: ValueName) throws -> ValueName {
    try expand(scalar(0, as: value), to: shape)
  }

  /// Zeros before and behind each axis, or elements taken away where a number is negative.
  package mutating func padded(_ value: ValueName, before: [Int], behind: [Int]) throws -> ValueName {
    let shape = try shape(value)
    var result = value
    let cropped = shape.indices.filter { before[$0] < 0 || behind[$0] < 0 }
    if !cropped.isEmpty {
      let starts = integers(cropped.map { Swift.max(0, -before[$0]) })
      let ends = integers(cropped.map { shape[$0] - Swift.max(0, -behind[$0]) })
      result = try add(Slice(), result, starts, ends, integers(cropped))
    }
    let added = (before + behind).map { Swift.max(0, $0) }
    return added.allSatisfy { $0 == 0 } ? result : try add(Pad(), result, integers(added))
  }

  /// 1 / x where x > 0, and 0 where x is 0.
  package mutating func inverseOfNorm(_ x: ValueName) throws -> ValueName {
    try quotient(add(Sign(), x), add(Max(), x, scalar(.leastNormalMagnitude, as: x)))
  }

  /// 1 where two values are equal, else 0, in their type.
  package mutating func equality(_ a: ValueName, _ b: ValueName) throws -> ValueName {
    try add(Cast(to: infos[a]?.type ?? .float32), add(Equal(), a, b))
  }
}

extension GradientSite {
  /// The gradient of the first input; the others have none.
  package func ofFirst(_ gradient: ValueName) -> [ValueName?] {
    [gradient] + node.inputs.dropFirst().map { _ in nil }
  }

  /// The constant an optional input is known to be.
  ///
  /// - Errors: `OperatorError` where it is computed.
  func constant(_ index: Int, _ label: String, _ builder: GraphBuilder) throws -> Tensor? {
    guard node.inputs.indices.contains(index), let name = node.inputs[index] else { return nil }
    guard let constant = builder.infos[name]?.constant else {
      throw OperatorError("input \(label) is computed, so there is no gradient here (expected a constant)")
    }
    return constant
  }

  /// Throws where the gradient of one of `inputs` is asked for.
  func requireUnwanted(_ inputs: Range<Int>, _ label: String) throws {
    if inputs.contains(where: wants) { throw OperatorError("\(label) has no gradient here") }
  }

  /// Throws where the loss depends on an output beside the first.
  func requireFirstOnly() throws {
    guard upstream.dropFirst().allSatisfy({ $0 == nil }) else {
      throw OperatorError("the loss depends on an output other than the first, which has no gradient")
    }
  }
}
