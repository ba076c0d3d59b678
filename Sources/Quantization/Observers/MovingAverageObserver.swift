import Foundation

/// Exponential mean of the samples' extremes: the first sample counts whole, each later one with weight `constant`.
package struct MovingAverageObserver: Observer {
  package let constant: Double
  package private(set) var seen = Extremes()
  private var low = Mean()
  private var high = Mean()

  /// mean = (1 − c)^(n−1) · first + the later samples' share; the first value is kept so that means can be joined.
  private struct Mean: Sendable {
    var first = 0.0
    var mean = 0.0
    var samples = 0

    mutating func add(_ value: Double, _ c: Double) {
      if samples == 0 {
        first = value
        mean = value
      } else {
        mean += c * (value - mean)
      }
      samples += 1
    }

    /// As if `later`'s samples had followed: its first sample then weighs c instead of 1.
    mutating func merge(_ later: Mean, _ c: Double) {
      guard later.samples > 0 else { return }
      guard samples > 0 else {
        self = later
        return
      }
      let decay = pow(1 - c, Double(later.samples))
      mean = decay * mean + later.mean - decay * later.first
      samples += later.samples
    }
  }

  package init(constant: Double) { self.constant = constant }

  package mutating func observe(_ values: Span<Float>, extremes: Extremes) {
    guard extremes.count > 0 else { return }
    seen.merge(extremes)
    low.add(Double(extremes.lowest), constant)
    high.add(Double(extremes.highest), constant)
  }

  package mutating func merge(_ later: MovingAverageObserver) {
    seen.merge(later.seen)
    low.merge(later.low, constant)
    high.merge(later.high, constant)
  }

  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> {
    let lower = Float(low.mean)
    return lower...max(lower, Float(high.mean))
  }
}
