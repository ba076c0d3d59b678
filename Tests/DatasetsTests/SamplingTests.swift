import Datasets
import Tensors
import Testing

struct SamplingTests {
  @Test func theGeneratorIsSplitMix64() {
    var random = SplitMix64(seed: 1_234_567)
    let found = (0..<5).map { _ in random.next() }
    #expect(
      found == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test(arguments: [0, 1, 2, 17, 1000])
  func aPermutationHoldsEveryIndexOnce(_ count: Int) {
    let order = Sampling.permutation(count, seed: 3)
    #expect(order.sorted() == Array(0..<count))
    #expect(order == Sampling.permutation(count, seed: 3))
    if count > 10 { #expect(order != Sampling.permutation(count, seed: 4)) }
  }

  @Test func subsetsGrow() {
    let small = Sampling.subset(of: 1000, taking: 100, seed: 1)
    let large = Sampling.subset(of: 1000, taking: 300, seed: 1)
    #expect(Set(small).count == 100 && Array(large.prefix(100)) == small)
    #expect(Sampling.subset(of: 10, taking: 50, seed: 1).count == 10)
    let (drawn, rest) = Sampling.split(1000, taking: 100, seed: 1)
    #expect(drawn == small && (drawn + rest).sorted() == Array(0..<1000) && rest == rest.sorted())
  }

  @Test func foldsPartition() {
    let folds = Sampling.folds(103, seed: 9)
    #expect(folds.map(\.count).sorted() == [20, 20, 21, 21, 21])
    #expect(folds.flatMap { $0 }.sorted() == Array(0..<103))
  }

  @Test func numbersBelowABoundAreEven() {
    var random = SplitMix64(seed: 5)
    var counts = [0, 0, 0]
    for _ in 0..<30_000 { counts[random.below(3)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 400 })
  }
}

struct SyntheticTests {
  private let specs = [
    InputSpec(name: "image", type: .float32, dimensions: [nil, 3, 16, 16]),
    InputSpec(name: "input_ids", type: .int64, dimensions: [nil, 9]),
    InputSpec(name: "attention_mask", type: .int64, dimensions: [nil, 9]),
    InputSpec(name: "token_type_ids", type: .int32, dimensions: [nil, 9]),
    InputSpec(name: "bytes", type: .uint8, dimensions: [nil, 200]),
  ]

  @Test func samplesAreNormalAndTokensValid() throws {
    let data = try BoundDataset.synthetic(for: specs, count: 50, seed: 1, vocabulary: 300)
    let batch = try data.batch(0..<50)
    let image = try #require(batch["image"]).array(of: Float.self)
    let mean = image.reduce(0, +) / Float(image.count)
    let variance = image.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(image.count)
    #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.03)
    #expect(abs(Float(image.count { abs($0) < 1 }) / Float(image.count) - 0.6827) < 0.01)
    let tokens = try #require(batch["input_ids"]).array(of: Int64.self)
    #expect(tokens.allSatisfy { (0..<300).contains($0) } && Set(tokens).count > 150)
    #expect(batch["attention_mask"]?.array(of: Int64.self).allSatisfy { $0 == 1 } == true)
    #expect(batch["token_type_ids"]?.array(of: Int32.self).allSatisfy { $0 == 0 } == true)
    #expect((batch["bytes"]?.array(of: UInt8.self).max() ?? 0) > 250)
    #expect(data.isSynthetic && data.labels == nil && data.notes.count == 1)
  }

  @Test func aSampleDoesNotDependOnItsBatch() throws {
    let data = try BoundDataset.synthetic(for: specs, count: 50, seed: 1)
    let all = try #require(try data.batch(0..<50)["image"]).array(of: Float.self)
    let some = try #require(try data.selecting([30, 7]).batch([1])["image"]).array(of: Float.self)
    #expect(some == Array(all[7 * 768..<8 * 768]))
    let other = try BoundDataset.synthetic(for: specs, count: 50, seed: 2)
    #expect(try other.batch([7])["image"]?.array(of: Float.self) != some)
  }

  @Test func freeSizesMustBeGiven() {
    for dimensions in [nil, [], [nil, nil]] as [[Int?]?] {
      #expect(throws: DatasetError.self) {
        try BoundDataset.synthetic(
          for: [InputSpec(name: "x", type: .float32, dimensions: dimensions)], count: 1, seed: 1)
      }
    }
  }
}
