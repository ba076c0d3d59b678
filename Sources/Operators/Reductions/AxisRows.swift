import Graph
import Tensors

/// A tensor seen along one axis: `outer` × `count` × `inner`, rows of `count` elements `inner` apart.
struct AxisRows {
  let outer: Int
  let count: Int
  let inner: Int

  init(shape: Shape, axis: Int) {
    outer = shape[..<axis].elementCount
    count = shape[axis]
    inner = shape[(axis + 1)...].elementCount
  }

  /// Calls `row` with the offset of the first element of each row, in the order of the result without the axis.
  @inline(__always)
  func forEach(_ row: (_ index: Int, _ offset: Int) throws -> Void) rethrows {
    for o in 0..<outer { for i in 0..<inner { try row(o * inner + i, o * count * inner + i) } }
  }
}

extension ArraySlice where Element == Int {
  var elementCount: Int { reduce(1, *) }
}
