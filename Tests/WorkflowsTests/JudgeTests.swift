import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Testing

@testable import Workflows

@Suite struct JudgeTests {
  /// What one network on one thread gives, batch by batch, whatever the number of threads.
  @Test(arguments: [1, 2, 5]) func scoresAreThoseOfTheNetwork(_ threads: Int) throws {
    var project = try ChooseTests.project()
    project.threads = threads
    // The last batch is a part of one.
    let samples = try project.model.synthetic(21, seed: 7)
    let judge = try Judge(project, samples)
    let candidate = try project.prepare(ChooseTests.recipe([]), name: "x", reporter: .silent)
    let found = try judge.scores(candidate.runnable())
    let (float, network) = try (
      Runner(EncodedGraph(graph: project.model.graph), model: project.model, batch: 21, threads: 1),
      Runner(candidate.runnable(), model: project.model, batch: 21, threads: 1)
    )
    let inputs = try samples.batch(0..<21)
    let reference = try float.run(inputs, count: 21)
    var expected = Scores()
    expected.add(
      try network.run(inputs, count: 21), reference: reference, classes: 0, labels: [], count: 21)
    #expect(found.samples == 21 && found.predicted == expected.predicted)
    #expect(judge.hasClasses && judge.answer == "y" && judge.float32.samples == 21)
    #expect(try abs(found.distance - #require(expected.meanDivergence)) <= 1e-5 * expected.distance)
    #expect(abs(found.noise - expected.noise) <= 1e-5 * expected.noise && found.noise > 0)
    #expect(found.agreement(with: judge.float32) == expected.agreement(with: judge.float32))
  }

  @Test func withoutSamplesThereAreNoScores() throws {
    let project = try ChooseTests.project()
    let judge = try Judge(project, project.data.selecting([]))
    #expect(judge.float32.samples == 0 && judge.answer == "y")
    #expect(try judge.scores(EncodedGraph(graph: project.model.graph)).samples == 0)
  }

  /// Without class scores it is the noise over the signal.
  @Test func distanceWithoutClasses() {
    #expect(Scores().distance == 0)
    var scores = Scores()
    scores.add(
      [Tensor([1, 1] as [Float], shape: [1, 2])], reference: [Tensor([3, 1] as [Float], shape: [1, 2])],
      classes: nil, labels: [], count: 1)
    #expect(scores.distance == 0.4)
  }
}
