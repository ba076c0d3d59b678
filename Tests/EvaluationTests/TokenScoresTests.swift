import Evaluation
import Foundation
import Tensors
import Testing

/// Figures of a language model on two windows of five tokens and a vocabulary of seven, computed with NumPy in float64
/// from the same float32 logits.
@Suite struct TokenScoresTests {
  private static let shape = [2, 5, 7]
  /// Of f = 3·sin(0.7·i) for the element i, and of q = f + 2·cos(1.3·i).
  private static let float32 = logits { 3 * sin(0.7 * $0) }
  private static let candidate = logits { 3 * sin(0.7 * $0) + 2 * cos(1.3 * $0) }
  private static let labels = [3, 0, 6, 2, -1, -1, 1, 5, 4, -1]

  private static func logits(_ value: (Double) -> Double) -> Tensor {
    Tensor((0..<70).map { Float(value(Double($0))) }, shape: shape)
  }

  private func near(_ found: Estimate?, _ value: Double, _ low: Double, _ high: Double) throws {
    let found = try #require(found)
    for (x, y) in [(found.value, value), (found.interval.lowerBound, low), (found.interval.upperBound, high)]
    {
      #expect(abs(x - y) <= 2e-6 * abs(y), "\(x), expected \(y)")
    }
  }

  private func scores(_ logits: Tensor) -> Scores {
    var scores = Scores()
    scores.add([logits], reference: [Self.float32], classes: 0, labels: Self.labels, count: 2)
    return scores
  }

  @Test func figuresAreThoseOfNumPy() throws {
    let (float32, scores) = (scores(Self.float32), scores(Self.candidate))
    #expect(scores.scoresTokens && scores.samples == 2 && scores.classCount == 7)
    #expect(scores.predicted == [1, 3, 6, 0, 6, 0, 1] && scores.labels == [3, 0, 6, 2, 1, 5, 4])
    #expect(scores.top1Share == 1 / 7.0 && scores.top5Share == nil)
    try near(scores.perplexity, 73.93983816, 6.17876034, 884.82144693)
    #expect(abs(try #require(float32.perplexity).value - 50.10752423638267) < 1e-4)
    try near(scores.perplexityRatio(to: float32), 1.4756234575, 0.5184132812, 4.2002484647)
    try near(scores.divergenceEstimate, 0.6243134576, 0.3664520912, 0.8821748239)
    try near(scores.probabilityChange(from: float32), 0.1018286273, 0, 0.1521754781)
    try near(scores.agreementEstimate(with: float32), 2 / 7.0, 0.082218924, 0.6410655482)
    #expect(abs(try #require(scores.sqnr) - 3.52745497323464) < 1e-5)
  }

  @Test func float32IsEqualToItself() throws {
    let scores = scores(Self.float32)
    #expect(scores.meanDivergence == 0 && scores.sqnr == 200)
    #expect(scores.perplexityRatio(to: scores) == Estimate(value: 1, interval: 1...1))
    #expect(scores.probabilityChange(from: scores)?.value == 0)
    #expect(scores.agreementEstimate(with: scores)?.value == 1)
  }

  /// One window after the other gives what both together give.
  @Test func windowsAddUp() {
    var parts = Scores()
    for window in 0..<2 {
      var part = Scores()
      func cut(_ all: Tensor) -> Tensor {
        Tensor(Array(all.array(of: Float.self)[window * 35..<window * 35 + 35]), shape: [1, 5, 7])
      }
      part.add(
        [cut(Self.candidate)], reference: [cut(Self.float32)], classes: 0,
        labels: Array(Self.labels[window * 5..<window * 5 + 5]), count: 1)
      parts.append(part)
    }
    let whole = scores(Self.candidate)
    #expect(parts.scoresTokens && parts.samples == 2 && parts.perplexity == whole.perplexity)
    #expect(parts.divergence == whole.divergence && parts.predicted == whole.predicted)
  }

  /// Without labels every row counts, and there is nothing to be surprised by.
  @Test func withoutLabelsEveryTokenIsCompared() {
    var scores = Scores()
    scores.add([Self.candidate], reference: [Self.float32], classes: 0, labels: [], count: 2)
    #expect(scores.scoresTokens && scores.predicted.count == 10 && scores.divergence.count == 10)
    #expect(scores.perplexity == nil && scores.perplexityRatio(to: scores) == nil)
  }

  /// A classifier's maps of one element are rows of scores as before.
  @Test func classifiersHaveNoPerplexity() {
    var scores = Scores()
    let row = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3, 1, 1])
    scores.add([row], reference: [row], classes: 0, labels: [2, 0], count: 2)
    #expect(!scores.scoresTokens && scores.perplexity == nil && scores.classCount == 3)
    #expect(scores.top1 == [true, false] && scores.top5 == [true, true])
  }

  /// Rows that are distributions already, beside those that are not: KL({¼, ¾} ‖ softmax(0, log 3)) is 0.
  @Test func probabilitiesAndLogitsMeet() {
    var scores = Scores()
    scores.add(
      [Tensor([0, Float(log(3.0))], shape: [1, 2])],
      reference: [Tensor([0.25, 0.75] as [Float], shape: [1, 2])],
      classes: 0, labels: [1], count: 1)
    #expect(scores.divergence[0] < 1e-7 && abs(scores.loss[0] + log(0.75)) < 1e-7)
    #expect(abs(scores.margins[0] - 0.5) < 1e-6)
  }

  /// Most scored tokens have the largest vocabularies in use: a row must not take as long as the layer that made it.
  @Test func aRowOfALargeVocabularyIsScoredFast() {
    let width = 150_000
    var random = SplitMix64(seed: 1)
    let rows = Tensor((0..<8 * width).map { _ in Float(random.unit()) * 20 }, shape: [1, 8, width])
    var scores = Scores()
    let started = ContinuousClock.now
    for _ in 0..<4 {
      scores.add([rows], reference: [rows], classes: 0, labels: Array(repeating: 7, count: 8), count: 1)
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    print("scoring: \(seconds / 32 / Double(width) * 1e9) ns for each logit")
    #expect(scores.predicted.count == 32)
  }
}
