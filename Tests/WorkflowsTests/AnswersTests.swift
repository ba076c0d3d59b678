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

@Suite struct MeasuredAnswersTests {
  /// The bundled sample with the first of its images, too few for calibrating apart.
  private func project(_ samples: Int) throws -> Project {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("samples").path
    var project = try Project.open(
      model: folder + "/shapes.onnx", data: folder + "/test.yaml", threads: 1)
    project.data = project.data.selecting(Array(0..<samples))
    return project
  }

  private func measured(_ project: Project, _ mode: Mode, limit: Int? = nil) throws -> Workflows.Measurement {
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: mode))
    recipe.defaults.weights.bits = 2
    recipe.calibration.samples = 8
    let plan = project.plan([recipe], limit: limit)
    var options = MeasureOptions()
    options.measuresLatency = false
    return try project.measure(
      project.prepare([("x", recipe)], plan: plan, reporter: .silent), plan: plan, options: options,
      reporter: .silent)
  }

  /// In the order of the data, and in that of five shuffled folds, every answer is at the place of its sample.
  @Test(arguments: [(Mode.weightOnly, 1), (.static, 5)])
  func everyMoveIsOfItsSample(_ mode: Mode, _ folds: Int) throws {
    let project = try project(45)
    #expect(project.plan([Recipe(name: "x", defaults: LayerSettings(mode: mode))]).folds.count == folds)
    let measurement = try measured(project, mode)
    let answers = try #require(measurement.answers.first)
    let trial = measurement.candidates[0]
    let labels = try #require(project.data.labels)
    #expect(answers.evaluated == SampleSet(0..<45) && measurement.answers.count == 1)
    #expect(Double(45 - answers.moves.count) / 45 == trial.agreement && !answers.moves.isEmpty)
    #expect(answers.classes.reduce(0) { $0 + $1.samples } == 45)
    let float = try Runner(
      EncodedGraph(graph: project.model.graph), model: project.model, batch: 1, threads: 1)
    for move in answers.moves {
      let output = try float.run(project.data.batch([move.sample]), count: 1)[0]
      let scores = output.withElements(of: Float.self) { Array($0) }
      let sorted = scores.sorted(by: >)
      #expect(scores[move.float32] == sorted[0] && labels[move.sample] == move.label)
    }
    let difference = PairedDifference(
      samples: 45, lost: answers.count(.lost), gained: answers.count(.gained))
    #expect(difference.delta == trial.top1Delta)
    #expect(trial.top1DeltaCi95 == [difference.interval95.lowerBound, difference.interval95.upperBound])
  }

  @Test func onlyWhatIsEvaluatedIsIn() throws {
    let measurement = try measured(project(20), .weightOnly, limit: 11)
    #expect(measurement.answers[0].evaluated == SampleSet(0..<11))
  }

  /// Weights in float32 in the largest layers leave their share out.
  @Test func theShareOfMultiplyAccumulatesIsThatOfTheLayers() throws {
    let project = try project(10)
    let all = try measured(project, .weightOnly).candidates[0]
    #expect(all.quantizedMacs == 1)
    let largest = try #require(project.model.layers.max { $0.macs < $1.macs })
    let share = try #require(project.model.quantizedMacs { $0 != largest.name })
    #expect(abs(share - (1 - Double(largest.macs) / Double(project.model.macs))) < 1e-12)
    #expect(try measured(project, .float).candidates[0].quantizedMacs == 0)
  }
}
