import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Workflows

/// What layers take at each option, from the steps of the networks with one option everywhere, measured in turn.
///
/// Conversions between layers of different kinds are not in it, so it predicts; final networks are timed themselves.
struct SearchLatency {
  /// In nanoseconds.
  let time: SearchResource

  init(_ search: RecipeSearch, limit ratio: Double?, reporter: Reporter) throws {
    let timed = search.options.compactMap { option in search.uniform[option].map { (option, $0) } }
    let tables = try search.project.bench(timed.map { ($0.0.text, $0.1) }, batch: 1).steps(
      runs: 30, reporter: reporter)
    func nanoseconds(_ node: String, _ table: BenchTable) -> Double {
      table.steps.filter { $0.nodes.contains(node) }.reduce(0) { $0 + 1e6 * $1.ms }
    }
    let byOption = Dictionary(uniqueKeysWithValues: zip(timed.map(\.0), tables.dropFirst()))
    let float = Int((1e6 * tables[0].latencyMs).rounded())
    time = SearchResource(
      extra: search.groups.map { members in
        search.options.map { option in
          guard let table = byOption[option] else { return 0 }
          return members.reduce(0) { sum, layer in
            let node = search.layers[layer].node
            return sum + Int((nanoseconds(node, table) - nanoseconds(node, tables[0])).rounded())
          }
        }
      }, float: float, limit: ratio.map { Int($0 * Double(float)) })
  }

  /// Time of a network over float32's, measured in turn.
  func measured(_ encoded: EncodedGraph, _ search: RecipeSearch, reporter: Reporter) throws -> Double {
    let networks = [EncodedGraph(graph: search.project.model.graph), encoded]
    let runners = try networks.map {
      try Runner($0, model: search.project.model, batch: 1, threads: search.project.threads)
    }
    let inputs = try search.samples.selection.batch(runners[0].fill([0]))
    for runner in runners { try runner.program.load(inputs) }
    let table = try reporter.alone {
      try Latency.measure(runners.map { runner in { try runner.program.execute() } }, seconds: 5)
    }
    return 1 / table.speedup(of: 1, over: 0).ratio
  }
}
