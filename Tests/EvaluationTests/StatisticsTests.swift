import Evaluation
import Tensors
import Testing

@Test(arguments: [
  (0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (10, 2, 0.038574), (8, 8, 1.0), (30, 12, 0.007916),
])
func mcNemarMatchesTheBinomialTail(lost: Int, gained: Int, p: Double) {
  // Expected values: 2·P(X ≤ min) for X ~ Binomial(lost + gained, 1/2), at most 1.
  let value = PairedDifference(samples: 1000, lost: lost, gained: gained).pValue
  #expect(abs(value - p) < 5e-6)
}

@Test func theIntervalHoldsTheDifferenceAndShrinks() {
  let small = PairedDifference(samples: 100, lost: 4, gained: 2)
  let large = PairedDifference(samples: 10_000, lost: 400, gained: 200)
  #expect(small.interval95.contains(small.delta) && large.interval95.contains(large.delta))
  let widths = [small, large].map { $0.interval95.upperBound - $0.interval95.lowerBound }
  #expect(widths[1] < widths[0] / 8)
  let equal = PairedDifference(samples: 100, lost: 0, gained: 0)
  #expect(equal.interval95.lowerBound < 0 && equal.interval95.upperBound > 0)
}

@Test func quantilesAreLinearBetweenNeighbours() {
  #expect(Quantiles.median([3, 1, 2]) == 2)
  #expect(Quantiles.median([4, 1, 2, 3]) == 2.5)
  #expect(abs(Quantiles.quantile([0, 10], 0.9) - 9) < 1e-12)
}

@Test func theRatioIntervalHoldsTheRatio() {
  let a = (0..<50).map { 2 + 0.01 * Double($0 % 7) }
  let b = (0..<50).map { 1 + 0.01 * Double($0 % 5) }
  let interval = Quantiles.ratioInterval(a, b, seed: 1)
  #expect(interval.contains(Quantiles.median(a) / Quantiles.median(b)))
  #expect(interval.upperBound - interval.lowerBound < 0.1)
}

@Test func scoresCountWhatTheySay() {
  var reference = Scores()
  var candidate = Scores()
  let f = [Tensor([1, 3, 2, 5, 1, 0] as [Float], shape: [2, 3])]
  let q = [Tensor([1, 2, 3, 5, 1, 0] as [Float], shape: [2, 3])]
  reference.add(f, reference: f, classes: 0, labels: [1, 1], count: 2)
  candidate.add(q, reference: f, classes: 0, labels: [1, 1], count: 2)
  #expect(reference.predicted == [1, 0] && candidate.predicted == [2, 0])
  #expect(reference.top1Share == 0.5 && candidate.top1Share == 0)
  #expect(candidate.agreement(with: reference) == 0.5)
  #expect(candidate.difference(from: reference)?.lost == 1)
  #expect(reference.sqnr == 200 && reference.meanDivergence == 0)
  #expect(abs((candidate.sqnr ?? 0) - 13.0103) < 1e-3)  // 10·log10(40 / 2)
  #expect((candidate.meanDivergence ?? 0) > 0)
}

@Test func aRowThatIsADistributionIsTakenAsOne() {
  var scores = Scores()
  let p = [Tensor([0.5, 0.25, 0.25] as [Float], shape: [1, 3])]
  scores.add(p, reference: p, classes: 0, labels: [0], count: 1)
  #expect(abs((scores.meanLoss ?? 0) - 0.693147) < 1e-5)
}

@Suite struct RankTests {
  @Test func orders() throws {
    #expect(Ranks.correlation([1, 2, 3, 4], [10, 20, 30, 1000]) == 1)
    #expect(Ranks.correlation([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
    // 1 − 6 Σ d² / (n (n² − 1)) with d = 1, 1, 1, 1, 0.
    #expect(abs(try #require(Ranks.correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])) - 0.8) < 1e-12)
    // Ranks 0.5, 0.5, 2 and 0, 1, 2: √3 / 2.
    #expect(abs(try #require(Ranks.correlation([5, 5, 6], [1, 2, 3])) - 0.75.squareRoot()) < 1e-12)
    #expect(Ranks.correlation([1, 1, 1], [1, 2, 3]) == nil && Ranks.correlation([1, 2], [1, 2]) == nil)
  }
}

/// Of two classes with enough samples the one that lost more; one with few samples does not count.
@Test func theWorstClassIsTheOneThatLostMost() {
  var reference = Scores()
  var candidate = Scores()
  func add(label: Int, right: Bool) {
    let one = Tensor((0..<3).map { $0 == label ? 1 as Float : 0 }, shape: [1, 3])
    let other = Tensor((0..<3).map { $0 == (label + 1) % 3 ? 1 as Float : 0 }, shape: [1, 3])
    reference.add([one], reference: [one], classes: 0, labels: [label], count: 1)
    candidate.add([right ? one : other], reference: [one], classes: 0, labels: [label], count: 1)
  }
  for index in 0..<12 { add(label: 0, right: index > 0) }
  for index in 0..<12 { add(label: 1, right: index > 2) }
  for _ in 0..<9 { add(label: 2, right: false) }
  let worst = candidate.worstClass(from: reference)
  #expect(worst?.label == 1 && worst?.samples == 12 && worst?.float32Top1 == 1)
  #expect(abs((worst?.top1Delta ?? 0) + 0.25) < 1e-12)
  #expect(worst.map { $0.top1DeltaCi95[0] < -0.25 && $0.top1DeltaCi95[1] > -0.25 } == true)
}
