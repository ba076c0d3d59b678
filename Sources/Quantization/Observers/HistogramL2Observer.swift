/// PyTorch's HistogramObserver (2.13): 2 048 bins that are mapped to a wider range as it grows, then a greedy search
/// that moves one end at a time inwards while an estimate of the squared error falls.
///
/// Follows its arithmetic in float32. Every sample counts as one call. The error estimate takes 256 output levels
/// whatever the width of the codes, as there.
package struct HistogramL2Observer: Observer {
  static let binCount = 2048
  /// How finely a bin is cut before it is mapped to a wider range.
  static let cuts = 16
  static let levels: Float = 256

  package private(set) var seen = Extremes()
  private var histogram: [Float] = []

  package init() {}

  package mutating func observe(_ values: Span<Float>, extremes: Extremes) {
    guard extremes.count > 0 else { return }
    let (low, high) = (min(seen.lowest, extremes.lowest), max(seen.highest, extremes.highest))
    let counts = Self.counts(values, low, high)
    absorb(counts, low, high)
    seen.merge(extremes)
  }

  package mutating func merge(_ later: HistogramL2Observer) {
    guard later.seen.count > 0 else { return }
    let (low, high) = (min(seen.lowest, later.seen.lowest), max(seen.highest, later.seen.highest))
    absorb(Self.mapped(later.histogram, later.seen.lowest, later.seen.highest, low, high), low, high)
    seen.merge(later.seen)
  }

  /// Adds counts of bins from `low` to `high`, which hold everything seen so far.
  private mutating func absorb(_ counts: [Float], _ low: Float, _ high: Float) {
    if histogram.isEmpty {
      histogram = counts
      return
    }
    let old = Self.mapped(histogram, seen.lowest, seen.highest, low, high)
    histogram = zip(old, counts).map { $0 + $1 }
  }

  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> {
    let whole = seen.lowest...seen.highest
    guard bits <= widestSearchedBits, seen.lowest < seen.highest else { return whole }
    let (start, end) = search()
    let width = (seen.highest - seen.lowest) / Float(Self.binCount)
    return seen.lowest + width * Float(start)...seen.lowest + width * Float(end + 1)
  }

  package func bins(_ count: Int) -> [Float] {
    guard !histogram.isEmpty, Self.binCount % count == 0 else { return [] }
    let each = Self.binCount / count
    return (0..<count).map { bin in histogram[bin * each..<(bin + 1) * each].reduce(0, +) }
  }

  /// Equal bins from `low` to `high`; a range of one point counts as ±1 around it.
  private static func counts(_ values: Span<Float>, _ low: Float, _ high: Float) -> [Float] {
    let (left, right) = low == high ? (low - 1, high + 1) : (low, high)
    var counts = [Int](repeating: 0, count: binCount)
    let (bins, span) = (Float(binCount), right - left)
    values.withUnsafeBufferPointer { values in
      counts.withUnsafeMutableBufferPointer { counts in
        for value in values { counts[min(Int(Int32((value - left) * bins / span)), binCount - 1)] &+= 1 }
      }
    }
    return counts.map { Float($0) }
  }

  /// The same counts in bins of a range that holds the old one.
  private static func mapped(
    _ counts: [Float], _ low: Float, _ high: Float, _ newLow: Float, _ newHigh: Float
  ) -> [Float] {
    if low == newLow && high == newHigh { return counts }
    var result = [Float](repeating: 0, count: binCount)
    if low == high {
      let bin = min(Int((low - newLow) * Float(binCount) / (newHigh - newLow)), binCount - 1)
      result[bin] = counts.reduce(0, +)
      return result
    }
    let half = 0.5 * ((high - low) / Float(binCount * cuts))
    let edges = Line(newLow, newHigh, binCount)
    let pieces = Line(low, high, binCount * cuts)
    var bin = 0
    for piece in 0..<binCount * cuts {
      let middle = pieces[piece] + half
      while bin + 1 < binCount && edges[bin + 1] <= middle { bin += 1 }
      result[bin] += counts[piece / cuts] / Float(cuts)
    }
    return result
  }

  /// Points from `start` to `end` at equal distances, computed from the nearer end.
  private struct Line {
    var start, end, step: Float
    var steps: Int

    init(_ start: Float, _ end: Float, _ steps: Int) {
      self.start = start
      self.end = end
      self.steps = steps
      step = (end - start) / Float(steps)
    }

    subscript(index: Int) -> Float {
      index < (steps + 1) / 2 ? start + step * Float(index) : end - step * Float(steps - index)
    }
  }

  /// First and last bin of the range to keep.
  private func search() -> (Int, Int) {
    var below: [Float] = []
    var running: Float = 0
    for count in histogram {
      running += count
      below.append(running)
    }
    let total = Double(running)
    let step = 1e-5
    var (alpha, beta) = (0.0, 1.0)
    var (start, end) = (0, Self.binCount - 1)
    var least = Float.infinity
    while alpha < beta {
      let (nextAlpha, nextBeta) = (alpha + step, beta - step)
      let (low, high) = (Float(nextAlpha * total), Float(nextBeta * total))
      var (left, right) = (start, end)
      while left < end && below[left] < low { left += 1 }
      while right > start && below[right] > high { right -= 1 }
      var (nextStart, nextEnd) = (start, end)
      if left - start > end - right {
        nextStart = left
        alpha = nextAlpha
      } else {
        nextEnd = right
        beta = nextBeta
      }
      if nextStart == start && nextEnd == end { continue }
      let error = error(nextStart, nextEnd)
      if error > least { break }
      least = error
      (start, end) = (nextStart, nextEnd)
    }
    return (start, end)
  }

  /// Squared error when bins `start`…`end` are cut into equal output levels, values spread evenly in every bin.
  private func error(_ start: Int, _ end: Int) -> Float {
    let source = Double(seen.highest - seen.lowest) / Double(Self.binCount)
    let target = source * Double(end - start + 1) / Double(Self.levels)
    guard target != 0 else { return 0 }
    let (width, level, half) = (Float(source), Float(target), Float(target / 2))
    func cube(_ x: Float) -> Float { x * x * x }
    let whole = (cube(half) - cube(-half)) / 3
    var sum = 0.0
    for bin in 0..<Self.binCount where histogram[bin] > 0 {
      let begin = Float(bin - start) * width
      let finish = begin + width
      let first = min(max((begin / level).rounded(.down), 0), Self.levels - 1)
      let last = min(max((finish / level).rounded(.down), 0), Self.levels - 1)
      let density = histogram[bin] / width
      var norm = density * ((cube(half) - cube(begin - (first + 0.5) * level)) / 3)
      norm += (last - first - 1) * (density * whole)
      norm += density * ((cube(finish - (last * level + half)) - cube(-half)) / 3)
      sum += Double(norm)
    }
    return Float(sum)
  }
}
