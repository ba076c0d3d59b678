import Glibc
import LanguageModels
import Testing

@Suite struct SamplerTests {
  /// Probabilities 0.4, 0.3, 0.15, 0.1, 0.05 of tokens that do not stand in this order.
  private static let shares: [Double] = [0.1, 0.4, 0.05, 0.3, 0.15]
  private static let logits: [Float] = shares.map { Float(log($0)) + 3 }

  private func draws(_ sampling: Sampling, _ logits: [Float] = logits, count: Int = 20_000) -> [Int] {
    var sampler = Sampler(sampling, vocabulary: logits.count)
    return logits.withUnsafeBufferPointer { logits in (0..<count).map { _ in sampler.next(logits) ?? -1 } }
  }

  /// The share of every token, within four standard deviations.
  private func expect(
    _ sampling: Sampling, _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let count = 20_000
    let tokens = draws(sampling, count: count)
    for (token, share) in expected.enumerated() {
      let found = Double(tokens.filter { $0 == token }.count) / Double(count)
      let deviation = (share * (1 - share) / Double(count)).squareRoot()
      #expect(
        abs(found - share) <= 4 * deviation, "token \(token): \(found), expected \(share)",
        sourceLocation: sourceLocation)
    }
  }

  private func normalized(_ shares: [Double]) -> [Double] {
    let sum = shares.reduce(0, +)
    return shares.map { $0 / sum }
  }

  @Test func drawsByProbability() { expect(Sampling(temperature: 1, seed: 5), Self.shares) }

  @Test func temperatureSharpensAndFlattens() {
    expect(Sampling(temperature: 0.5, seed: 1), normalized(Self.shares.map { $0 * $0 }))
    expect(Sampling(temperature: 2, seed: 2), normalized(Self.shares.map { $0.squareRoot() }))
  }

  @Test func topKKeepsTheMostLikely() {
    expect(Sampling(temperature: 1, topK: 2, seed: 3), normalized([0, 0.4, 0, 0.3, 0]))
    expect(Sampling(temperature: 1, topK: 99, seed: 3), Self.shares)
  }

  @Test func topPKeepsTheSmallestSet() {
    expect(Sampling(temperature: 1, topP: 0.65, seed: 4), normalized([0, 0.4, 0, 0.3, 0]))
    expect(Sampling(temperature: 1, topP: 0.8, seed: 4), normalized([0, 0.4, 0, 0.3, 0.15]))
    expect(Sampling(temperature: 1, topP: 0.01, seed: 4), [0, 1, 0, 0, 0])
    // Of the two that top-k leaves the first has 4/7 of the probability.
    expect(Sampling(temperature: 1, topK: 2, topP: 0.5, seed: 4), [0, 1, 0, 0, 0])
  }

  @Test func minPKeepsWhatIsNearTheFirst() {
    expect(Sampling(temperature: 1, minP: 0.3, seed: 6), normalized([0, 0.4, 0, 0.3, 0.15]))
    expect(Sampling(temperature: 1, minP: 1, seed: 6), [0, 1, 0, 0, 0])
  }

  @Test func greedyTakesTheFirstOfTheLargest() {
    #expect(draws(.greedy, count: 3) == [1, 1, 1])
    #expect(draws(.greedy, [1, 2, 2, -.infinity], count: 1) == [1])
  }

  @Test func repetitionIsPenalized() {
    let logits: [Float] = [3, 2.5, -1, -1.5]
    var sampler = Sampler(Sampling(repetitionPenalty: 1.5), vocabulary: 4)
    let next = { logits.withUnsafeBufferPointer { sampler.next($0) } }
    #expect(next() == 0)
    sampler.note(0)
    #expect(next() == 1)
    sampler.note(1)
    // 3 / 1.5 is more than 2.5 / 1.5; negative logits sink.
    #expect(next() == 0)
    let low: [Float] = [-1, -1.2]
    var other = Sampler(Sampling(repetitionPenalty: 1.5), vocabulary: 2)
    other.note(0)
    #expect(low.withUnsafeBufferPointer { other.next($0) } == 1)
  }

  @Test func aSeedRepeatsADraw() {
    for sampling in [
      Sampling(temperature: 1, seed: 9), Sampling(temperature: 1, topK: 4, topP: 0.9, minP: 0.1, seed: 9),
    ] {
      var other = sampling
      other.seed = 10
      #expect(draws(sampling, count: 50) == draws(sampling, count: 50))
      #expect(draws(sampling, count: 50) != draws(other, count: 50))
    }
  }

  @Test func logitsThatAreNoNumbersAreNoToken() {
    #expect(draws(Sampling(temperature: 1), [0, .nan, 1], count: 1) == [-1])
  }
}
