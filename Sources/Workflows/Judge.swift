import Datasets
import Evaluation
import Execution
import Graph
import Quantization
import Tensors

/// Judges candidates on samples that they were not made with, by how far their integer networks answer from float32.
struct Judge {
  /// Output that is compared, where the model has one; class scores where it has those.
  let answer: ValueName?
  let hasClasses: Bool
  private let project: Project
  private let data: BoundDataset
  private let samples: [Int]
  private let classes: Int?
  /// Samples of one run of float32, and so of candidates.
  private let batch: Int
  /// float32's answers, batch by batch, and its scores.
  private let expected: [[Tensor]]
  private let reference: Scores

  /// - Parameter samples: indices of `data`.
  init(_ project: Project, _ data: BoundDataset, _ samples: [Int]) throws {
    self.project = project
    self.data = data
    self.samples = samples
    let model = project.model
    let runner = try Runner(
      EncodedGraph(graph: model.graph), model: model, batch: Project.evaluationBatch, threads: project.threads
    )
    batch = runner.batch
    classes = model.classOutput(
      named: data.answerOutput ?? project.data.answerOutput, in: runner.program.outputs)
    answer = classes.map { runner.program.outputs[$0].name } ?? runner.program.outputs.first?.name
    hasClasses = classes != nil
    var expected: [[Tensor]] = []
    var reference = Scores()
    let classes = classes
    try Self.visit(samples, runner, data) { inputs, labels, count in
      let outputs = try runner.run(inputs, count: count)
      expected.append(outputs)
      reference.add(outputs, reference: outputs, classes: classes, labels: labels, count: count)
    }
    self.expected = expected
    self.reference = reference
  }

  var float32Top1: Double? { reference.top1Share }

  struct Verdict {
    /// Mean KL(float32 ‖ candidate); without classes, the noise of the answers over their signal.
    var divergence: Double
    var scores: Scores
  }

  /// `nil` without samples.
  func verdict(_ candidate: Candidate) throws -> Verdict? {
    guard !samples.isEmpty else { return nil }
    let runner = try Runner(
      candidate.runnable(), model: project.model, batch: batch, threads: project.threads)
    var scores = Scores()
    var index = 0
    try Self.visit(samples, runner, data) { inputs, labels, count in
      scores.add(
        try runner.run(inputs, count: count), reference: expected[index], classes: classes, labels: labels,
        count: count)
      index += 1
    }
    let divergence = scores.meanDivergence ?? scores.noise / Swift.max(scores.signal, .leastNormalMagnitude)
    return Verdict(divergence: divergence, scores: scores)
  }

  private static func visit(
    _ samples: [Int], _ runner: Runner, _ data: BoundDataset,
    _ body: ([ValueName: Tensor], [Int], Int) throws -> Void
  ) throws {
    for start in stride(from: 0, to: samples.count, by: runner.batch) {
      let chunk = Array(samples[start..<Swift.min(start + runner.batch, samples.count)])
      let labels = data.labels.map { labels in chunk.map { labels[$0] } } ?? []
      try body(data.batch(runner.fill(chunk)), labels, chunk.count)
    }
  }
}
