import Foundation

/// A figure and its 95 % interval.
package struct Estimate: Sendable, Hashable {
  package var value: Double
  package var interval: ClosedRange<Double>

  package init(value: Double, interval: ClosedRange<Double>) {
    self.value = value
    self.interval = interval
  }

  static let normal95 = 1.959963984540054

  /// The mean, by the normal approximation: ±1.96 standard errors, s / √n with s² = Σ (x − mean)² / (n − 1).
  ///
  /// - Parameter values: at least one.
  package init(mean values: some Collection<Double>) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let half = count > 1 ? Self.normal95 * (squares / (count - 1) / count).squareRoot() : 0
    self.init(value: mean, interval: mean - half...mean + half)
  }

  /// A share, 0…1, by Wilson's interval (1927), which has a width at 0 and 1 too.
  package init(share hits: Int, of count: Int) {
    let (n, z) = (Double(count), Self.normal95)
    let p = Double(hits) / n
    let center = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    self.init(
      value: p,
      interval: Swift.max(0, Swift.min(p, center - half))...Swift.min(1, Swift.max(p, center + half)))
  }

  /// The figure under a function that keeps order.
  func map(_ body: (Double) -> Double) -> Estimate {
    Estimate(value: body(value), interval: body(interval.lowerBound)...body(interval.upperBound))
  }
}

/// Figures of a language model. Intervals treat scored tokens as independent, as llama.cpp's do.
extension Scores {
  /// exp(mean loss) over the scored tokens; `nil` for other networks and without labels.
  package var perplexity: Estimate? {
    guard scoresTokens, !loss.isEmpty else { return nil }
    return Estimate(mean: loss).map { exp($0) }
  }

  /// Perplexity over `reference`'s, paired: exp of the mean difference of the losses on the same tokens.
  package func perplexityRatio(to reference: Scores) -> Estimate? {
    guard scoresTokens, !loss.isEmpty, loss.count == reference.loss.count else { return nil }
    return Estimate(mean: zip(loss, reference.loss).map { $0 - $1 }).map { exp($0) }
  }

  /// Root of the mean square of the change of the right token's probability (llama.cpp's RMS Δp), 0…1.
  package func probabilityChange(from reference: Scores) -> Estimate? {
    guard scoresTokens, !loss.isEmpty, loss.count == reference.loss.count else { return nil }
    let squares = zip(loss, reference.loss).map { pair in
      let change = exp(-pair.0) - exp(-pair.1)
      return change * change
    }
    return Estimate(mean: squares).map { Swift.max($0, 0).squareRoot() }
  }

  /// Mean KL(float32 ‖ variant) in nats; `nil` where there are no class scores.
  package var divergenceEstimate: Estimate? {
    divergence.isEmpty ? nil : Estimate(mean: divergence)
  }

  /// Share of rows with the same top-1 as `reference`.
  package func agreementEstimate(with reference: Scores) -> Estimate? {
    guard !predicted.isEmpty, predicted.count == reference.predicted.count else { return nil }
    let same = zip(predicted, reference.predicted).count { $0 == $1 }
    return Estimate(share: same, of: predicted.count)
  }
}
