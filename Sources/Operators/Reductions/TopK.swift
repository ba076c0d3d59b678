import Graph
import Tensors

/// The k largest or smallest elements along an axis, in order; of equals the one that comes first.
///
/// - Inputs: X, a number type; K, int64 `[1]`.
/// - Outputs: values, as X but k along the axis; indices, int64, where they were.
package struct TopK: Operator {
  package static let name = OperatorName("TopK", since: 11)
  package let axis: Int
  package let isLargest: Bool
  package let isSorted: Bool

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: -1)
    isLargest = try attributes.isSet("largest", default: true)
    isSorted = try attributes.isSet("sorted", default: true)
  }

  package var attributes: Attributes {
    ["axis": .int(axis), "largest": .int(isLargest ? 1 : 0), "sorted": .int(isSorted ? 1 : 0)]
  }

  /// Before opset 10 the count was an attribute.
  package static let upgrades: [Upgrade] = [
    .before(10) { node, rewrite in
      let k = try node.attributes.integer("k")
      node.attributes["k"] = nil
      node.inputs = [node.inputs.first ?? nil, rewrite.add(constant: Tensor(integers: [k], shape: [1]), "k")]
    }
  ]

  private func shape(_ shape: Shape, _ k: Tensor) throws -> Shape {
    guard let k = k.scalarInteger else {
      throw OperatorError("input K has \(k.count) elements, expected one")
    }
    let axis = try shape.axis(axis)
    guard k >= 0, k <= shape[axis] else {
      throw OperatorError("input K is \(k), expected 0 to \(shape[axis]), the size of axis \(self.axis)")
    }
    var result = shape
    result[axis] = k
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let (x, k) = (try inputs.required(0, "X"), try inputs.required(1, "K"))
    try x.require("X", \.isNumber, "a number type")
    var result: Shape?
    if let shape = x.shape, let k = k.constant { result = try self.shape(shape, k) }
    return [OperandInfo(type: x.type, shape: result), OperandInfo(type: .int64, shape: result)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    let shape = try shape(x.shape, try inputs.required(1, "K"))
    let axis = try x.shape.axis(axis)
    // Every number type but the 64-bit integers is exact in Double.
    let order: Tensor
    if x.type == .uint64 {
      order = select(x, UInt64.self, shape, axis)
    } else if x.type == .int64 {
      order = select(x, Int64.self, shape, axis)
    } else {
      order = select(x.converted(to: .float64), Double.self, shape, axis)
    }
    let words = x.words
    let values = words.type.dispatchWord(PickAlongAxis(source: words, indices: order, axis: axis))
    return [Tensor(words: values, type: x.type), order]
  }

  private func select<T: TensorElement & Comparable>(
    _ x: Tensor, _ type: T.Type, _ shape: Shape, _ axis: Int
  ) -> Tensor {
    let (from, to) = (AxisRows(shape: x.shape, axis: axis), AxisRows(shape: shape, axis: axis))
    return x.withElements(of: T.self) { x in
      Tensor(of: Int64.self, shape: shape) { out in
        for o in 0..<from.outer {
          for i in 0..<from.inner {
            let row = (0..<from.count).map { x[(o * from.count + $0) * from.inner + i] }
            let order = row.indices.sorted { a, b in
              row[a] == row[b] ? a < b : (isLargest ? row[a] > row[b] : row[a] < row[b])
            }
            for k in 0..<to.count { out[(o * to.count + k) * to.inner + i] = Int64(order[k]) }
          }
        }
      }
    }
  }
}

/// The elements at `indices` along an axis; all other axes agree.
private struct PickAlongAxis: WordVisitor {
  let source: Tensor
  let indices: Tensor
  let axis: Int

  func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
    let (from, to) = (AxisRows(shape: source.shape, axis: axis), AxisRows(shape: indices.shape, axis: axis))
    return source.withElements(of: W.self) { source in
      indices.withElements(of: Int64.self) { indices in
        Tensor(of: W.self, shape: self.indices.shape) { out in
          to.forEach { index, offset in
            let (o, i) = (index / to.inner, index % to.inner)
            for k in 0..<to.count {
              let position = offset + k * to.inner
              out[position] = source[(o * from.count + Int(indices[position])) * from.inner + i]
            }
          }
        }
      }
    }
  }
}
