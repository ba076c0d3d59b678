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

  /// `0..<count` in random order; the standard library's own shuffles may change.
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
    return order
  }
}
