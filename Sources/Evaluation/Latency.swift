/// Times of variants measured in turn.
package struct LatencyTable: Sendable {
  /// Milliseconds of one inference, `[variant][round]`.
  package var rounds: [[Double]]

  package init(rounds: [[Double]]) { self.rounds = rounds }

  package func summary(_ variant: Int) -> LatencySummary {
    LatencySummary(
      median: Quantiles.median(rounds[variant]), p90: Quantiles.quantile(rounds[variant], 0.9),
      runs: rounds[variant].count)
  }

  /// How many times faster `variant` is than `reference`: the ratio of the medians, and its 95 % interval.
  package func speedup(of variant: Int, over reference: Int) -> (ratio: Double, interval: ClosedRange<Double>)
  {
    (
      Quantiles.median(rounds[reference]) / Quantiles.median(rounds[variant]),
      Quantiles.ratioInterval(rounds[reference], rounds[variant], seed: 1)
    )
  }
}

/// Milliseconds of one inference.
package struct LatencySummary: Sendable, Hashable, Codable {
  package var median: Double
  package var p90: Double
  package var runs: Int

  package init(median: Double, p90: Double, runs: Int) {
    self.median = median
    self.p90 = p90
    self.runs = runs
  }
}

package enum Latency {
  package static let warmUpRuns = 5

  /// Runs the variants in turn (A B C A B C …) so that whatever slows the machine slows all of them alike.
  ///
  /// - Parameters:
  ///   - variants: each runs one inference.
  ///   - rounds: how often each is timed, at most; fewer (but at least 10) when `seconds` run out.
  ///   - betweenRounds: called after each round; throws to stop.
  package static func measure(
    _ variants: [() throws -> Void], rounds: Int = 50, seconds: Double = 20,
    betweenRounds: (Int) throws -> Void = { _ in }
  ) throws -> LatencyTable {
    for _ in 0..<warmUpRuns { for run in variants { try run() } }
    var table = LatencyTable(rounds: Array(repeating: [], count: variants.count))
    let clock = ContinuousClock()
    let start = clock.now
    for round in 0..<rounds {
      for (index, run) in variants.enumerated() {
        let began = clock.now
        try run()
        table.rounds[index].append((clock.now - began) / .milliseconds(1))
      }
      try betweenRounds(round)
      if round >= 9, clock.now - start > .seconds(seconds) { break }
    }
    return table
  }
}
