/// A cell position; column 0, row 0 is the top left.
package struct Point: Hashable, Sendable {
  package var x: Int
  package var y: Int

  package init(x: Int, y: Int) {
    self.x = x
    self.y = y
  }
}

/// Columns and rows.
package struct Size: Hashable, Sendable {
  package var width: Int
  package var height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }
}

/// A rectangle of cells; never of negative size.
package struct Rect: Hashable, Sendable {
  package var x: Int
  package var y: Int
  package private(set) var width: Int
  package private(set) var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = max(0, width)
    self.height = max(0, height)
  }

  package static let zero = Rect(x: 0, y: 0, width: 0, height: 0)

  /// One past the last column.
  package var maxX: Int { x + width }
  /// One past the last row.
  package var maxY: Int { y + height }
  package var isEmpty: Bool { width == 0 || height == 0 }
  package var size: Size { Size(width: width, height: height) }

  package func contains(_ point: Point) -> Bool {
    point.x >= x && point.x < maxX && point.y >= y && point.y < maxY
  }

  package func intersection(_ other: Rect) -> Rect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    return Rect(
      x: left, y: top, width: min(maxX, other.maxX) - left, height: min(maxY, other.maxY) - top)
  }

  /// The rectangle without a margin; empty where the margin eats all of it.
  package func inset(left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0) -> Rect {
    Rect(
      x: x + min(left, width), y: y + min(top, height), width: width - left - right,
      height: height - top - bottom)
  }

  package func inset(by margin: Int) -> Rect {
    inset(left: margin, top: margin, right: margin, bottom: margin)
  }

  /// A rectangle of at most this size in the middle of this one.
  package func centered(_ size: Size) -> Rect {
    let inner = Size(width: min(size.width, width), height: min(size.height, height))
    return Rect(
      x: x + (width - inner.width) / 2, y: y + (height - inner.height) / 2, width: inner.width,
      height: inner.height)
  }

  /// Row `index` counted from the top; empty when there is no such row.
  package func row(_ index: Int) -> Rect {
    Rect(x: x, y: y + index, width: width, height: index >= 0 && index < height ? 1 : 0)
  }

  /// Side by side, from the left.
  package func columns(_ extents: [Extent], gap: Int = 0) -> [Rect] {
    var left = x
    return Extent.divide(width, among: extents, gap: gap).map { size in
      defer { left += size + gap }
      return Rect(x: left, y: y, width: min(size, maxX - left), height: height)
    }
  }

  /// One under the other, from the top.
  package func rows(_ extents: [Extent], gap: Int = 0) -> [Rect] {
    var top = y
    return Extent.divide(height, among: extents, gap: gap).map { size in
      defer { top += size + gap }
      return Rect(x: x, y: top, width: width, height: min(size, maxY - top))
    }
  }
}

/// What one part of a split asks for.
package enum Extent: Hashable, Sendable {
  case fixed(Int)
  /// A part of what the fixed ones leave, in proportion to the weight, never below the minimum while there is room.
  case share(Int, minimum: Int = 0)

  /// Sizes that add up to `total` minus the gaps when there is a share, and never to more.
  package static func divide(_ total: Int, among extents: [Extent], gap: Int = 0) -> [Int] {
    var left = max(0, total - gap * max(0, extents.count - 1))
    var sizes = [Int](repeating: 0, count: extents.count)
    for (index, extent) in extents.enumerated() {
      if case .fixed(let size) = extent {
        sizes[index] = min(max(0, size), left)
        left -= sizes[index]
      }
    }
    // Shares whose proportion is below their minimum get the minimum; the others divide what is left.
    var open: [(index: Int, weight: Int, minimum: Int)] = []
    for (index, extent) in extents.enumerated() {
      if case .share(let weight, let minimum) = extent { open.append((index, max(0, weight), minimum)) }
    }
    while true {
      let weights = max(1, open.reduce(0) { $0 + $1.weight })
      guard let pinned = open.firstIndex(where: { left * $0.weight / weights < $0.minimum }) else { break }
      let share = open.remove(at: pinned)
      sizes[share.index] = min(share.minimum, left)
      left -= sizes[share.index]
    }
    let weights = max(1, open.reduce(0) { $0 + $1.weight })
    var seen = 0
    for share in open {
      let from = left * seen / weights
      seen += share.weight
      sizes[share.index] = left * seen / weights - from
    }
    return sizes
  }
}
