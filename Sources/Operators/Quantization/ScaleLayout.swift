import Graph
import Tensors

/// Which scale each element of a tensor has: one for all, one for each index of an axis, or one for each block of
/// neighbours along an axis.
struct ScaleLayout {
  private enum Kind { case tensor, axis, block(Int) }
  private let kind: Kind
  private let count: Int
  private let outer: Int
  private let size: Int
  private let inner: Int

  /// - Parameters:
  ///   - block: elements along the axis that share a scale; 0 for a scale for each index.
  init(x: Shape, scale: Shape, axis: Int, block: Int) throws {
    count = x.elementCount
    if scale.elementCount == 1 {
      kind = .tensor
      (outer, size, inner) = (1, 1, x.elementCount)
      return
    }
    let along = try x.axis(axis)
    outer = Array(x[..<along]).elementCount
    size = x[along]
    inner = Array(x[(along + 1)...]).elementCount
    if block == 0 {
      guard scale == [size] else {
        throw OperatorError(
          "the scale has shape \(scale.shapeText) (expected one scale or \(size), one for each index of axis \(along))."
        )
      }
      kind = .axis
    } else {
      var wanted = x
      wanted[along] = (size + block - 1) / block
      guard scale == wanted else {
        throw OperatorError(
          "the scale has shape \(scale.shapeText) (expected \(wanted.shapeText) for blocks of \(block)).")
      }
      kind = .block(block)
    }
  }

  /// Calls `body` with runs of neighbours, the scale of the first one, and how far apart the scales of neighbours are.
  @inline(__always)
  func forEachRun(_ body: (_ elements: Range<Int>, _ scale: Int, _ step: Int) -> Void) {
    switch kind {
    case .tensor: body(0..<count, 0, 0)
    case .axis:
      for row in 0..<outer * size { body(row * inner..<(row + 1) * inner, row % size, 0) }
    case .block(let block):
      let blocks = (size + block - 1) / block
      for o in 0..<outer {
        for a in 0..<size {
          let start = (o * size + a) * inner
          body(start..<start + inner, (o * blocks + a / block) * inner, 1)
        }
      }
    }
  }
}

/// The attributes that quantizing and dequantizing share.
func checkedBlock(_ attributes: Attributes) throws -> Int {
  let block = try attributes.integer("block_size", default: 0)
  guard block >= 0, block < 1 << 40 else {
    throw OperatorError("attribute \"block_size\" is \(block) (expected 0 or a size).")
  }
  return block
}

/// Types a scale may have.
let scaleTypes: Set<ElementType> = [.float32, .float16, .bfloat16, .float8e8m0, .int32, .float64]
