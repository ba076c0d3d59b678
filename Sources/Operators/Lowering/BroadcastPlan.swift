import Graph
import Tensors

/// A walk over a result and its operands together, a row at a time, when each may lie in an order of its own.
///
/// Axes are ordered as the result lies in memory; neighbours that all operands walk evenly are merged.
struct BroadcastPlan {
  private var sizes: [Int] = []
  /// Per operand (the result first), elements between neighbours along each outer axis.
  private var outer: [[Int]]
  /// Elements of a row, and between neighbours of a row for each operand.
  private(set) var count = 1
  private(set) var inner: [Int]

  /// - Parameters:
  ///   - shape: of the result.
  ///   - strides: of the result, then of each operand, along the result's logical axes.
  init(shape: Shape, strides: [[Int]]) {
    var merged: [Int] = []
    var steps = [[Int]](repeating: [], count: strides.count)
    let order = shape.indices.filter { shape[$0] != 1 }.sorted { (strides[0][$0], $1) > (strides[0][$1], $0) }
    for axis in order {
      let last = merged.count - 1
      if last >= 0, strides.indices.allSatisfy({ steps[$0][last] == strides[$0][axis] * shape[axis] }) {
        merged[last] *= shape[axis]
        for i in strides.indices { steps[i][last] = strides[i][axis] }
      } else {
        merged.append(shape[axis])
        for i in strides.indices { steps[i].append(strides[i][axis]) }
      }
    }
    if shape.elementCount == 0 {
      count = 0
    } else {
      count = merged.popLast() ?? 1
    }
    inner = steps.map { $0.last ?? 1 }
    sizes = merged
    outer = steps.map { Array($0.dropLast()) }
  }

  var rows: Int { count == 0 ? 0 : sizes.reduce(1, *) }

  /// The work in chunks of about `grain` elements.
  ///
  /// `row` gets the number of elements and, per operand, the offset of the first one.
  func phase(grain: Int, _ row: @escaping (_ count: Int, _ offsets: UnsafePointer<Int>) -> Void) -> Phase {
    let operands = inner.count
    let (sizes, outer, inner, count, rows) = (sizes, outer, inner, count, rows)
    if rows == 1 {
      return Phase.over(count, grain: grain) { from, to in
        withUnsafeTemporaryAllocation(of: Int.self, capacity: operands) { offsets in
          for i in 0..<operands { offsets[i] = from * inner[i] }
          if let base = offsets.baseAddress { row(to - from, base) }
        }
      }
    }
    return Phase.over(rows, grain: Swift.max(1, grain / Swift.max(1, count))) { first, end in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: operands + sizes.count) { memory in
        guard let offsets = memory.baseAddress else { return }
        let index = offsets + operands
        for i in 0..<operands { offsets[i] = 0 }
        var rest = first
        for axis in stride(from: sizes.count - 1, through: 0, by: -1) {
          index[axis] = rest % sizes[axis]
          rest /= sizes[axis]
          for i in 0..<operands { offsets[i] += index[axis] * outer[i][axis] }
        }
        for _ in first..<end {
          row(count, offsets)
          var axis = sizes.count - 1
          while axis >= 0 {
            index[axis] += 1
            for i in 0..<operands { offsets[i] += outer[i][axis] }
            if index[axis] < sizes[axis] { break }
            for i in 0..<operands { offsets[i] -= outer[i][axis] * sizes[axis] }
            index[axis] = 0
            axis -= 1
          }
        }
      }
    }
  }
}

/// Operands of an elementwise operator and the order in which it reads and writes them.
struct BroadcastOperands {
  var layout: Layout
  var shape: Shape
  private(set) var reads: [KernelCall.Read] = []
  private(set) var strides: [[Int]]

  /// The operands `indices` of a site, in the order the largest of them has.
  ///
  /// `nil` when a shape is unknown.
  init?(_ site: LoweringSite, indices: [Int]) {
    guard let result = site.outputs.first?.shape else { return nil }
    let operands = indices.compactMap { site.input($0) }
    guard operands.count == indices.count else { return nil }
    let whole = operands.filter { $0.info.shape == result && $0.info.constant == nil }
    var layout = whole.first { $0.layout == .channelsLast }?.layout ?? whole.first?.layout ?? .rowMajor
    if whole.isEmpty,
      let other = operands.first(where: { $0.info.shape?.count == result.count && $0.info.constant == nil })
    {
      layout = other.layout
    }
    if case .flattened = layout,
      operands.contains(where: { $0.info.count != 1 && ($0.info.shape != result || $0.layout != layout) })
    {
      layout = .rowMajor
    }
    self.layout = layout
    shape = result
    strides = [layout.strides(of: result)]
    for (index, operand) in zip(indices, operands) {
      guard let own = operand.info.shape else { return nil }
      let order: Layout = own.count == result.count && own.elementCount > 1 ? layout : .rowMajor
      reads.append(KernelCall.Read(.input(index), operand.decoded(order)))
      let padded = Shape(repeating: 1, count: result.count - own.count) + own
      let steps = [Int](repeating: 0, count: result.count - own.count) + order.strides(of: own)
      strides.append(padded.indices.map { padded[$0] == 1 && result[$0] != 1 ? 0 : steps[$0] })
    }
  }

  var plan: BroadcastPlan { BroadcastPlan(shape: shape, strides: strides) }
  var isDense: Bool { strides.allSatisfy { $0 == strides[0] } }
}

extension OperandInfo {
  /// Elements, where the shape is known.
  var count: Int? { shape?.elementCount }
}
