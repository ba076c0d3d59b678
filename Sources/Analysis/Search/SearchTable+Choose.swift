import Evaluation
import Jobs
import Workflows

extension SearchTable {
  /// The best by prediction: within what the front is drawn over where that is bounded, else the smallest that is measured
  /// to keep the bound on the drop.
  mutating func start(reporter: Reporter) throws -> Entry {
    let most = axis.limit ?? axis.float + knapsack.mostAmount
    var best = try measure(predicted(within: most))
    guard search.settings.wanted != .loss else { return best }
    // Between the largest point that breaks the bound and the smallest that keeps it.
    var low = axis.float + knapsack.leastAmount
    for entry in front where keepsDrop(entry.standing.scores) && entry.amount < best.amount { best = entry }
    for entry in front where !keepsDrop(entry.standing.scores) && entry.amount < best.amount {
      low = Swift.max(low, entry.amount)
    }
    let halvings = 6
    for halving in 0..<halvings where best.amount - low > axis.float / 200 {
      let middle = (low + best.amount) / 2
      let entry = try measure(predicted(within: middle))
      if keepsDrop(entry.standing.scores), entry.amount < best.amount { best = entry } else { low = middle }
      try reporter.report(Double(halving + 1) / Double(halvings), "halving between points")
    }
    return best
  }

  /// Goes to the first neighbour that measures better, nearest by prediction first, as long as measurements are left.
  mutating func refined(_ start: Entry, reporter: Reporter) throws -> Entry {
    var best = start
    let budget = (axis.limit ?? start.amount) - axis.float
    var left = search.settings.refinements
    let all = Swift.max(left, 1)
    climb: while left > 0 {
      for picks in knapsack.neighbours(best.picks, within: budget) where measured[picks] == nil {
        if breaksOther(picks) { continue }
        let entry = try measure(picks)
        left -= 1
        try reporter.report(1 - Double(left) / Double(all), "trying neighbours")
        if isBetter(entry.standing, than: best.standing) {
          best = entry
          continue climb
        }
        if left == 0 { break climb }
      }
      break
    }
    return best
  }

  private func keepsDrop(_ scores: Scores) -> Bool {
    guard let most = bounds.maxDrop, let agreement = scores.agreement(with: selection.float32) else {
      return true
    }
    return 1 - agreement <= most
  }

  private func keepsBytes(_ bytes: Int) -> Bool { bounds.maxBytes.map { bytes <= $0 } ?? true }

  private func keepsLatency(_ ratio: Double?) -> Bool {
    guard let most = bounds.maxLatencyRatio, let ratio else { return true }
    return ratio <= most
  }

  func keepsBounds(_ network: Standing) -> Bool {
    keepsBytes(network.bytes) && keepsLatency(network.latencyRatio) && keepsDrop(network.scores)
  }

  /// Whether one network is nearer to what is wanted than another: first the bounds, then what is made small, then the
  /// cost.
  func isBetter(_ a: Standing, than b: Standing) -> Bool {
    if keepsBytes(a.bytes) != keepsBytes(b.bytes) { return keepsBytes(a.bytes) }
    if keepsLatency(a.latencyRatio) != keepsLatency(b.latencyRatio) { return keepsLatency(a.latencyRatio) }
    if keepsDrop(a.scores) != keepsDrop(b.scores) { return keepsDrop(a.scores) }
    if keepsDrop(a.scores) {
      switch search.settings.wanted {
      case .size: if a.bytes != b.bytes { return a.bytes < b.bytes }
      case .latency:
        if let (left, right) = both(a.latencyRatio, b.latencyRatio), left != right { return left < right }
      case .loss: break
      }
    }
    return a.scores.distance < b.scores.distance
  }

  private func both(_ a: Double?, _ b: Double?) -> (Double, Double)? {
    a.flatMap { a in b.map { (a, $0) } }
  }
}
