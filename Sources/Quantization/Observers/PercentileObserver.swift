/// The range that holds a share of the values.
///
/// (100 − share) / 2 percent are left out at each end, or all of them at the open end of a tensor of one sign. Values
/// count as spread evenly inside a bin, whose width is under 1/4096 of the largest magnitude.
package struct PercentileObserver: HistogramObserver {
  /// In percent.
  package let share: Double
  package var histogram = MagnitudeHistogram()
  package var seen = Extremes()

  package init(share: Double) { self.share = share }

  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> {
    let left = (100 - share) / 100
    if seen.lowest >= 0 { return 0...quantile(1 - left) }
    if seen.highest <= 0 { return quantile(left)...0 }
    return quantile(left / 2)...quantile(1 - left / 2)
  }

  /// The value below which this part of all values lies, inside of what was seen.
  func quantile(_ part: Double) -> Float {
    if part <= 0 { return seen.lowest }
    if part >= 1 { return seen.highest }
    var left = part * Double(seen.count)
    let width = histogram.width
    for (lower, count) in histogram.ascending() {
      if left <= count { return min(max(Float(lower + width * left / count), seen.lowest), seen.highest) }
      left -= count
    }
    return seen.highest
  }
}
