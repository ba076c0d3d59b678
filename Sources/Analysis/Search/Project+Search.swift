import Datasets
import Evaluation
import Jobs
import Quantization
import Workflows

extension Project {
  /// Chooses a width for every layer.
  ///
  /// To first order the KL divergences that layers cause alone add up, so what is to be found is the least sum within
  /// so many bytes: a knapsack, solved for every size at once (`Knapsack`). Errors of layers do meet, though; so points
  /// along the front are measured, and around the one wanted its neighbours, nearest by prediction first, going on
  /// from each that measures better. Uniform recipes take part: where one within the bounds is better, it is the result.
  ///
  /// All this sees calibration and selection samples only; the evaluation data is scored at the end.
  /// - Errors: `WorkflowError` for data that does not suffice, and for a bound on the drop without class scores.
  package func search(
    base: Recipe, settings: SearchSettings, reporter: Reporter
  ) throws -> (report: SearchReport, recipe: Recipe) {
    let (clock, processor) = (ContinuousClock.now, processorSeconds)
    let search = try RecipeSearch(self, base: base, settings: settings, reporter: reporter.part(0...0.4))
    var table = try SearchTable(search, reporter: reporter.part(0.4...0.45))
    if settings.bounds.maxDrop != nil, table.selection.float32.predicted.isEmpty {
      throw WorkflowError("--max-drop needs class scores (found none). Use --max-size or --min-compression.")
    }
    try table.measureFront(settings.frontPoints, reporter: reporter.part(0.45...0.6))
    let start = try table.start()
    let best = try table.refined(start, reporter: reporter.part(0.6...0.8))
    let found = try table.finish(best, reporter: reporter.part(0.8...1))
    let report = SearchReport(
      model: modelFacts,
      data: dataFacts(samples: search.samples.evaluation.count, roles: search.samples.roles),
      machine: .current(threads: threads), bounds: settings.bounds, meetsBounds: found.meets,
      float32Top1: table.evaluation.float32.top1Share,
      predictionRankCorrelation: table.rankCorrelation, measured: table.measured.count,
      seconds: (ContinuousClock.now - clock) / .seconds(1), cpuSeconds: processorSeconds - processor,
      points: found.points, recipe: found.recipe.yaml, warnings: search.warnings)
    return (report, found.recipe)
  }
}
