import Datasets
import Execution
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

/// A candidate's blame, and the data it was found on.
package struct BlameReport: Sendable, Hashable {
  package var blame: Blame
  /// Which data calibrates and which evaluates, in words.
  package var roles: String
  package var warnings: [String]

  package init(blame: Blame, roles: String, warnings: [String] = []) {
    self.blame = blame
    self.roles = roles
    self.warnings = warnings
  }
}

extension Project {
  /// Samples that tell blame well enough: its figures are sums over all elements of all samples.
  package static let blameSamples = 256
  /// Worst samples that are kept of each layer.
  static let worstSamples = 8
  /// Most bytes of activations that a batch may take; above, samples run one at a time.
  private static let blameBatchBytes = 256 << 20

  /// Finds where a candidate's error comes from, on the samples that would evaluate it.
  ///
  /// Both networks run in one program, with each layer's mixed evaluations: about five times the work of float32, and
  /// its weights about five times.
  /// - Parameters:
  ///   - limit: most samples.
  ///   - batch: samples of one run, `nil` for as many as evaluation takes; figures do not depend on it.
  /// - Errors: `WorkflowError` where no sample is left to look at; what compiling and running throw.
  package func blame(
    _ candidate: Candidate, limit: Int = Project.blameSamples, batch: Int? = nil,
    reporter: Reporter
  ) throws -> BlameReport {
    let plan = plan([candidate.recipe], limit: limit)
    let isCrossFitted = plan.folds.count > 1
    let samples = plan.folds.flatMap(\.evaluation).sorted()
    let blame = try blame(candidate, samples: samples, batch: batch, reporter: reporter)
    return BlameReport(
      blame: blame, roles: isCrossFitted ? "calibrates and evaluates on --data" : plan.roles,
      warnings: candidate.warnings
        + blame.warnings
        + (isCrossFitted
          ? ["Only \(data.count) samples: those that calibrate are judged too."] : plan.warnings))
  }

  /// As `blame(_:limit:batch:reporter:)`, on given samples of the data that evaluates.
  package func blame(
    _ candidate: Candidate, samples: [Int], batch: Int? = nil, reporter: Reporter
  ) throws -> Blame {
    guard !samples.isEmpty else {
      throw WorkflowError(
        "blame needs at least one sample (found none that do not calibrate). Give more data.")
    }
    try reporter.report(0, "building both networks")
    let (graph, program, batch) = try blameProgram(candidate, batch: batch ?? model.evaluationBatch)
    var sums = graph.rows.map { BlameSums($0) }
    for start in stride(from: 0, to: samples.count, by: batch) {
      let chunk = Array(samples[start..<Swift.min(start + batch, samples.count)])
      // The last batch is filled up with a sample already there, which is not counted.
      let filled = chunk + Array(repeating: chunk[chunk.count - 1], count: batch - chunk.count)
      try program.load(try data.batch(filled))
      try program.execute()
      let views = try program.views()
      for index in sums.indices { sums[index].add(views, samples: chunk) }
      let done = start + chunk.count
      try reporter.report(Double(done) / Double(samples.count), "\(done) of \(samples.count) samples")
    }
    let nodes = Dictionary(model.graph.nodes.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    return Blame(
      layers: sums.filter(\.isFinite).map { sums in
        Blame.Layer(
          name: sums.row.layer, operatorName: nodes[sums.row.layer]?.operatorName.text ?? "",
          mode: candidate.encoded.layers[sums.row.layer]?.mode ?? .float,
          energies: sums.channels.reduce(into: Blame.Energies()) { $0 += $1 }, channels: sums.channels,
          worst: sums.worst)
      }, samples: samples.count, notFinite: sums.filter { !$0.isFinite }.map(\.row.layer))
  }

  /// Both networks compiled for the largest batch up to `wanted` that keeps samples apart and memory small.
  private func blameProgram(
    _ candidate: Candidate, batch wanted: Int
  ) throws -> (BlameGraph, Program, batch: Int) {
    let spoken = Set(candidate.resolution.layers.map(\.node))
    let layers = Set(model.layers.filter { $0.hasWeights || spoken.contains($0.name) }.map(\.name))
    func compiled(_ batch: Int) throws -> (BlameGraph, Program, batch: Int) {
      let shapes = model.inputShapes(batch: batch)
      let operands = Dictionary(
        uniqueKeysWithValues: shapes.map { name, shape in
          (name, OperandInfo(type: model.infos[name]?.type ?? .float32, shape: shape))
        })
      let reference = candidate.reshaped ?? model.graph
      let graph = try BlameGraph(
        reference: reference, candidate: candidate.encoded, layers: layers,
        infos: try reference.infer(inputs: operands), single: model.batchInputs.isEmpty ? nil : model.infos,
        batch: batch)
      return (
        graph,
        try compile(
          EncodedGraph(graph: graph.graph), CompileOptions(inputShapes: shapes, threads: threads)), batch
      )
    }
    let batch = model.batch(candidate.mixesSamples ? 1 : wanted)
    guard batch > 1, !model.batchInputs.isEmpty else { return try compiled(batch) }
    // Shapes inside a graph may be made for one batch size, or not have the batch in front.
    if let result = try? compiled(batch), result.0.rows.allSatisfy(\.tellsSamples),
      result.1.arenaBytes <= Self.blameBatchBytes
    {
      return result
    }
    return try compiled(1)
  }
}

extension Blame {
  fileprivate var warnings: [String] {
    guard !notFinite.isEmpty else { return [] }
    return [
      "left out, with values that are not finite or too large to square (masks are): "
        + notFinite.joined(separator: ", ")
    ]
  }
}

/// What a layer's energies come to while samples run.
private struct BlameSums {
  let row: BlameGraph.Row
  private(set) var channels: [Blame.Energies]
  private(set) var worst: [Blame.Sample] = []
  private(set) var isFinite = true

  init(_ row: BlameGraph.Row) {
    self.row = row
    channels = Array(repeating: Blame.Energies(), count: row.channels)
  }

  /// Adds a batch, of which the first samples count.
  mutating func add(_ values: [ValueName: Tensor], samples: [Int]) {
    var each = Array(repeating: Blame.Energies(), count: row.tellsSamples ? samples.count : 1)
    for (part, name) in row.energies {
      guard let value = values[name] else { continue }
      value.withElements(of: Float.self) { energies in
        for index in each.indices {
          for channel in 0..<row.channels {
            let energy = Double(energies[index * row.channels + channel])
            if !energy.isFinite { isFinite = false }
            each[index][part] += energy
            channels[channel][part] += energy
          }
        }
      }
    }
    guard row.tellsSamples else { return }
    for (sample, energies) in zip(samples, each) {
      note(Blame.Sample(index: sample, energies: energies))
    }
  }

  private mutating func note(_ sample: Blame.Sample) {
    func error(_ sample: Blame.Sample) -> Double {
      sample.energies.ratio(sample.energies.total) ?? .infinity
    }
    guard sample.energies.total > 0 else { return }
    let place = worst.firstIndex { error($0) < error(sample) } ?? worst.count
    guard place < Project.worstSamples else { return }
    worst.insert(sample, at: place)
    if worst.count > Project.worstSamples { worst.removeLast() }
  }
}
