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
      Reshape(allowsZero: true), value, constant(Tensor(shape.map { Int64($0) }, shape: [shape.count])))
  }

  /// What broadcasting to the shape of `value` repeated, summed.
  package mutating func sum(_ value: ValueName, to shape: Shape) throws -> ValueName {
    try self.shape(value) == shape ? value : try add(SumToShape(shape), value)
  }

  /// `value` repeated to `shape`.
  package mutating func expand(_ value: ValueName, to shape: Shape) throws -> ValueName {
    guard try self.shape(value) != shape else { return value }
    return try add(Expand(), value, constant(Tensor(shape.map { Int64($0) }, shape: [shape.count])))
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
      constant(Tensor(axes.map { Int64($0) }, shape: [axes.count])))
  }
}
