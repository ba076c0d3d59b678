import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization

/// float32 and candidates compiled and loaded, ready to be timed.
package struct BenchVariants: Sendable {
  package let names: [String]
  private let programs: [Program]

  fileprivate init(names: [String], programs: [Program]) {
    self.names = names
    self.programs = programs
  }

  /// Runs every variant once and returns their milliseconds.
  package func turn() throws -> [Double] {
    try programs.map { program in
      let start = ContinuousClock.now
      try program.execute()
      return (ContinuousClock.now - start) / .milliseconds(1)
    }
  }

  /// Medians of each step's time over `runs` turns, or fewer (but at least 10) when `limit` seconds run out.
  package func steps(
    runs: Int, limit: Double = .infinity, energy: EnergyCounter? = nil, reporter: Reporter
  ) throws -> [BenchTable] {
    for _ in 0..<Latency.warmUpRuns { _ = try turn() }
    var seconds = programs.map { program in program.steps.map { _ in [Double]() } }
    var whole = programs.map { _ in [Double]() }
    var joules: [Double]?
    try reporter.alone {
      let start = ContinuousClock.now
      for run in 0..<Swift.max(runs, 1) {
        for (index, time) in try turn().enumerated() { whole[index].append(time) }
        for (index, program) in programs.enumerated() {
          var times = [Double](repeating: 0, count: program.steps.count)
          try program.executeTimed(into: &times)
          for step in times.indices { seconds[index][step].append(times[step]) }
        }
        let taken = (ContinuousClock.now - start) / .seconds(1)
        try reporter.report(Swift.max(Double(run + 1) / Double(runs), Swift.min(taken / limit, 1)), "timing")
        if run >= 9, taken > limit { break }
      }
      joules = try energy?.joulesPerRun(
        of: programs.map { program in { try program.execute() } },
        betweenTurns: { try reporter.report(nil, "energy") })
    }
    return programs.indices.map { index in
      BenchTable(
        name: names[index], latencyMs: Quantiles.median(whole[index]), energyJoules: joules?[index],
        workingSet: programs[index].packedWeightBytes + programs[index].arenaBytes,
        steps: zip(programs[index].steps, seconds[index]).map { step, times in
          BenchTable.Step(
            name: step.name, nodes: step.nodes, kernel: step.kernel, ms: Quantiles.median(times) * 1e3,
            macs: step.macs, bytes: step.bytesRead + step.bytesWritten)
        })
    }
  }
}

/// What one variant's steps cost.
package struct BenchTable: Sendable {
  package struct Step: Sendable {
    package var name: String
    /// The nodes it computes; none for a conversion.
    package var nodes: [String]
    package var kernel: String
    package var ms: Double
    package var macs: Int
    package var bytes: Int

    package init(name: String, nodes: [String] = [], kernel: String, ms: Double, macs: Int, bytes: Int) {
      self.name = name
      self.nodes = nodes
      self.kernel = kernel
      self.ms = ms
      self.macs = macs
      self.bytes = bytes
    }
  }

  package var name: String
  package var latencyMs: Double
  /// Of one inference; `nil` where the machine does not tell.
  package var energyJoules: Double?
  /// Bytes of weights and activations that one inference touches.
  package var workingSet: Int
  package var steps: [Step]

  package init(
    name: String, latencyMs: Double, energyJoules: Double? = nil, workingSet: Int, steps: [Step]
  ) {
    self.name = name
    self.latencyMs = latencyMs
    self.energyJoules = energyJoules
    self.workingSet = workingSet
    self.steps = steps
  }
}

extension Project {
  /// Compiles float32 and each recipe, and loads one batch.
  package func bench(
    _ recipes: [(name: String, recipe: Recipe)], batch: Int, reporter: Reporter
  ) throws -> BenchVariants {
    try bench(
      recipes.map { ($0.name, try prepare($0.recipe, name: $0.name, reporter: reporter)) }, batch: batch)
  }

  /// Compiles float32 and candidates, and loads one batch.
  package func bench(_ candidates: [(name: String, candidate: Candidate)], batch: Int) throws -> BenchVariants
  {
    let count = model.batch(batch)
    let options = CompileOptions(inputShapes: model.inputShapes(batch: count), threads: threads)
    let encoded =
      try [("float32", EncodedGraph(graph: model.graph))]
      + candidates.map { name, candidate in
        if let reason = candidate.encoded.simulationReasons.first {
          throw WorkflowError("\(name): cannot be timed, it is only simulated: \(reason)")
        }
        return (name, candidate.encoded)
      }
    let programs = try encoded.map { try compile($0.1, options) }
    let inputs = try data.batch((0..<count).map { $0 % Swift.max(data.count, 1) })
    for program in programs { try program.load(inputs) }
    return BenchVariants(names: encoded.map(\.0), programs: programs)
  }
}
