import Datasets
import Evaluation
import Execution
import Graph
import Jobs
import Quantization
import Workflows

extension Project {
  /// Chooses an option for every layer.
  ///
  /// To first order the KL divergences that layers cause alone add up, so what is to be found is the least sum within
  /// so many bytes (or nanoseconds): a knapsack, solved for every size at once (`Knapsack`). Errors of layers do meet,
  /// though; so points along the front are measured, and around the one wanted its neighbours, nearest by prediction
  /// first, going on from each that measures better. Uniform recipes take part: where one within the bounds is better, it
  /// is the result.
  ///
  /// All this sees calibration and selection samples only; the evaluation data is scored at the end.
  /// - Parameter tell: called with what is found so far, from the predicted front on; what it throws ends the search.
  /// - Errors: `WorkflowError` for data that does not suffice, and for a bound on the drop without class scores.
  package func search(
    base: Recipe, settings: SearchSettings, reporter: Reporter,
    tell: @escaping (SearchFront) throws -> Void = { _ in }
  ) throws -> (report: SearchReport, recipe: Recipe) {
    let (clock, processor) = (ContinuousClock.now, processorSeconds)
    if settings.bounds.maxDrop != nil, try !hasClassScores {
      throw WorkflowError(
        "a bound on the drop needs class scores (found none). Bound the size instead (--max-size, --min-compression)."
      )
    }
    let search = try RecipeSearch(self, base: base, settings: settings, reporter: reporter.part(0...0.4))
    var table = try SearchTable(search, reporter: reporter.part(0.4...0.45), tell: tell)
    try table.measureFront(settings.frontPoints, reporter: reporter.part(0.45...0.6))
    let start = try table.start(reporter: reporter.part(0.6...0.65))
    let best = try table.refined(start, reporter: reporter.part(0.65...0.8))
    let found = try table.finish(best, reporter: reporter.part(0.8...1))
    let report = SearchReport(
      model: modelFacts,
      data: dataFacts(samples: search.samples.evaluation.count, roles: search.samples.roles),
      machine: .current(threads: threads), goal: settings.wanted, bounds: settings.bounds,
      meetsBounds: found.meets, float32Top1: table.evaluation.float32.top1Share,
      predictionRankCorrelation: table.rankCorrelation, measured: table.measured.count,
      seconds: (ContinuousClock.now - clock) / .seconds(1), cpuSeconds: processorSeconds - processor,
      points: found.points, recipe: found.recipe.yaml, warnings: search.warnings)
    return (report, found.recipe)
  }

  /// Whether answers can change: known before anything long is done.
  private var hasClassScores: Bool {
    get throws {
      let float32 = try Runner(EncodedGraph(graph: model.graph), model: model, batch: 1, threads: 1)
      let answer = (trainData ?? data).answerOutput ?? data.answerOutput
      return model.classOutput(named: answer, in: float32.program.outputs) != nil
    }
  }
}
