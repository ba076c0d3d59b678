import Datasets
import Evaluation
import Execution
import Graph
import Quantization
import Tensors
import Workflows

/// Scores networks on the same samples beside float32, each thread on batches of its own.
struct CandidateScorer: Sendable {
  private let project: Project
  private let samples: BoundDataset
  private let classes: Int?
  private let batches: [[Int]]
  /// float32's outputs by batch.
  private let expected: [[Tensor]]
  let float32: Scores

  /// Runs float32 on the samples and keeps its outputs.
  init(_ project: Project, samples: BoundDataset) throws {
    self.project = project
    self.samples = samples
    let float = EncodedGraph(graph: project.model.graph)
    let lanes = try Self.lanes(float, project)
    classes = project.model.classOutput(named: samples.answerOutput, in: lanes.first.program.outputs)
    let batch = lanes.first.batch
    let batches = stride(from: 0, to: samples.count, by: batch).map {
      Array($0..<Swift.min($0 + batch, samples.count))
    }
    self.batches = batches
    expected = try lanes.map(0..<batches.count) { runner, number in
      try Self.run(runner, batches[number], samples)
    }
    var scores = Scores()
    for (outputs, batch) in zip(expected, batches) {
      scores.append(Self.scored(outputs, outputs, batch, samples, classes))
    }
    float32 = scores
  }

  /// What a network scores, simulated.
  func scores(_ encoded: EncodedGraph) throws -> Scores {
    let lanes = try Self.lanes(EncodedGraph(graph: simulated(encoded)), project)
    let parts = try lanes.map(0..<batches.count) { runner, number in
      Self.scored(
        try Self.run(runner, batches[number], samples), expected[number], batches[number], samples, classes)
    }
    return parts.reduce(into: Scores()) { $0.append($1) }
  }

  private static func lanes(_ encoded: EncodedGraph, _ project: Project) throws -> Lanes<Runner> {
    try Lanes(project.threads) {
      try Runner(encoded, model: project.model, batch: Project.evaluationBatch, threads: 1)
    }
  }

  private static func run(_ runner: Runner, _ batch: [Int], _ samples: BoundDataset) throws -> [Tensor] {
    try runner.run(samples.batch(runner.fill(batch)), count: batch.count)
  }

  private static func scored(
    _ outputs: [Tensor], _ expected: [Tensor], _ batch: [Int], _ samples: BoundDataset, _ classes: Int?
  ) -> Scores {
    var scores = Scores()
    scores.add(
      outputs, reference: expected, classes: classes,
      labels: samples.labels.map { labels in batch.map { labels[$0] } } ?? [], count: batch.count)
    return scores
  }
}
