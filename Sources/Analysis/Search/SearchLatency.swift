import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Workflows

/// What layers take at each width, from the steps of the networks with one width everywhere, measured in turn.
///
/// Conversions between layers of different kinds are not in it, so it predicts; final networks are timed themselves.
struct SearchLatency {
  /// `[group][choice]`, milliseconds more than in float32.
  private let extra: [[Double]]
  private let floatMs: Double

  init(_ search: RecipeSearch, reporter: Reporter) throws {
    let variants = try search.project.bench(
      search.widths.compactMap { width in search.uniform[width].map { ("\(width) bits", $0) } }, batch: 1)
    let tables = try variants.steps(runs: 30, reporter: reporter)
    floatMs = tables[0].latencyMs
    func ms(_ node: String, _ table: BenchTable) -> Double {
      table.steps.filter { $0.nodes.contains(node) }.reduce(0) { $0 + $1.ms }
    }
    extra = search.groups.map { members in
      tables.map { table in
        members.reduce(0) { sum, layer in
          let node = search.layers[layer].node
          return sum + ms(node, table) - ms(node, tables[0])
        }
      }
    }
  }

  /// Predicted time over float32's.
  func ratio(_ picks: [Int]) -> Double {
    (floatMs + zip(extra, picks).reduce(0) { $0 + $1.0[$1.1] }) / floatMs
  }

  /// The choices with a price on each millisecond.
  func priced(_ groups: [[Knapsack.Choice]], _ price: Double) -> Knapsack {
    Knapsack(
      zip(groups, extra).map { group, extra in
        zip(group, extra).map { Knapsack.Choice(cost: $0.cost + price * $1, bytes: $0.bytes) }
      })
  }

  /// Time of a network over float32's, measured in turn.
  func measured(_ encoded: EncodedGraph, _ search: RecipeSearch, reporter: Reporter) throws -> Double {
    let networks = [EncodedGraph(graph: search.project.model.graph), encoded]
    let runners = try networks.map {
      try Runner($0, model: search.project.model, batch: 1, threads: search.project.threads)
    }
    let inputs = try search.samples.evaluation.batch(runners[0].fill([0]))
    for runner in runners { try runner.program.load(inputs) }
    let table = try reporter.alone {
      try Latency.measure(runners.map { runner in { try runner.program.execute() } }, seconds: 5)
    }
    return 1 / table.speedup(of: 1, over: 0).ratio
  }
}
