import CKernels
import Glibc
import Graph
import Tensors

/// Copies elements between two arrangements of memory: every transposition, slice, concatenation and change of layout.
package struct StridedCopy {
  /// Sizes of the axes that remain after merging, and strides in elements; the last axis is the innermost.
  private var sizes: [Int] = []
  private var from: [Int] = []
  private var to: [Int] = []
  private let elementBytes: Int
  private let isEmpty: Bool
  /// A whole matrix is transposed at once: the two innermost axes, elements of 1 or 4 bytes.
  private var isTransposition = false
  /// Rows of neighbouring elements are copied many at once.
  private var areRows: Bool {
    sizes.count > 1 && from.last == 1 && to.last == 1 && from[sizes.count - 2] >= 0
  }

  /// - Parameters:
  ///   - shape: sizes of the logical axes.
  ///   - source, target: elements between neighbours along each axis; 0 repeats, negative runs backwards.
  package init(shape: Shape, source: [Int], target: [Int], elementBytes: Int) {
    self.elementBytes = elementBytes
    isEmpty = shape.elementCount == 0
    let axes = shape.indices.filter { shape[$0] != 1 }.sorted { (target[$0], $0) > (target[$1], $1) }
    for axis in axes {
      if let size = sizes.last, let f = from.last, let t = to.last, f == source[axis] * shape[axis],
        t == target[axis] * shape[axis]
      {
        sizes[sizes.count - 1] = size * shape[axis]
        from[from.count - 1] = source[axis]
        to[to.count - 1] = target[axis]
      } else {
        sizes.append(shape[axis])
        from.append(source[axis])
        to.append(target[axis])
      }
    }
    if sizes.isEmpty {
      sizes = [1]
      from = [1]
      to = [1]
    }
    let last = sizes.count - 1
    if last >= 1, to[last] == 1, from[last] != 1, [1, 4].contains(elementBytes),
      let unit = from[..<last].firstIndex(of: 1), from[last] > 0
    {
      // The axis that is dense in the source goes next to the innermost one.
      sizes.insert(sizes.remove(at: unit), at: last - 1)
      from.insert(from.remove(at: unit), at: last - 1)
      to.insert(to.remove(at: unit), at: last - 1)
      isTransposition = to[last - 1] >= sizes[last] && from[last] >= sizes[last - 1]
    }
  }

  /// Whether source and target are the same bytes in the same order.
  package var isIdentity: Bool { sizes.count == 1 && from[0] == 1 && to[0] == 1 }

  /// The copy from element `source` of one array to element `target` of another.
  package func phase(
    _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, kernels: UnsafePointer<ck_table>
  ) -> Phase {
    guard !isEmpty else { return Phase(chunks: 0) { _ in } }
    let bytes = elementBytes
    let (sizes, from, to) = (sizes, from, to)
    let innerAxes = isTransposition || areRows ? 2 : 1
    let outer = sizes.count - innerAxes
    let rows = sizes[..<outer].reduce(1, *)
    let inner = sizes[outer...].reduce(1, *)
    let move = isTransposition ? transposed(kernels) : areRows ? rowsTogether(kernels) : row()
    if isIdentity {
      let grain = 1 << 18
      return Phase.over(inner * bytes, grain: grain) { start, end in memcpy(y + start, x + start, end - start)
      }
    }
    let grain = Swift.max(1, (1 << 15) / Swift.max(1, inner))
    return Phase.over(rows, grain: grain) { first, end in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: outer + 1) { index in
        var rest = first
        var (source, target) = (0, 0)
        for axis in stride(from: outer - 1, through: 0, by: -1) {
          index[axis] = rest % sizes[axis]
          rest /= sizes[axis]
          source += index[axis] * from[axis]
          target += index[axis] * to[axis]
        }
        for _ in first..<end {
          move(x + source * bytes, y + target * bytes)
          var axis = outer - 1
          while axis >= 0 {
            index[axis] += 1
            source += from[axis]
            target += to[axis]
            if index[axis] < sizes[axis] { break }
            source -= from[axis] * sizes[axis]
            target -= to[axis] * sizes[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }

  private func transposed(_ kernels: UnsafePointer<ck_table>) -> (UnsafeRawPointer, UnsafeMutableRawPointer)
    -> Void
  {
    // Target rows run along the innermost axis; source rows along the one before it.
    let last = sizes.count - 1
    let (rows, columns) = (sizes[last], sizes[last - 1])
    let (sourceStride, targetStride) = (from[last], to[last - 1])
    if rows <= 4, !(rows == 3 && targetStride == 3) {
      // Few planes next to each other: the tiles of the kernels would be mostly empty.
      return elementBytes == 4
        ? { Self.interleave(UInt32.self, $0, $1, rows, columns, sourceStride, targetStride) }
        : { Self.interleave(UInt8.self, $0, $1, rows, columns, sourceStride, targetStride) }
    }
    if elementBytes == 4 {
      return { kernels.pointee.transpose_32($0, rows, columns, sourceStride, $1, targetStride) }
    }
    return { kernels.pointee.transpose_8($0, rows, columns, sourceStride, $1, targetStride) }
  }

  private func rowsTogether(
    _ kernels: UnsafePointer<ck_table>
  ) -> (UnsafeRawPointer, UnsafeMutableRawPointer) -> Void {
    let last = sizes.count - 1
    let (rows, bytes) = (sizes[last - 1], sizes[last] * elementBytes)
    let (sourceStride, targetStride) = (from[last - 1] * elementBytes, to[last - 1] * elementBytes)
    return { kernels.pointee.copy_rows($0, rows, bytes, sourceStride, $1, targetStride) }
  }

  private func row() -> (UnsafeRawPointer, UnsafeMutableRawPointer) -> Void {
    let last = sizes.count - 1
    let (n, f, t, bytes) = (sizes[last], from[last], to[last], elementBytes)
    switch bytes {
    case 1: return { Self.copy(UInt8.self, $0, $1, n, f, t) }
    case 2: return { Self.copy(UInt16.self, $0, $1, n, f, t) }
    case 4: return { Self.copy(UInt32.self, $0, $1, n, f, t) }
    default: return { Self.copy(UInt64.self, $0, $1, n, f, t) }
    }
  }

  /// Planes of `columns` elements as pixels of `rows` elements.
  @inline(__always)
  private static func interleave<T>(
    _ type: T.Type, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ rows: Int, _ columns: Int,
    _ plane: Int, _ pixel: Int
  ) {
    let (x, y) = (x.of(T.self), y.of(T.self))
    for row in 0..<rows {
      let (from, to) = (x + row * plane, y + row)
      for i in 0..<columns { to[i &* pixel] = from[i] }
    }
  }

  @inline(__always)
  private static func copy<T>(
    _ type: T.Type, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ n: Int, _ from: Int, _ to: Int
  ) {
    let (x, y) = (x.of(T.self), y.of(T.self))
    for i in 0..<n { y[i &* to] = x[i &* from] }
  }
}
