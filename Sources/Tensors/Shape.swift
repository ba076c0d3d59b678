/// Sizes of a tensor's axes, outermost first; `[]` is a scalar.
package typealias Shape = [Int]

extension Array where Element == Int {
  /// Product of the sizes: 1 for a scalar, 0 when an axis is empty.
  package var elementCount: Int { reduce(1, *) }

  /// Elements between neighbours along each axis in dense row-major storage.
  package var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    for axis in stride(from: count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * self[axis + 1]
    }
    return strides
  }

  /// The shape as people write it, for example `1x3x224x224`; `scalar` when there is no axis.
  package var shapeText: String { isEmpty ? "scalar" : map(String.init).joined(separator: "x") }

  /// An axis counted from the end when negative; `nil` where it is outside −rank…rank−1.
  package func normalizedAxis(_ axis: Int) -> Int? {
    let positive = axis < 0 ? axis + count : axis
    return indices.contains(positive) ? positive : nil
  }

  /// The product of the sizes, or `nil` where it overflows or a size is negative: for sizes read from a file.
  package var checkedElementCount: Int? {
    var product = 1
    for size in self {
      guard size >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }
}

/// The shape two operands broadcast to (NumPy rules), or `nil` where they do not fit.
package func broadcastShape(_ a: Shape, _ b: Shape) -> Shape? {
  let rank = Swift.max(a.count, b.count)
  var result = Shape(repeating: 1, count: rank)
  for i in 0..<rank {
    let x = i < rank - a.count ? 1 : a[i - (rank - a.count)]
    let y = i < rank - b.count ? 1 : b[i - (rank - b.count)]
    guard x == y || x == 1 || y == 1 else { return nil }
    result[i] = x == 1 ? y : x
  }
  return result
}
