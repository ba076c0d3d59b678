import Evaluation
import Foundation
import Graph
import Jobs
import Quantization
import Workflows

/// The networks a search has measured, and the ways from one to the next.
struct SearchTable {
  struct Entry {
    var picks: [Int]
    var predicted: Double
    /// What it takes of the resource that the front is drawn over.
    var amount: Int
    /// With the predicted latency.
    var standing: Standing
  }

  /// What networks are compared by.
  struct Standing {
    var bytes: Int
    var scores: Scores
    /// Over float32's, where that is bounded or made small.
    var latencyRatio: Double?
  }

  let search: RecipeSearch
  let selection: Judge
  let evaluation: Judge
  let latency: SearchLatency?
  /// What the front is drawn over: bytes, or nanoseconds where time is what is made small or alone bounded.
  let axis: SearchResource
  let overTime: Bool
  /// The other one, where it is bounded.
  private let other: SearchResource?
  let knapsack: Knapsack
  private(set) var measured: [[Int]: Entry] = [:]
  /// Those on the predicted front, smallest first.
  private(set) var front: [Entry] = []
  /// What is told while the search goes on.
  var live: SearchFront
  private let listener: (SearchFront) throws -> Void

  /// - Parameter tell: called with what is found so far: the prediction, then each network that is measured.
  init(
    _ search: RecipeSearch, reporter: Reporter, tell: @escaping (SearchFront) throws -> Void
  ) throws {
    self.search = search
    listener = tell
    let (settings, bounds) = (search.settings, search.settings.bounds)
    selection = try Judge(search.project, search.samples.selection)
    evaluation = try Judge(search.project, search.samples.evaluation)
    latency =
      settings.measuresLatency
      ? try SearchLatency(search, limit: bounds.maxLatencyRatio, reporter: reporter) : nil
    let choices = search.choices
    let bytes = SearchResource(
      extra: choices.map { $0.map(\.amount) }, float: search.floatBytes, limit: bounds.maxBytes)
    overTime =
      latency != nil
      && (settings.wanted == .latency || settings.wanted == .loss && bounds.maxBytes == nil)
    axis = overTime ? latency?.time ?? bytes : bytes
    other = overTime ? bytes : latency?.time
    let extra = axis.extra
    knapsack = Knapsack(
      zip(choices, extra).map { group, extra in
        zip(group, extra).map { Knapsack.Choice(cost: $0.cost, amount: $1) }
      })
    live = SearchFront(
      goal: settings.wanted, overTime: overTime, floatBytes: search.floatBytes,
      hasClasses: selection.hasClasses, budget: axis.share(of: axis.limit))
    for picks in predictedFront { live.put(livePoint(picks)) }
    try listener(live)
  }

  var bounds: SearchBounds { search.settings.bounds }

  /// Distinct choices of the predicted front, at budgets the same factor apart.
  private var predictedFront: [[Int]] {
    let least = Double(Swift.max(axis.float + knapsack.leastAmount, 1))
    let most = Swift.max(least, Double(axis.float + knapsack.mostAmount))
    var found: [[Int]] = []
    for index in 0..<Self.predictions {
      let share = Double(index) / Double(Self.predictions - 1)
      let picks = predicted(within: Int((least * pow(most / least, share)).rounded(.up)))
      if found.last != picks { found.append(picks) }
    }
    return found
  }

  private static let predictions = 64

  /// Measures points of the predicted front, from the least there can be to the widest option everywhere (over time: the
  /// slowest), each the same factor apart.
  mutating func measureFront(_ count: Int, reporter: Reporter) throws {
    let uniform = search.options.indices.filter { !search.options[$0].isFloat }.map { option in
      axis.of(knapsack.groups.map { _ in option })
    }
    let least = Double(Swift.max(axis.float + knapsack.leastAmount, 1))
    let most = Swift.max(least, Double(uniform.max() ?? 0))
    for index in 0..<count {
      let share = count > 1 ? Double(index) / Double(count - 1) : 0
      let budget = Int((least * pow(most / least, share)).rounded(.up))
      guard let picks = knapsack.picks(within: budget - axis.float) else { continue }
      let known = measured.count
      let entry = try measure(picks)
      if measured.count > known { front.append(entry) }
      try reporter.report(Double(index + 1) / Double(count), "front: point \(index + 1) of \(count)")
    }
  }

  mutating func measure(_ picks: [Int]) throws -> Entry {
    if let known = measured[picks] { return known }
    let encoded = try search.network(picks)
    let standing = Standing(
      bytes: search.bytes(encoded), scores: try selection.scores(simulating: encoded),
      latencyRatio: latency?.time.share(of: latency?.time.of(picks)))
    let entry = Entry(
      picks: picks, predicted: knapsack.cost(picks), amount: overTime ? axis.of(picks) : standing.bytes,
      standing: standing)
    measured[picks] = entry
    try tell(picks, standing)
    return entry
  }

  /// The least predicted cost within so much, and within the other bound where there is one: its price rises until it is
  /// kept.
  func predicted(within amount: Int) -> [Int] {
    let smallest = knapsack.groups.map { group in
      group.indices.min { (group[$0].amount, group[$0].cost) < (group[$1].amount, group[$1].cost) } ?? 0
    }
    let plain = knapsack.picks(within: amount - axis.float) ?? smallest
    guard let other, other.isOver(plain) else { return plain }
    var nearest = plain
    for exponent in -4...4 {
      let price = pow(10, Double(exponent)) * Swift.max(knapsack.cost(plain), 1e-9)
      guard let picks = other.priced(knapsack.groups, price).picks(within: amount - axis.float) else {
        break
      }
      nearest = picks
      if !other.isOver(picks) { break }
    }
    return nearest
  }

  /// Whether it is known before measuring that a network breaks the bound on what the front is not drawn over.
  func breaksOther(_ picks: [Int]) -> Bool { other?.isOver(picks) ?? false }

  /// Spearman's between predicted and measured cost.
  var rankCorrelation: Double? {
    let entries = measured.values.sorted { $0.picks.lexicographicallyPrecedes($1.picks) }
    return Ranks.correlation(entries.map(\.predicted), entries.map(\.standing.scores.distance))
  }

  // MARK: telling

  /// A point before it is measured.
  private func livePoint(_ picks: [Int]) -> SearchFront.Point {
    let bytes = search.floatBytes + search.bytesMore(picks)
    let ratio = Double(search.floatBytes) / Double(Swift.max(bytes, 1))
    return SearchFront.Point(
      picks: picks, recipe: search.recipe(picks, name: String(format: "mixed-%.2fx", ratio)),
      layers: search.counted(picks), bytes: bytes,
      latencyRatio: latency?.time.share(of: latency?.time.of(picks)),
      predicted: knapsack.cost(picks))
  }

  /// Tells what a network measured.
  ///
  /// - Parameters:
  ///   - recipe: where it was made from the start.
  ///   - isTimed: whether the latency was measured too.
  mutating func tell(
    _ picks: [Int], _ standing: Standing, recipe: Recipe? = nil, isTimed: Bool = false, isChosen: Bool = false
  ) throws {
    var point = live.points.first { $0.picks == picks } ?? livePoint(picks)
    point.recipe = recipe ?? point.recipe
    point.bytes = standing.bytes
    if let ratio = standing.latencyRatio { point.latencyRatio = ratio }
    point.isTimed = isTimed
    point.isChosen = isChosen
    point.measured = .init(standing.scores, float32: selection.float32)
    point.distance = standing.scores.distance
    live.put(point)
    try listener(live)
  }
}
