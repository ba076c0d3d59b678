/// Picks one choice for each group so that the sum of costs is least and the sum of bytes stays within a budget.
///
/// The multiple-choice knapsack, solved by dynamic programming over bytes: `least[b]` after group g is the least over its
/// choices c of `least[b − bytes(c)] + cost(c)`. Unlike a sweep of Lagrange multipliers it also finds the points that
/// are not on the convex hull of the front, and it answers all budgets at once. Bytes above each group's fewest are
/// rounded up to 1/4096 of their sum, so no answer is over its budget.
/// - Source: Kellerer, Pferschy and Pisinger, *Knapsack problems*, 2004, section 11.5.
package struct Knapsack: Sendable {
  package struct Choice: Sendable, Hashable {
    package var cost: Double
    package var bytes: Int

    package init(cost: Double, bytes: Int) {
      self.cost = cost
      self.bytes = bytes
    }
  }

  package let groups: [[Choice]]
  /// Of the smallest and the largest choices.
  package let fewestBytes: Int
  package let mostBytes: Int
  private let unit: Int
  /// `[group][units]`: the choice that is least.
  private var picks: [[Int]]

  private static let resolution = 4096

  /// - Parameter groups: each with at least one choice.
  package init(_ groups: [[Choice]]) {
    self.groups = groups
    fewestBytes = groups.reduce(0) { $0 + ($1.map(\.bytes).min() ?? 0) }
    mostBytes = groups.reduce(0) { $0 + ($1.map(\.bytes).max() ?? 0) }
    unit = Swift.max(1, (mostBytes - fewestBytes + Self.resolution - 1) / Self.resolution)
    // Rounding up adds at most a unit for each group.
    let units = (mostBytes - fewestBytes) / unit + groups.count + 1
    var least = [Double](repeating: 0, count: units)
    picks = []
    for group in groups {
      let fewest = group.map(\.bytes).min() ?? 0
      let sizes = group.map { ($0.bytes - fewest + unit - 1) / unit }
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
  package func picks(within bytes: Int) -> [Int]? {
    guard bytes >= fewestBytes, let units = picks.first?.count else { return nil }
    var left = bytes >= mostBytes ? units - 1 : (bytes - fewestBytes) / unit
    var result = [Int](repeating: 0, count: groups.count)
    for index in groups.indices.reversed() {
      let group = groups[index]
      result[index] = picks[index][left]
      let fewest = group.map(\.bytes).min() ?? 0
      left -= (group[result[index]].bytes - fewest + unit - 1) / unit
    }
    return result
  }

  package func cost(_ picks: [Int]) -> Double { zip(groups, picks).reduce(0) { $0 + $1.0[$1.1].cost } }
  package func bytes(_ picks: [Int]) -> Int { zip(groups, picks).reduce(0) { $0 + $1.0[$1.1].bytes } }

  /// Answers within a budget that differ from `picks` in one group, or in one that grows and one that shrinks; least
  /// cost first.
  package func neighbours(_ picks: [Int], within budget: Int) -> [[Int]] {
    let used = bytes(picks)
    var found: [(picks: [Int], cost: Double)] = []
    func add(_ changed: [Int], _ bytes: Int, _ cost: Double) {
      if bytes <= budget { found.append((changed, cost)) }
    }
    let whole = cost(picks)
    for (first, group) in groups.enumerated() {
      for (choice, option) in group.enumerated() where choice != picks[first] {
        let old = group[picks[first]]
        var changed = picks
        changed[first] = choice
        let (bytes, cost) = (used + option.bytes - old.bytes, whole + option.cost - old.cost)
        add(changed, bytes, cost)
        guard option.bytes > old.bytes else { continue }
        for (second, other) in groups.enumerated() where second != first {
          for (smaller, less) in other.enumerated() where less.bytes < other[picks[second]].bytes {
            var both = changed
            both[second] = smaller
            let now = other[picks[second]]
            add(both, bytes + less.bytes - now.bytes, cost + less.cost - now.cost)
          }
        }
      }
    }
    return found.enumerated().sorted { ($0.element.cost, $0.offset) < ($1.element.cost, $1.offset) }.map(
      \.element.picks)
  }
}
