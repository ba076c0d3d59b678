/// A piece of memory and the steps during which it holds something.
package struct PlannedBuffer: Sendable, Hashable {
  package var bytes: Int
  /// First step that writes it; −1 for inputs.
  package var first: Int
  /// Last step that reads it.
  package var last: Int

  package init(bytes: Int, first: Int, last: Int) {
    self.bytes = bytes
    self.first = first
    self.last = last
  }
}

/// Offsets of buffers in one arena, 64-byte aligned, so that buffers in use at the same step never overlap.
package struct MemoryPlan: Sendable {
  package var offsets: [Int]
  package var byteCount: Int

  /// Largest first, each at the lowest free offset.
  package init(_ buffers: [PlannedBuffer]) {
    offsets = [Int](repeating: 0, count: buffers.count)
    byteCount = 0
    var placed: [Int] = []
    let order = buffers.indices.sorted {
      (buffers[$1].bytes, buffers[$0].first, $0) < (buffers[$0].bytes, buffers[$1].first, $1)
    }
    for index in order {
      let size = Self.rounded(buffers[index].bytes)
      var offset = 0
      // `placed` is sorted by offset, so the first gap that fits is the lowest.
      for other in placed where Self.meet(buffers[index], buffers[other]) {
        let start = offsets[other]
        if offset + size <= start { break }
        offset = Swift.max(offset, start + Self.rounded(buffers[other].bytes))
      }
      offsets[index] = offset
      byteCount = Swift.max(byteCount, offset + size)
      placed.insert(index, at: placed.firstIndex { offsets[$0] > offset } ?? placed.count)
    }
  }

  /// Pairs of buffers that are in use at the same step and share bytes: none, in a correct plan.
  package func overlaps(_ buffers: [PlannedBuffer]) -> [(Int, Int)] {
    var result: [(Int, Int)] = []
    for a in buffers.indices {
      for b in buffers.indices where b > a && Self.meet(buffers[a], buffers[b]) {
        if offsets[a] < offsets[b] + buffers[b].bytes && offsets[b] < offsets[a] + buffers[a].bytes {
          result.append((a, b))
        }
      }
    }
    return result
  }

  private static func rounded(_ bytes: Int) -> Int { Swift.max(64, (bytes + 63) & ~63) }

  private static func meet(_ a: PlannedBuffer, _ b: PlannedBuffer) -> Bool {
    a.first <= b.last && b.first <= a.last
  }
}
