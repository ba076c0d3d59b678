/// Counts of values by sign and magnitude, over a range that doubles as larger values come.
///
/// A bin is 2^exponent wide and there are `size` of them for each sign; doubling the range adds neighbours in pairs. A
/// bin's number is ⌊|x| / 2^exponent⌋, exact, so the counts depend only on the values, never on their order or on
/// how they were split. After the first value that is not zero, at least half of one sign's bins are in range.
package struct MagnitudeHistogram: Sendable, Equatable {
  package static let size = 8192

  /// Counts: the positive bins, then the negative ones.
  private var counts = [UInt64](repeating: 0, count: 2 * size)
  /// log2 of a bin's width; `nil` while only zeros were seen.
  package private(set) var exponent: Int?

  package init() {}

  /// Width of a bin; 0 while only zeros were seen.
  package var width: Double { exponent.map { Double(sign: .plus, exponent: $0, significand: 1) } ?? 0 }

  package func positive(_ bin: Int) -> UInt64 { counts[bin] }
  package func negative(_ bin: Int) -> UInt64 { counts[Self.size + bin] }

  /// Counts every value; `largest` is their largest magnitude, and all are finite.
  package mutating func add(_ values: Span<Float>, largest: Float) {
    if largest == 0 {
      counts[0] += UInt64(values.count)
      return
    }
    // size = 2^13, so that `largest` < size · 2^exponent; −126 keeps the reciprocal of the width finite.
    grow(to: max(Int(largest.exponent) - 12, -126))
    let scale = Float(sign: .plus, exponent: -(exponent ?? 0), significand: 1)
    values.withUnsafeBufferPointer { values in
      counts.withUnsafeMutableBufferPointer { counts in
        for value in values {
          let bits = value.bitPattern
          let bin = Int(Int32(Float(bitPattern: bits & 0x7fff_ffff) * scale))
          counts[bin &+ Int(bits >> 31) &* Self.size] &+= 1
        }
      }
    }
  }

  package mutating func merge(_ other: MagnitudeHistogram) {
    var other = other
    if let wider = other.exponent { grow(to: wider) }
    if let exponent { other.grow(to: exponent) }
    for bin in counts.indices { counts[bin] += other.counts[bin] }
  }

  /// Adds bins together until they are 2^target wide, where they are narrower.
  private mutating func grow(to target: Int) {
    guard let current = exponent else {
      exponent = target
      return
    }
    guard target > current else { return }
    let shift = target - current
    var wider = [UInt64](repeating: 0, count: counts.count)
    for bin in 0..<Self.size {
      let into = shift >= 13 ? 0 : bin >> shift
      wider[into] += counts[bin]
      wider[Self.size + into] += counts[Self.size + bin]
    }
    counts = wider
    exponent = target
  }

  /// Bins in use in ascending order of value: lower edge and count; empty ones are left out.
  package func ascending() -> [(lower: Double, count: Double)] {
    var result: [(Double, Double)] = []
    let width = width
    for bin in (0..<Self.size).reversed() where counts[Self.size + bin] > 0 {
      result.append((-Double(bin + 1) * width, Double(counts[Self.size + bin])))
    }
    for bin in 0..<Self.size where counts[bin] > 0 {
      result.append((Double(bin) * width, Double(counts[bin])))
    }
    return result
  }

  /// The values spread evenly inside each bin and counted again in `count` bins from `lower` to `upper`.
  package func rebinned(_ count: Int, lower: Double, upper: Double, magnitudes: Bool = false) -> [Double] {
    var result = [Double](repeating: 0, count: count)
    let target = (upper - lower) / Double(count)
    guard target > 0 else {
      result[0] = counts.reduce(0) { $0 + Double($1) }
      return result
    }
    let width = width
    func spread(from edge: Double, _ amount: Double) {
      let first = min(max(Int(((edge - lower) / target).rounded(.down)), 0), count - 1)
      let last = min(max(Int(((edge + width - lower) / target).rounded(.up)) - 1, first), count - 1)
      if first == last {
        result[first] += amount
        return
      }
      // What lies outside of lower…upper holds no values: only the part inside counts.
      let start = max(edge, lower)
      let end = min(edge + width, upper)
      for bin in first...last {
        let from = max(start, lower + Double(bin) * target)
        let to = min(end, lower + Double(bin + 1) * target)
        if to > from { result[bin] += amount * (to - from) / (end - start) }
      }
    }
    for bin in 0..<Self.size {
      let (above, below) = (Double(counts[bin]), Double(counts[Self.size + bin]))
      if magnitudes {
        if above + below > 0 { spread(from: Double(bin) * width, above + below) }
      } else {
        if above > 0 { spread(from: Double(bin) * width, above) }
        if below > 0 { spread(from: -Double(bin + 1) * width, below) }
      }
    }
    return result
  }
}

/// An observer whose range comes from one histogram.
package protocol HistogramObserver: Observer {
  var histogram: MagnitudeHistogram { get set }
  var seen: Extremes { get set }
}

extension HistogramObserver {
  package mutating func observe(_ values: Span<Float>, extremes: Extremes) {
    guard extremes.count > 0 else { return }
    seen.merge(extremes)
    histogram.add(values, largest: extremes.magnitude)
  }

  package mutating func merge(_ later: Self) {
    seen.merge(later.seen)
    histogram.merge(later.histogram)
  }

  package func bins(_ count: Int) -> [Float] {
    guard seen.count > 0 else { return [] }
    return histogram.rebinned(count, lower: Double(seen.lowest), upper: Double(seen.highest)).map {
      Float($0)
    }
  }
}
