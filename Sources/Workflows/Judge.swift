import Datasets
import Evaluation
import Execution
import Graph
import Tensors

/// Scores networks on the same samples beside float32, which runs once.
///
/// Batches go side by side, each on threads of its own (`Lanes`): with one batch at a time, threads wait for each other
/// after every step.
package struct Judge: Sendable {
  /// Output that is compared, where the model has one; class scores where it has those.
  package let answer: ValueName?
  package let float32: Scores
  private let model: Model
  private let samples: BoundDataset
  private let classes: Int?
  private let lanes: Int
  private let threadsPerLane: Int
  private let batches: [[Int]]
  /// float32's outputs by batch; empty where they are too many to keep, and are computed again.
  private let expected: [[Tensor]]

  /// Most bytes of float32's outputs that are kept.
  static let keptBytes = 512 << 20

  package var hasClasses: Bool { classes != nil }

  /// Classes that are told apart; `nil` where there are no class scores.
  package var classCount: Int? { classes == nil || float32.classCount == 0 ? nil : float32.classCount }

  /// Runs float32 on the samples and keeps its outputs.
  package init(_ project: Project, _ samples: BoundDataset) throws {
    let model = project.model
    self.model = model
    self.samples = samples
    let each = Swift.max(model.batch(model.evaluationBatch), 1)
    lanes = Swift.max(Swift.min(project.threads, (samples.count + each - 1) / each), 1)
    threadsPerLane = Swift.max(project.threads / lanes, 1)
    let runners = try Self.runners(EncodedGraph(graph: model.graph), model, lanes, threadsPerLane)
    let (outputs, batch) = (runners.first.program.outputs, runners.first.batch)
    let classes = model.classOutput(named: samples.answerOutput ?? project.data.answerOutput, in: outputs)
    self.classes = classes
    answer = classes.map { outputs[$0].name } ?? outputs.first?.name
    let batches = stride(from: 0, to: samples.count, by: batch).map {
      Array($0..<Swift.min($0 + batch, samples.count))
    }
    self.batches = batches
    let bytes = samples.count * model.outputBytesPerSample
    let parts = try runners.map(0..<batches.count) { runner, number in
      let batch = batches[number]
      let outputs = try runner.run(samples.batch(runner.fill(batch)), count: batch.count)
      return (
        scores: Self.scored(outputs, outputs, batch, samples, classes),
        outputs: bytes <= Self.keptBytes ? outputs : []
      )
    }
    expected = bytes <= Self.keptBytes ? parts.map(\.outputs) : []
    float32 = parts.reduce(into: Scores()) { $0.append($1.scores) }
  }

  /// What a network scores, run as it is given; of no samples where there are none.
  package func scores(_ network: EncodedGraph) throws -> Scores {
    guard !batches.isEmpty else { return Scores() }
    let tools = try Lanes(lanes) {
      (
        network: try Self.runner(network, model, threadsPerLane),
        float32: expected.isEmpty
          ? try Self.runner(EncodedGraph(graph: model.graph), model, threadsPerLane) : nil
      )
    }
    let parts = try tools.map(0..<batches.count) { tools, number in
      let batch = batches[number]
      let inputs = try samples.batch(tools.network.fill(batch))
      let reference = try tools.float32?.run(inputs, count: batch.count) ?? expected[number]
      let outputs = try tools.network.run(inputs, count: batch.count)
      return Self.scored(outputs, reference, batch, samples, classes)
    }
    return parts.reduce(into: Scores()) { $0.append($1) }
  }

  /// The same of the network that is computed in float32 in its place, whatever the widths.
  package func scores(simulating network: EncodedGraph) throws -> Scores {
    try scores(EncodedGraph(graph: simulated(network)))
  }

  private static func runners(
    _ network: EncodedGraph, _ model: Model, _ lanes: Int, _ threads: Int
  ) throws -> Lanes<Runner> {
    try Lanes(lanes) { try runner(network, model, threads) }
  }

  private static func runner(_ network: EncodedGraph, _ model: Model, _ threads: Int) throws -> Runner {
    try Runner(network, model: model, batch: model.evaluationBatch, threads: threads)
  }

  private static func scored(
    _ outputs: [Tensor], _ expected: [Tensor], _ batch: [Int], _ samples: BoundDataset, _ classes: Int?
  ) -> Scores {
    var scores = Scores()
    scores.add(
      outputs, reference: expected, classes: classes,
      labels: samples.labels(of: batch), count: batch.count)
    return scores
  }
}

extension Scores {
  /// How far from float32: mean KL in nats; for networks without class scores, noise over signal.
  package var distance: Double { meanDivergence ?? noise / Swift.max(signal, .leastNormalMagnitude) }
}
