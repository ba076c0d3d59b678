extension Array where Element == Int {
  /// Strides in elements that read this dense shape as if it had the larger shape `target`: 0 along repeated axes.
  package func broadcastStrides(to target: [Int]) -> [Int] {
    precondition(count <= target.count, "broadcasting adds axes in front")
    let own = rowMajorStrides
    let extra = target.count - count
    return target.indices.map { axis in
      guard axis >= extra else { return 0 }
      let size = self[axis - extra]
      precondition(size == target[axis] || size == 1, "an axis broadcasts from 1 or stays as it is")
      return size == 1 ? 0 : own[axis - extra]
    }
  }
}

/// A walk over the elements of a shape in row-major order, a row at a time, with an offset into each operand.
///
/// Neighbouring axes that every operand walks evenly are merged, so that dense operands are one long row.
package struct StridedLoop {
  /// Elements of one row.
  package let innerCount: Int
  /// Elements between neighbours of a row, for each operand.
  package let innerStrides: [Int]
  @usableFromInline let outerShape: [Int]
  /// Per operand and outer axis.
  @usableFromInline let outerStrides: [[Int]]
  @usableFromInline let rows: Int

  /// - Parameter strides: for each operand the elements between neighbours along each axis of `shape`.
  package init(shape: Shape, strides: [[Int]]) {
    var sizes: [Int] = []
    var merged = [[Int]](repeating: [], count: strides.count)
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      if let size = sizes.last,
        strides.indices.allSatisfy({ strides[$0][axis] == merged[$0][sizes.count - 1] * size })
      {
        sizes[sizes.count - 1] = size * shape[axis]
        continue
      }
      sizes.append(shape[axis])
      for k in strides.indices { merged[k].append(strides[k][axis]) }
    }
    innerCount = sizes.first ?? 1
    innerStrides = merged.map { $0.first ?? 0 }
    outerShape = sizes.dropFirst().reversed()
    outerStrides = merged.map { $0.dropFirst().reversed() }
    rows = innerCount == 0 ? 0 : outerShape.elementCount
  }

  /// Calls `row` with the position of the row's first element in the dense result and each operand's offset.
  @inlinable
  package func forEachRow(_ row: (_ position: Int, _ offsets: [Int]) throws -> Void) rethrows {
    guard rows > 0 else { return }
    var index = [Int](repeating: 0, count: outerShape.count)
    var offsets = [Int](repeating: 0, count: outerStrides.count)
    for r in 0..<rows {
      try row(r * innerCount, offsets)
      var axis = outerShape.count - 1
      while axis >= 0 {
        index[axis] += 1
        for k in offsets.indices { offsets[k] += outerStrides[k][axis] }
        if index[axis] < outerShape[axis] { break }
        for k in offsets.indices { offsets[k] -= outerStrides[k][axis] * outerShape[axis] }
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
