/// A small random generator (SplitMix64): the same seed gives the same numbers everywhere and always.
///
/// Source: Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// A generator for one of many independent streams, for example one of each sample.
  package init(seed: UInt64, stream: UInt64) {
    var mixer = SplitMix64(seed: seed ^ (stream &* 0xD1B5_4A32_D192_ED03))
    state = mixer.next()
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A whole number in `0..<bound`, each equally likely.
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a bound above zero")
    let limit = UInt64(bound)
    // Numbers from the incomplete last round of `limit` are drawn again.
    let reject = (UInt64.max % limit + 1) % limit
    var value = next()
    while value > UInt64.max - reject { value = next() }
    return Int(value % limit)
  }

  /// A number in 0..<1 with 53 random bits.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// Choosing samples by a seed.
///
/// Nothing here depends on the standard library's own shuffles, which may change.
package enum Sampling {
  /// `0..<count` in random order.
  package static func permutation(_ count: Int, seed: UInt64) -> [Int] {
    var order = Array(0..<count)
    var random = SplitMix64(seed: seed)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, random.below(i + 1)) }
    return order
  }

  /// `samples` different indices (all of them where there are fewer), in the order they were drawn.
  ///
  /// A smaller subset is the start of a larger one with the same seed.
  package static func subset(of count: Int, taking samples: Int, seed: UInt64) -> [Int] {
    Array(permutation(count, seed: seed).prefix(Swift.max(samples, 0)))
  }

  /// The indices drawn, and all others in ascending order.
  package static func split(
    _ count: Int, taking samples: Int, seed: UInt64
  ) -> (drawn: [Int], rest: [Int]) {
    let drawn = subset(of: count, taking: samples, seed: seed)
    let taken = Set(drawn)
    return (drawn, (0..<count).filter { !taken.contains($0) })
  }

  /// `0..<count` dealt into `folds` parts of nearly equal size, each in ascending order.
  package static func folds(_ count: Int, _ folds: Int = 5, seed: UInt64) -> [[Int]] {
    precondition(folds > 0, "at least one fold")
    var parts = [[Int]](repeating: [], count: folds)
    for (position, index) in permutation(count, seed: seed).enumerated() {
      parts[position % folds].append(index)
    }
    return parts.map { $0.sorted() }
  }
}
