import Foundation
import Tensors

/// How two classifiers differ on the same samples.
package struct PairedDifference: Sendable, Hashable, Codable {
  package var samples: Int
  /// Right in the reference and wrong in the candidate.
  package var lost: Int
  /// Wrong in the reference and right in the candidate.
  package var gained: Int

  package init(samples: Int, lost: Int, gained: Int) {
    self.samples = samples
    self.lost = lost
    self.gained = gained
  }

  /// Accuracy of the candidate minus the reference's, −1…1.
  package var delta: Double { samples == 0 ? 0 : Double(gained - lost) / Double(samples) }

  /// 95 % interval of `delta`: the adjusted Wald interval for paired proportions, which also has a width when no
  /// sample differs (Bonett and Price, 2012, "Adjusted Wald confidence interval for a difference of binomial
  /// proportions based on paired data").
  package var interval95: ClosedRange<Double> {
    let n = Double(samples) + 2
    let p = (Double(gained) + 1) / n
    let q = (Double(lost) + 1) / n
    let half = 1.959963984540054 * (Swift.max(p + q - (p - q) * (p - q), 0) / n).squareRoot()
    return Swift.max(p - q - half, -1)...Swift.min(p - q + half, 1)
  }

  /// McNemar's exact two-sided p-value: how likely a split as uneven as lost : gained is when both are as good.
  package var pValue: Double {
    let n = lost + gained
    guard n > 0 else { return 1 }
    let fewer = Swift.min(lost, gained)
    var tail = 0.0
    for k in 0...fewer {
      let logChoices: Double = lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
      tail += exp(logChoices - Double(n) * 0.6931471805599453)
    }
    return Swift.min(1, 2 * tail)
  }
}

/// Order statistics of measured times.
package enum Quantiles {
  /// The value below which the share `p` (0…1) of the values lies, linear between neighbours.
  package static func quantile(_ values: [Double], _ p: Double) -> Double {
    precondition(!values.isEmpty, "a quantile of nothing")
    let sorted = values.sorted()
    let place = p * Double(sorted.count - 1)
    let low = Int(place.rounded(.down))
    let high = Swift.min(low + 1, sorted.count - 1)
    return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
  }

  package static func median(_ values: [Double]) -> Double { quantile(values, 0.5) }

  /// 95 % interval of median(a) / median(b) by resampling rounds: a and b of one round stay together, so what
  /// disturbed both counts once.
  package static func ratioInterval(_ a: [Double], _ b: [Double], seed: UInt64, resamples: Int = 400)
    -> ClosedRange<Double>
  {
    precondition(a.count == b.count && !a.isEmpty, "one value of each per round")
    var random = SplitMix64(seed: seed)
    var ratios: [Double] = []
    ratios.reserveCapacity(resamples)
    var x = a
    var y = b
    for _ in 0..<resamples {
      for i in a.indices {
        let pick = Int(random.next() % UInt64(a.count))
        x[i] = a[pick]
        y[i] = b[pick]
      }
      ratios.append(median(x) / median(y))
    }
    return quantile(ratios, 0.025)...quantile(ratios, 0.975)
  }
}

/// How alike two orders are.
package enum Ranks {
  /// Spearman's correlation, −1…1: Pearson's of the ranks, equal values sharing the mean of theirs; `nil` for fewer than
  /// three pairs, or where all values of one side are equal.
  package static func correlation(_ a: [Double], _ b: [Double]) -> Double? {
    precondition(a.count == b.count, "pairs")
    guard a.count > 2 else { return nil }
    let (x, y) = (ranks(a), ranks(b))
    let mean = Double(a.count - 1) / 2
    var (both, first, second) = (0.0, 0.0, 0.0)
    for (p, q) in zip(x, y) {
      both += (p - mean) * (q - mean)
      first += (p - mean) * (p - mean)
      second += (q - mean) * (q - mean)
    }
    return first > 0 && second > 0 ? both / (first * second).squareRoot() : nil
  }

  /// From 0.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var result = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
      for place in start...end { result[order[place]] = Double(start + end) / 2 }
      start = end + 1
    }
    return result
  }
}
