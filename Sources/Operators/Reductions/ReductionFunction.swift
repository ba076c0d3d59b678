import Graph
import Tensors

/// What a reduction does about axes: attributes `keepdims` and `noop_with_empty_axes`.
package struct ReductionOptions: Sendable, Hashable {
  /// Whether reduced axes stay, with size 1.
  package var keepsAxes: Bool
  /// Whether no axes given means that nothing is joined, rather than everything.
  package var joinsNothingByDefault: Bool

  package init(keepsAxes: Bool = true, joinsNothingByDefault: Bool = false) {
    self.keepsAxes = keepsAxes
    self.joinsNothingByDefault = joinsNothingByDefault
  }

  init(_ attributes: Attributes) throws {
    keepsAxes = try attributes.isSet("keepdims", default: true)
    joinsNothingByDefault = try attributes.isSet("noop_with_empty_axes")
  }

  var attributes: Attributes {
    ["keepdims": .int(keepsAxes ? 1 : 0), "noop_with_empty_axes": .int(joinsNothingByDefault ? 1 : 0)]
  }

  /// The reduced axes of a shape, ascending.
  func axes(_ axes: [Int]?, of shape: Shape) throws -> [Int] {
    guard let axes, !axes.isEmpty else { return joinsNothingByDefault ? [] : Array(shape.indices) }
    return Array(Set(try axes.map { try shape.axis($0) })).sorted()
  }

  func shape(_ shape: Shape, reducing axes: [Int]) -> Shape {
    shape.indices.compactMap { axes.contains($0) ? (keepsAxes ? 1 : nil) : shape[$0] }
  }
}

/// A function of all elements along some axes.
///
/// - Inputs: data, a number type; axes, int64, optional (all axes).
/// - Output: the type of data; its shape with those axes 1, or gone.
package protocol ReductionFunction: Lowerable {
  var options: ReductionOptions { get }
  init(options: ReductionOptions)
  /// The opset in which axes became an input.
  static var axesInputSince: Int { get }
  static var takesBooleans: Bool { get }
  /// The function of a row; floats are summed in `Double`.
  func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T
  func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T
}

extension ReductionFunction {
  package static var axesInputSince: Int { 18 }
  package static var takesBooleans: Bool { false }

  package init(attributes: Attributes) throws { self.init(options: try ReductionOptions(attributes)) }
  package var attributes: Attributes { options.attributes }

  package static var upgrades: [Upgrade] {
    [
      .before(axesInputSince) { node, rewrite in
        guard let axes = node.attributes.removeValue(forKey: "axes") else { return }
        guard case .ints(let axes) = axes else {
          throw OperatorError("attribute \"axes\" is of the wrong kind")
        }
        node.inputs = [
          node.inputs.first ?? nil,
          rewrite.add(constant: Tensor(integers: axes, shape: [axes.count]), "axes"),
        ]
      }
    ]
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    try data.require("data", { $0.isNumber || Self.takesBooleans && $0 == .bool }, "a number type")
    guard let shape = data.shape else { return [OperandInfo(type: data.type, shape: nil)] }
    if let axes = inputs.optional(1), axes.constant == nil, axes.shape != [0] {
      return [OperandInfo(type: data.type, shape: nil)]
    }
    let axes = try options.axes(inputs.optional(1)?.constant?.integers, of: shape)
    return [OperandInfo(type: data.type, shape: options.shape(shape, reducing: axes))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let axes = try options.axes(inputs.optional(1)?.integers, of: data.shape)
    let shape = options.shape(data.shape, reducing: axes)
    let numbers = data.type == .bool ? data.reinterpreted(as: .uint8) : data.computing
    let rows = numbers.movingLast(axes)
    let size = axes.map { data.shape[$0] }.elementCount
    let result: Tensor
    switch rows.type {
    case .float32: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Float>) in reduce(row) }
    case .float64:
      result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Double>) in reduce(row) }
    case .int8: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Int8>) in reduce(row) }
    case .int16: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Int16>) in reduce(row) }
    case .int32: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Int32>) in reduce(row) }
    case .int64: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<Int64>) in reduce(row) }
    case .uint8: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<UInt8>) in reduce(row) }
    case .uint16: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<UInt16>) in reduce(row) }
    case .uint32: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<UInt32>) in reduce(row) }
    default: result = reduceRows(rows, size, shape) { (row: UnsafeBufferPointer<UInt64>) in reduce(row) }
    }
    return [data.type == .bool ? result.reinterpreted(as: .bool) : result.converted(to: data.type)]
  }
}

/// `f` of each of the rows of `size` elements, as a tensor of `shape`.
@inline(__always)
private func reduceRows<T: TensorElement>(
  _ rows: Tensor, _ size: Int, _ shape: Shape, _ f: (UnsafeBufferPointer<T>) -> T
) -> Tensor {
  rows.withElements(of: T.self) { values in
    Tensor(of: T.self, shape: shape) { out in
      for i in 0..<out.count { out[i] = f(UnsafeBufferPointer(rebasing: values[i * size..<(i + 1) * size])) }
    }
  }
}

extension Tensor {
  /// The tensor with `axes` (ascending) behind all others.
  func movingLast(_ axes: [Int]) -> Tensor {
    let order = shape.indices.filter { !axes.contains($0) } + axes
    guard order != Array(shape.indices) else { return self }
    let strides = shape.rowMajorStrides
    return gathering(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
  }
}

extension UnsafeBufferPointer where Element: RealElement {
  /// Σ f(x), in `Double`.
  @inline(__always)
  func total(_ f: (Double) -> Double = { $0 }) -> Double {
    var sum = 0.0
    for x in self { sum += f(Double(x)) }
    return sum
  }
}

extension UnsafeBufferPointer where Element: IntegerElement {
  /// Σ f(x), wrapping.
  @inline(__always)
  func total(_ f: (Element) -> Element = { $0 }) -> Element {
    var sum: Element = 0
    for x in self { sum = sum &+ f(x) }
    return sum
  }

  /// The numbers as `Double`, for functions that are not integer.
  var reals: [Double] { map { $0.converted(to: Double.self) } }
}
