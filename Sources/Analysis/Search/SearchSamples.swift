import Datasets
import Quantization
import Workflows

/// Which samples a search calibrates on, chooses by and is reported on: three sets that share none.
struct SearchSamples: Sendable {
  var calibration: BoundDataset
  var selection: BoundDataset
  var evaluation: BoundDataset
  /// In words.
  var roles: String

  /// Draws by the recipe's seed; calibration samples are those that `compare` draws for the same recipe.
  ///
  /// - Parameters:
  ///   - selecting: samples to choose by, at most.
  ///   - limit: samples to report on, at most.
  /// - Errors: `WorkflowError` for fewer than three samples, or none that are real.
  init(_ project: Project, recipe: Recipe, selecting: Int, limit: Int?) throws {
    let pool = project.trainData ?? project.data
    guard !pool.isSynthetic else {
      throw WorkflowError(
        "a search needs data to choose by (found none). Give --data, better --train-data too.")
    }
    // Where one set has to do for all three, a third each at most.
    let most = project.trainData == nil ? pool.count / 3 : pool.count / 2
    guard most > 0, project.data.count > 0 else {
      throw WorkflowError("\(pool.path): \(pool.count) samples are too few to calibrate and choose by.")
    }
    let calibrating = Swift.min(recipe.calibration.samples, most)
    let drawn = Sampling.subset(
      of: pool.count, taking: calibrating + Swift.min(selecting, most), seed: recipe.calibration.seed)
    calibration = pool.selecting(Array(drawn.prefix(calibrating)))
    selection = pool.selecting(Array(drawn.dropFirst(calibrating)))
    let used = project.trainData == nil ? Set(drawn) : []
    let left = (0..<project.data.count).filter { !used.contains($0) }
    evaluation = project.data.selecting(limit.map { Array(left.prefix($0)) } ?? left)
    let source = project.trainData == nil ? "--data" : "--train-data"
    roles =
      "calibrates on \(calibration.count) and chooses by \(selection.count) samples of \(source), reports on "
      + (project.trainData == nil ? "the others" : "--data")
  }
}
