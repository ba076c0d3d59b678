/// What networks take of something that is bounded or made small: bytes, or nanoseconds as predicted.
struct SearchResource {
  /// `[group][option]`: more than in float32.
  var extra: [[Int]]
  /// Of the network in float32.
  var float: Int
  /// The most there may be.
  var limit: Int?

  func of(_ picks: [Int]) -> Int { zip(extra, picks).reduce(float) { $0 + $1.0[$1.1] } }

  /// An amount over float32's.
  func share(of amount: Int?) -> Double? { amount.map { Double($0) / Double(Swift.max(float, 1)) } }

  func isOver(_ picks: [Int]) -> Bool { limit.map { of(picks) > $0 } ?? false }

  /// The choices with a price on all that float32 takes.
  func priced(_ groups: [[Knapsack.Choice]], _ price: Double) -> Knapsack {
    Knapsack(
      zip(groups, extra).map { group, extra in
        zip(group, extra).map {
          Knapsack.Choice(
            cost: $0.cost + price * Double($1) / Double(Swift.max(float, 1)), amount: $0.amount)
        }
      })
  }
}
