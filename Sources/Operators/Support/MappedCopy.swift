import Tensors

extension Tensor {
  /// A tensor of `shape` whose element at (i₀, i₁, …) is this one's at (maps[0][i₀], maps[1][i₁], …), or `fill`
  /// where an index is negative.
  ///
  /// Padding, tiling, nearest-neighbour resizing and selection along axes are all this, with different maps.
  /// - Parameters:
  ///   - maps: for each axis of this tensor, as many source indices as the result has there.
  ///   - fill: one element of this type; needed when a map has a negative index.
  package func mapped(_ maps: [[Int]], fill: Tensor? = nil) -> Tensor {
    precondition(maps.count == rank, "one map for each axis")
    let strides = shape.rowMajorStrides
    let offsets = maps.indices.map { axis in
      maps[axis].map { index in
        precondition(index < shape[axis], "maps stay inside the source")
        return index < 0 ? Int.min : index * strides[axis]
      }
    }
    let source = words
    let result = source.type.dispatchWord(
      MappedCopy(source: source, shape: maps.map(\.count), offsets: offsets, fill: fill?.words))
    return Tensor(words: result, type: type)
  }
}

private struct MappedCopy: WordVisitor {
  let source: Tensor
  let shape: Shape
  /// Per axis: offset in elements into the source, or `Int.min` for the fill.
  let offsets: [[Int]]
  let fill: Tensor?

  func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
    let filler = fill?.array(of: W.self).first ?? 0
    return source.withElements(of: W.self) { values in
      Tensor(of: W.self, shape: shape) { out in
        guard let innermost = offsets.last else {
          out[0] = values[0]
          return
        }
        let n = innermost.count
        let isRun = innermost.indices.allSatisfy { innermost[$0] >= 0 && innermost[$0] == innermost[0] + $0 }
        let outer = Array(shape.dropLast())
        let rows = n == 0 ? 0 : outer.elementCount
        var index = [Int](repeating: 0, count: outer.count)
        for row in 0..<rows {
          var base = 0
          var isFill = false
          for axis in outer.indices {
            let offset = offsets[axis][index[axis]]
            if offset < 0 { isFill = true } else { base += offset }
          }
          let start = row * n
          if isFill {
            for i in start..<start + n { out[i] = filler }
          } else if isRun {
            let from = base + innermost[0]
            for i in 0..<n { out[start &+ i] = values[from &+ i] }
          } else {
            innermost.withUnsafeBufferPointer { map in
              for i in 0..<n { out[start &+ i] = map[i] < 0 ? filler : values[base &+ map[i]] }
            }
          }
          var axis = outer.count - 1
          while axis >= 0 {
            index[axis] += 1
            if index[axis] < outer[axis] { break }
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }
}
