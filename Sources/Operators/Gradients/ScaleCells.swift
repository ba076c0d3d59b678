import Graph
import Tensors

/// Which elements of a tensor share a scale: the tensor as `outer` times `length` times `inner` elements, where the
/// middle axis is the one that scales run along.
struct ScaleCells {
  enum Sharing {
    case tensor
    case channel
    /// Along the middle axis; every outer and inner index has scales of its own.
    case group(Int)
  }

  var outer: Int
  var length: Int
  var inner: Int
  var sharing: Sharing

  init(shape: Shape, granularity: Scheme.Granularity, channelAxis: Int?, groupAxis: Int?) throws {
    func axis(_ axis: Int?) throws -> Int {
      guard let axis, shape.indices.contains(axis) else {
        throw OperatorError("x has shape \(shape.shapeText), which has no axis for the scales")
      }
      return axis
    }
    switch granularity {
    case .tensor: (outer, length, inner, sharing) = (1, 1, shape.elementCount, .tensor)
    case .channel:
      let axis = try axis(channelAxis)
      outer = shape[..<axis].reduce(1, *)
      length = shape[axis]
      inner = shape[(axis + 1)...].reduce(1, *)
      sharing = .channel
    case .group(let size):
      let axis = try axis(groupAxis)
      outer = shape[..<axis].reduce(1, *)
      length = shape[axis]
      inner = shape[(axis + 1)...].reduce(1, *)
      sharing = .group(size)
    }
  }

  /// Scales there are.
  var count: Int {
    switch sharing {
    case .tensor: 1
    case .channel: length
    case .group(let size): outer * ((length + size - 1) / size) * inner
    }
  }

  /// A block of neighbouring elements, `rows` of `columns`: with one scale, or one for each column.
  struct Block {
    var start: Int
    var rows: Int
    var columns: Int
    /// The scale of the block, or of its first column.
    var cell: Int
    var hasColumns: Bool
  }

  /// Pieces of work that share no scale, so that each may sum over its own.
  var pieces: Int {
    switch sharing {
    case .tensor: 1
    case .channel: inner == 1 ? 1 : length
    case .group(let size): outer * ((length + size - 1) / size)
    }
  }

  /// Calls back with the blocks of a piece.
  func forEachBlock(of piece: Int, _ body: (Block) -> Void) {
    switch sharing {
    case .tensor: body(Block(start: 0, rows: 1, columns: inner, cell: 0, hasColumns: false))
    case .channel:
      if inner == 1 {
        body(Block(start: 0, rows: outer, columns: length, cell: 0, hasColumns: true))
        return
      }
      for o in 0..<outer {
        body(
          Block(
            start: (o * length + piece) * inner, rows: 1, columns: inner, cell: piece, hasColumns: false))
      }
    case .group(let size):
      let groups = (length + size - 1) / size
      let first = piece % groups * size
      let rows = Swift.min(size, length - first)
      let start = (piece / groups * length + first) * inner
      if inner == 1 {
        body(Block(start: start, rows: 1, columns: rows, cell: piece, hasColumns: false))
      } else {
        body(Block(start: start, rows: rows, columns: inner, cell: piece * inner, hasColumns: true))
      }
    }
  }
}
