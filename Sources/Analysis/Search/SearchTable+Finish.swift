import Datasets
import Evaluation
import Graph
import Jobs
import Quantization
import Workflows

extension SearchTable {
  /// What a network of some recipe came to.
  private struct Finished {
    var recipe: Recipe
    /// `nil` where nothing is reported on.
    var encoded: EncodedGraph?
    var picks: [Int]
    var standing: Standing
    var kind: SearchReport.Point.Kind
    /// Whether its latency was measured.
    var isTimed: Bool
  }

  /// Makes the network found from the start, holds the uniform ones against it, and scores all on the evaluation data.
  mutating func finish(
    _ best: Entry, reporter: Reporter
  ) throws -> (points: [SearchReport.Point], recipe: Recipe, meets: Bool) {
    let making = reporter.part(0...0.5)
    var finished: [Finished] = []
    for (index, option) in search.options.enumerated() {
      guard let candidate = search.uniform[option] else { continue }
      finished.append(
        try finish(candidate.recipe, candidate.encoded, knapsack.groups.map { _ in index }, making))
      try making.report(0.5 * Double(finished.count) / Double(search.options.count), "networks of one width")
    }
    let mixed = search.recipe(best.picks, name: "mixed")
    finished.append(
      try finish(mixed, search.candidate(mixed, making.part(0.5...0.9)).encoded, best.picks, making))
    var winner = finished.count - 1
    for index in finished.indices
    where isBetter(finished[index].standing, than: finished[winner].standing) { winner = index }
    finished[winner].kind = .chosen
    // A mixed network that lost to a uniform one is a point like others.
    if winner != finished.count - 1 { finished[finished.count - 1].kind = .front }
    for network in finished {
      try tell(
        network.picks, network.standing, recipe: network.recipe, isTimed: network.isTimed,
        isChosen: network.kind == .chosen)
    }
    let reportsOnFront = search.samples.evaluation.count > 0
    let known = Set(finished.map(\.picks))
    for entry in front where !known.contains(entry.picks) {
      finished.append(
        Finished(
          recipe: search.recipe(entry.picks, name: "front"),
          encoded: reportsOnFront ? try search.network(entry.picks) : nil, picks: entry.picks,
          standing: entry.standing, kind: .front, isTimed: false))
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

  private func finish(
    _ recipe: Recipe, _ encoded: EncodedGraph, _ picks: [Int], _ reporter: Reporter
  ) throws -> Finished {
    let standing = Standing(
      bytes: search.bytes(encoded), scores: try selection.scores(simulating: encoded),
      latencyRatio: try latency?.measured(encoded, search, reporter: reporter.part(0...0)))
    return Finished(
      recipe: recipe, encoded: encoded, picks: picks, standing: standing, kind: .uniform,
      isTimed: standing.latencyRatio != nil)
  }

  private func point(_ network: Finished) throws -> SearchReport.Point {
    let reported = try network.encoded.map { try evaluation.scores(simulating: $0) }
    return SearchReport.Point(
      kind: network.kind, name: network.recipe.name, weightBytes: network.standing.bytes,
      compression: Double(search.floatBytes) / Double(Swift.max(network.standing.bytes, 1)),
      widths: search.counted(network.picks), predictedCost: knapsack.cost(network.picks),
      selection: .init(network.standing.scores, float32: selection.float32),
      evaluation: .init(reported ?? Scores(), float32: evaluation.float32),
      latencyRatio: network.isTimed ? network.standing.latencyRatio : nil,
      predictedLatencyRatio: latency?.time.share(of: latency?.time.of(network.picks)))
  }
}
