import Graph
import Tensors

/// Running sums or products along an axis.
///
/// - Inputs: x, a number type; axis, an integer scalar. Output: y, as x.
package protocol CumulativeFunction: Operator {
  var options: CumulativeOptions { get }
  init(options: CumulativeOptions)
  static var start: Int8 { get }
  func join<T: RealElement>(_ a: T, _ b: T) -> T
  func join<T: IntegerElement>(_ a: T, _ b: T) -> T
}

package struct CumulativeOptions: Sendable, Hashable {
  /// Whether an element's own value is left out of its result.
  package var isExclusive: Bool
  /// Whether running starts at the end.
  package var isReversed: Bool
}

extension CumulativeFunction {
  package init(attributes: Attributes) throws {
    self.init(
      options: CumulativeOptions(
        isExclusive: try attributes.isSet("exclusive"),
        isReversed: try attributes.isSet("reverse")))
  }

  package var attributes: Attributes {
    ["exclusive": .int(options.isExclusive ? 1 : 0), "reverse": .int(options.isReversed ? 1 : 0)]
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try x.require("x", \.isNumber, "a number type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "x")
    guard let axis = try inputs.required(1, "axis").scalarInteger else {
      throw OperatorError("input axis has several elements, expected a scalar")
    }
    let rows = AxisRows(shape: data.shape, axis: try data.shape.axis(axis))
    let x = data.computing
    let result: Tensor
    switch x.type {
    case .float32: result = run(x, rows) { (a: Float, b: Float) in join(a, b) }
    case .float64: result = run(x, rows) { (a: Double, b: Double) in join(a, b) }
    case .int8: result = run(x, rows) { (a: Int8, b: Int8) in join(a, b) }
    case .int16: result = run(x, rows) { (a: Int16, b: Int16) in join(a, b) }
    case .int32: result = run(x, rows) { (a: Int32, b: Int32) in join(a, b) }
    case .int64: result = run(x, rows) { (a: Int64, b: Int64) in join(a, b) }
    case .uint8: result = run(x, rows) { (a: UInt8, b: UInt8) in join(a, b) }
    case .uint16: result = run(x, rows) { (a: UInt16, b: UInt16) in join(a, b) }
    case .uint32: result = run(x, rows) { (a: UInt32, b: UInt32) in join(a, b) }
    default: result = run(x, rows) { (a: UInt64, b: UInt64) in join(a, b) }
    }
    return [result.converted(to: data.type)]
  }

  @inline(__always)
  private func run<T: NumericElement>(_ x: Tensor, _ rows: AxisRows, _ join: (T, T) -> T) -> Tensor {
    x.withElements(of: T.self) { source in
      Tensor(of: T.self, shape: x.shape) { out in
        rows.forEach { _, offset in
          var running = T(converting: Int64(Self.start))
          for i in 0..<rows.count {
            let position = offset + (options.isReversed ? rows.count - 1 - i : i) * rows.inner
            let next = join(running, source[position])
            out[position] = options.isExclusive ? running : next
            running = next
          }
        }
      }
    }
  }
}

/// Running sums.
package struct CumSum: CumulativeFunction {
  package static let name = OperatorName("CumSum", since: 11)
  package static var start: Int8 { 0 }
  package let options: CumulativeOptions
  package init(options: CumulativeOptions) { self.options = options }
  package func join<T: RealElement>(_ a: T, _ b: T) -> T { a + b }
  package func join<T: IntegerElement>(_ a: T, _ b: T) -> T { a &+ b }
}

/// Running products.
package struct CumProd: CumulativeFunction {
  package static let name = OperatorName("CumProd", since: 26)
  package static var start: Int8 { 1 }
  package let options: CumulativeOptions
  package init(options: CumulativeOptions) { self.options = options }
  package func join<T: RealElement>(_ a: T, _ b: T) -> T { a * b }
  package func join<T: IntegerElement>(_ a: T, _ b: T) -> T { a &* b }
}
