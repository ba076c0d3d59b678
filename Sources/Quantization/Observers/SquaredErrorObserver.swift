import Tensors

/// The range with the least squared error: both ends of what was seen times f, f = 0.1, 0.11 … 1.
///
/// The error is summed over the middles of the histogram's bins; ties go to the larger f.
package struct SquaredErrorObserver: HistogramObserver {
  package var histogram = MagnitudeHistogram()
  package var seen = Extremes()

  package init() {}

  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> {
    let whole = seen.lowest...seen.highest
    guard bits <= widestSearchedBits, seen.magnitude > 0 else { return whole }
    let bins = histogram.ascending()
    let middle = Float(histogram.width / 2)
    // A bin may reach past what was seen: its middle stays inside.
    let values = bins.map { min(max(Float($0.lower) + middle, seen.lowest), seen.highest) }
    let weights = bins.map { Float($0.count) }
    var best = (error: Double.infinity, range: whole)
    for step in (10...100).reversed() {
      let f = Float(step) / 100
      let range = seen.lowest * f...seen.highest * f
      let encoding = Encoding.covering(range, bits: bits, symmetric: symmetric)
      let error = Self.error(values, weights, encoding)
      if error < best.error { best = (error, range) }
    }
    return best.range
  }

  private static func error(_ values: [Float], _ weights: [Float], _ encoding: Encoding) -> Double {
    let scale = encoding.scales[0]
    let lower = Float(encoding.codes.lowerBound - encoding.zeroPoints[0])
    let upper = Float(encoding.codes.upperBound - encoding.zeroPoints[0])
    var sum = 0.0
    for index in values.indices {
      let code = nearest(min(max(values[index] / scale, lower), upper))
      let distance = values[index] - code * scale
      sum += Double(distance * distance * weights[index])
    }
    return sum
  }
}
