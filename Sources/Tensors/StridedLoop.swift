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
  /// For each outer axis what a step along it adds to each operand's offset.
  @usableFromInline let steps: [Int]
  /// For each outer axis what going back to its start takes away.
  @usableFromInline let returns: [Int]
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
    let outer = merged.map { Array($0.dropFirst().reversed()) }
    steps = outerShape.indices.flatMap { axis in outer.map { $0[axis] } }
    returns = outerShape.indices.flatMap { axis in outer.map { $0[axis] * sizes[sizes.count - 1 - axis] } }
    rows = innerCount == 0 ? 0 : outerShape.elementCount
  }

  /// Calls `row` with the position of the row's first element in the dense result and each operand's offset.
  @inlinable
  package func forEachRow(_ row: (_ position: Int, _ offsets: [Int]) throws -> Void) rethrows {
    guard rows > 0 else { return }
    var index = [Int](repeating: 0, count: outerShape.count)
    let operands = innerStrides.count
    var offsets = [Int](repeating: 0, count: operands)
    for r in 0..<rows {
      try row(r * innerCount, offsets)
      var axis = outerShape.count - 1
      while axis >= 0 {
        index[axis] += 1
        let first = axis * operands
        for k in 0..<operands { offsets[k] &+= steps[first &+ k] }
        if index[axis] < outerShape[axis] { break }
        for k in 0..<operands { offsets[k] &-= returns[first &+ k] }
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
