/// Picks one choice for each group so that the sum of costs is least and the sum of amounts stays within a budget.
///
/// The multiple-choice knapsack, solved by dynamic programming over amounts (bytes, or nanoseconds): `least[b]` after group
/// g is the least over its choices c of `least[b − amount(c)] + cost(c)`. Unlike a sweep of Lagrange multipliers it also
/// finds the points that are not on the convex hull of the front, and it answers all budgets at once. Amounts above each
/// group's least are rounded up to 1/4096 of their sum, so no answer is over its budget.
/// - Source: Kellerer, Pferschy and Pisinger, *Knapsack problems*, 2004, section 11.5.
package struct Knapsack: Sendable {
  package struct Choice: Sendable, Hashable {
    package var cost: Double
    package var amount: Int

    package init(cost: Double, amount: Int) {
      self.cost = cost
      self.amount = amount
    }
  }

  package let groups: [[Choice]]
  /// Of the smallest and the largest choices.
  package let leastAmount: Int
  package let mostAmount: Int
  private let unit: Int
  /// `[group][units]`: the choice that is least.
  private var picks: [[Int]]

  private static let resolution = 4096

  /// - Parameter groups: each with at least one choice.
  package init(_ groups: [[Choice]]) {
    self.groups = groups
    leastAmount = groups.reduce(0) { $0 + ($1.map(\.amount).min() ?? 0) }
    mostAmount = groups.reduce(0) { $0 + ($1.map(\.amount).max() ?? 0) }
    unit = Swift.max(1, (mostAmount - leastAmount + Self.resolution - 1) / Self.resolution)
    // Rounding up adds at most a unit for each group.
    let units = (mostAmount - leastAmount) / unit + groups.count + 1
    var least = [Double](repeating: 0, count: units)
    picks = []
    for group in groups {
      let smallest = group.map(\.amount).min() ?? 0
      let sizes = group.map { ($0.amount - smallest + unit - 1) / unit }
      var next = [Double](repeating: .infinity, count: units)
      var pick = [Int](repeating: 0, count: units)
      for budget in 0..<units {
        for (index, choice) in group.enumerated() where sizes[index] <= budget {
          let cost = least[budget - sizes[index]] + choice.cost
          if cost < next[budget] {
            next[budget] = cost
            pick[budget] = index
          }
        }
      }
      least = next
      picks.append(pick)
    }
  }

  /// The choice of each group; `nil` where even the smallest are over the budget.
  package func picks(within budget: Int) -> [Int]? {
    guard budget >= leastAmount, let units = picks.first?.count else { return nil }
    var left = budget >= mostAmount ? units - 1 : (budget - leastAmount) / unit
    var result = [Int](repeating: 0, count: groups.count)
    for index in groups.indices.reversed() {
      let group = groups[index]
      result[index] = picks[index][left]
      let smallest = group.map(\.amount).min() ?? 0
      left -= (group[result[index]].amount - smallest + unit - 1) / unit
    }
    return result
  }

  package func cost(_ picks: [Int]) -> Double { zip(groups, picks).reduce(0) { $0 + $1.0[$1.1].cost } }
  package func amount(_ picks: [Int]) -> Int { zip(groups, picks).reduce(0) { $0 + $1.0[$1.1].amount } }

  /// Answers within a budget that differ from `picks` in one group, or in one that grows and one that shrinks; least
  /// cost first.
  package func neighbours(_ picks: [Int], within budget: Int) -> [[Int]] {
    let used = amount(picks)
    var found: [(picks: [Int], cost: Double)] = []
    func add(_ changed: [Int], _ amount: Int, _ cost: Double) {
      if amount <= budget { found.append((changed, cost)) }
    }
    let whole = cost(picks)
    for (first, group) in groups.enumerated() {
      for (choice, option) in group.enumerated() where choice != picks[first] {
        let old = group[picks[first]]
        var changed = picks
        changed[first] = choice
        let (amount, cost) = (used + option.amount - old.amount, whole + option.cost - old.cost)
        add(changed, amount, cost)
        guard option.amount > old.amount else { continue }
        for (second, other) in groups.enumerated() where second != first {
          for (smaller, less) in other.enumerated() where less.amount < other[picks[second]].amount {
            var both = changed
            both[second] = smaller
            let now = other[picks[second]]
            add(both, amount + less.amount - now.amount, cost + less.cost - now.cost)
          }
        }
      }
    }
    return found.enumerated().sorted { ($0.element.cost, $0.offset) < ($1.element.cost, $1.offset) }.map(
      \.element.picks)
  }
}
