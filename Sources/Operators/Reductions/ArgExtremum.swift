import Graph
import Tensors

/// Where along an axis the largest or smallest element is; the first of equals unless `selectsLast`.
///
/// - Input: data, a number type. Output: int64, the shape of data with the axis 1, or gone.
package protocol ArgExtremum: Operator {
  var options: ArgOptions { get }
  init(options: ArgOptions)
  static var isLargest: Bool { get }
}

package struct ArgOptions: Sendable, Hashable {
  package var axis: Int
  package var keepsAxes: Bool
  package var selectsLast: Bool
}

extension ArgExtremum {
  package init(attributes: Attributes) throws {
    self.init(
      options: ArgOptions(
        axis: try attributes.integer("axis", default: 0),
        keepsAxes: try attributes.isSet("keepdims", default: true),
        selectsLast: try attributes.isSet("select_last_index")))
  }

  package var attributes: Attributes {
    [
      "axis": .int(options.axis), "keepdims": .int(options.keepsAxes ? 1 : 0),
      "select_last_index": .int(options.selectsLast ? 1 : 0),
    ]
  }

  private func shape(_ shape: Shape) throws -> Shape {
    var result = shape
    let axis = try shape.axis(options.axis)
    if options.keepsAxes { result[axis] = 1 } else { result.remove(at: axis) }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    try data.require("data", \.isNumber, "a number type")
    return [OperandInfo(type: .int64, shape: try data.shape.map(shape))]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let shape = try shape(data.shape)
    let rows = AxisRows(shape: data.shape, axis: try data.shape.axis(options.axis))
    guard rows.count > 0 else {
      throw OperatorError("axis \(options.axis) is empty, so it has no extreme element")
    }
    let x = data.computing
    switch x.type {
    case .float32: return [find(x, rows, shape, Float.self)]
    case .float64: return [find(x, rows, shape, Double.self)]
    case .int8: return [find(x, rows, shape, Int8.self)]
    case .int16: return [find(x, rows, shape, Int16.self)]
    case .int32: return [find(x, rows, shape, Int32.self)]
    case .int64: return [find(x, rows, shape, Int64.self)]
    case .uint8: return [find(x, rows, shape, UInt8.self)]
    case .uint16: return [find(x, rows, shape, UInt16.self)]
    case .uint32: return [find(x, rows, shape, UInt32.self)]
    default: return [find(x, rows, shape, UInt64.self)]
    }
  }

  @inline(__always)
  private func find<T: TensorElement & Comparable>(
    _ x: Tensor, _ rows: AxisRows, _ shape: Shape, _ type: T.Type
  ) -> Tensor {
    x.withElements(of: T.self) { x in
      Tensor(of: Int64.self, shape: shape) { out in
        rows.forEach { index, offset in
          var best = 0
          for i in 1..<max(rows.count, 1) {
            let (new, old) = (x[offset + i * rows.inner], x[offset + best * rows.inner])
            if (Self.isLargest ? new > old : new < old) || options.selectsLast && new == old { best = i }
          }
          out[index] = Int64(best)
        }
      }
    }
  }
}

/// The index of the largest element along an axis.
package struct ArgMax: ArgExtremum {
  package static let name = OperatorName("ArgMax", since: 13)
  package static var isLargest: Bool { true }
  package let options: ArgOptions
  package init(options: ArgOptions) { self.options = options }
}

/// The index of the smallest element along an axis.
package struct ArgMin: ArgExtremum {
  package static let name = OperatorName("ArgMin", since: 13)
  package static var isLargest: Bool { false }
  package let options: ArgOptions
  package init(options: ArgOptions) { self.options = options }
}
