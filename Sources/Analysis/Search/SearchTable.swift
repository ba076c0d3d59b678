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
    var bytes: Int
    var predicted: Double
    var scores: Scores

    var standing: Standing { Standing(bytes: bytes, scores: scores) }
  }

  /// What networks are compared by.
  struct Standing {
    var bytes: Int
    var scores: Scores
    /// Measured time over float32's, where that is bounded and the network is a final one.
    var latencyRatio: Double?
  }

  let search: RecipeSearch
  let selection: Judge
  let evaluation: Judge
  let knapsack: Knapsack
  /// Where latency is bounded.
  private let latency: SearchLatency?
  private let floatBytes: Int
  private(set) var measured: [[Int]: Entry] = [:]
  /// Those on the predicted front, smallest first.
  private(set) var front: [Entry] = []

  init(_ search: RecipeSearch, reporter: Reporter) throws {
    self.search = search
    selection = try Judge(search.project, search.samples.selection)
    evaluation = try Judge(search.project, search.samples.evaluation)
    knapsack = Knapsack(search.choices)
    floatBytes = search.settings.floatBytes(search.project.model)
    latency =
      search.settings.bounds.maxLatencyRatio == nil ? nil : try SearchLatency(search, reporter: reporter)
  }

  private var bounds: SearchBounds { search.settings.bounds }

  /// Measures points of the predicted front, from the fewest bytes to those of the widest width everywhere, each the
  /// same factor apart.
  mutating func measureFront(_ count: Int, reporter: Reporter) throws {
    let least = Double(floatBytes + knapsack.fewestBytes)
    let most = Swift.max(least, Double(floatBytes + knapsack.bytes(knapsack.groups.map { _ in 1 })))
    for index in 0..<count {
      let share = count > 1 ? Double(index) / Double(count - 1) : 0
      let budget = Int((least * pow(most / least, share)).rounded(.up))
      guard let picks = knapsack.picks(within: budget - floatBytes) else { continue }
      let known = measured.count
      let entry = try measure(picks)
      if measured.count > known { front.append(entry) }
      try reporter.report(Double(index + 1) / Double(count), "front: point \(index + 1) of \(count)")
    }
  }

  private mutating func measure(_ picks: [Int]) throws -> Entry {
    if let known = measured[picks] { return known }
    let encoded = try search.network(search.widths(picks))
    let entry = Entry(
      picks: picks, bytes: search.bytes(encoded), predicted: knapsack.cost(picks),
      scores: try selection.scores(simulating: encoded))
    measured[picks] = entry
    return entry
  }

  /// The best by prediction: within the bytes, or where no bytes are given, the smallest that is measured to keep the
  /// bound on the drop.
  mutating func start() throws -> Entry {
    if let bytes = bounds.maxBytes { return try measure(predicted(within: bytes)) }
    // Between the largest point that breaks the bound and the smallest that keeps it.
    var low = floatBytes + knapsack.fewestBytes
    var best = try measure(predicted(within: floatBytes + knapsack.mostBytes))
    for entry in front where keepsDrop(entry.scores) && entry.bytes < best.bytes { best = entry }
    for entry in front where !keepsDrop(entry.scores) && entry.bytes < best.bytes {
      low = Swift.max(low, entry.bytes)
    }
    for _ in 0..<6 where best.bytes - low > floatBytes / 200 {
      let middle = (low + best.bytes) / 2
      let entry = try measure(predicted(within: middle))
      if keepsDrop(entry.scores), entry.bytes < best.bytes { best = entry } else { low = middle }
    }
    return best
  }

  /// The least predicted cost within so many bytes, and within the latency where that is bounded: what a millisecond
  /// costs rises until it is kept.
  private func predicted(within bytes: Int) -> [Int] {
    let smallest = knapsack.groups.map { group in
      group.indices.min { (group[$0].bytes, group[$0].cost) < (group[$1].bytes, group[$1].cost) } ?? 0
    }
    let plain = knapsack.picks(within: bytes - floatBytes) ?? smallest
    guard let latency, let most = bounds.maxLatencyRatio, latency.ratio(plain) > most else { return plain }
    var fastest = plain
    for exponent in -4...4 {
      let price = pow(10, Double(exponent)) * Swift.max(knapsack.cost(plain), 1e-9)
      guard let picks = latency.priced(knapsack.groups, price).picks(within: bytes - floatBytes) else {
        break
      }
      fastest = picks
      if latency.ratio(picks) <= most { break }
    }
    return fastest
  }

  /// Goes to the first neighbour that measures better, nearest by prediction first, as long as measurements are left.
  mutating func refined(_ start: Entry, reporter: Reporter) throws -> Entry {
    var best = start
    let budget = (bounds.maxBytes ?? start.bytes) - floatBytes
    var left = search.settings.refinements
    let all = Swift.max(left, 1)
    climb: while left > 0 {
      for picks in knapsack.neighbours(best.picks, within: budget) where measured[picks] == nil {
        if let latency, let most = bounds.maxLatencyRatio, latency.ratio(picks) > most { continue }
        let entry = try measure(picks)
        left -= 1
        try reporter.report(1 - Double(left) / Double(all), "trying neighbours")
        if isBetter(entry.standing, than: best.standing) {
          best = entry
          continue climb
        }
        if left == 0 { break climb }
      }
      break
    }
    return best
  }

  func keepsDrop(_ scores: Scores) -> Bool {
    guard let most = bounds.maxDrop, let agreement = scores.agreement(with: selection.float32) else {
      return true
    }
    return 1 - agreement <= most
  }

  private func keepsBytes(_ bytes: Int) -> Bool { bounds.maxBytes.map { bytes <= $0 } ?? true }

  private func keepsLatency(_ ratio: Double?) -> Bool {
    guard let most = bounds.maxLatencyRatio, let ratio else { return true }
    return ratio <= most
  }

  private func keepsBounds(_ network: Standing) -> Bool {
    keepsBytes(network.bytes) && keepsLatency(network.latencyRatio) && keepsDrop(network.scores)
  }

  /// Whether one network is nearer to what is wanted than another: first the bounds, then, within given bytes, the least
  /// cost, else the fewest bytes.
  private func isBetter(_ a: Standing, than b: Standing) -> Bool {
    if keepsBytes(a.bytes) != keepsBytes(b.bytes) { return keepsBytes(a.bytes) }
    if keepsLatency(a.latencyRatio) != keepsLatency(b.latencyRatio) { return keepsLatency(a.latencyRatio) }
    if keepsDrop(a.scores) != keepsDrop(b.scores) { return keepsDrop(a.scores) }
    if bounds.maxBytes == nil, keepsDrop(a.scores), a.bytes != b.bytes { return a.bytes < b.bytes }
    return a.scores.distance < b.scores.distance
  }

  /// Spearman's between predicted and measured cost.
  var rankCorrelation: Double? {
    let entries = measured.values.sorted { $0.picks.lexicographicallyPrecedes($1.picks) }
    return Ranks.correlation(entries.map(\.predicted), entries.map(\.scores.distance))
  }

  /// What a network of some recipe came to.
  private struct Finished {
    var recipe: Recipe
    var encoded: EncodedGraph
    var picks: [Int]
    var standing: Standing
    var kind: SearchReport.Point.Kind
  }

  /// Makes the network found from the start, holds the uniform ones against it, and scores all on the evaluation data.
  func finish(
    _ best: Entry, reporter: Reporter
  ) throws -> (points: [SearchReport.Point], recipe: Recipe, meets: Bool) {
    var finished: [Finished] = []
    func add(_ recipe: Recipe, _ encoded: EncodedGraph, _ picks: [Int]) throws {
      let standing = Standing(
        bytes: search.bytes(encoded), scores: try selection.scores(simulating: encoded),
        latencyRatio: try latency?.measured(encoded, search, reporter: reporter.part(0...0)))
      finished.append(
        Finished(recipe: recipe, encoded: encoded, picks: picks, standing: standing, kind: .uniform))
    }
    for (index, width) in search.widths.enumerated() {
      guard let candidate = search.uniform[width] else { continue }
      try add(candidate.recipe, candidate.encoded, knapsack.groups.map { _ in index + 1 })
    }
    let mixed = search.recipe(search.widths(best.picks), name: "mixed")
    try add(mixed, search.candidate(mixed, reporter.part(0...0.5)).encoded, best.picks)
    var winner = finished.count - 1
    for index in finished.indices
    where isBetter(finished[index].standing, than: finished[winner].standing) { winner = index }
    finished[winner].kind = .chosen
    // A mixed network that lost to a uniform one is a point like others.
    if winner != finished.count - 1 { finished[finished.count - 1].kind = .front }
    let known = Set(finished.map(\.picks))
    for entry in front where !known.contains(entry.picks) {
      finished.append(
        Finished(
          recipe: search.recipe(search.widths(entry.picks), name: "front"),
          encoded: try search.network(search.widths(entry.picks)), picks: entry.picks,
          standing: entry.standing, kind: .front))
    }
    var points: [SearchReport.Point] = []
    for (index, network) in finished.enumerated() {
      points.append(try point(network))
      try reporter.report(
        0.5 + 0.5 * Double(index + 1) / Double(finished.count), "reporting on the evaluation data")
    }
    return (
      points.sorted { $0.weightBytes < $1.weightBytes }, finished[winner].recipe,
      keepsBounds(finished[winner].standing)
    )
  }

  private func point(_ network: Finished) throws -> SearchReport.Point {
    let names = search.widths(network.picks).map { $0.map { "W\($0)" } ?? "float" }
    return SearchReport.Point(
      kind: network.kind, name: network.recipe.name, weightBytes: network.standing.bytes,
      compression: Double(floatBytes) / Double(Swift.max(network.standing.bytes, 1)),
      widths: Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +),
      predictedCost: knapsack.cost(network.picks),
      selection: .init(network.standing.scores, float32: selection.float32),
      evaluation: .init(try evaluation.scores(simulating: network.encoded), float32: evaluation.float32),
      latencyRatio: network.standing.latencyRatio)
  }
}
