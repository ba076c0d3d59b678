import Tensors

/// Choosing samples by a seed.
package enum Sampling {
  /// `0..<count` in random order.
  package static func permutation(_ count: Int, seed: UInt64) -> [Int] {
    var random = SplitMix64(seed: seed)
    return random.permutation(count)
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
