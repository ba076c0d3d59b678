import Datasets
import Quantization

/// Which samples calibrate and which evaluate, so that no candidate is judged on what it was calibrated on.
package struct EvaluationPlan: Sendable {
  /// Where calibration samples come from.
  package enum Source: Sendable, Hashable {
    case trainData
    case data
    case synthetic
    case none
  }

  package struct Fold: Sendable {
    /// Calibration samples of each recipe, in the order of the recipes.
    package var calibration: [[Int]]
    package var evaluation: [Int]
  }

  package var source: Source
  /// One; five when the evaluation is cross-fitted.
  package var folds: [Fold]
  /// Calibration samples of the candidates that are kept, exported and timed.
  package var kept: [[Int]]
  /// Which data calibrates and which evaluates, in words.
  package var roles: String
  package var warnings: [String]

  /// With fewer samples than this in all, evaluation is cross-fitted so that every sample counts.
  package static let fewSamples = 500
  package static let foldCount = 5
  /// Samples made up when there is no data.
  package static let syntheticSamples = 64
  /// The same of a language model, in windows.
  package static let syntheticWindows = 8

  /// - Parameters:
  ///   - limit: most samples that evaluate.
  package init(
    recipes: [Recipe], needsCalibration: [Bool], data: BoundDataset, trainData: BoundDataset?, limit: Int?
  ) {
    let count = data.count
    let evaluates = data.isSynthetic ? "synthetic inputs" : "--data"
    func capped(_ indices: [Int]) -> [Int] { limit.map { Array(indices.prefix($0)) } ?? indices }
    func drawn(_ recipe: Recipe, from indices: [Int]) -> [Int] {
      Sampling.subset(of: indices.count, taking: recipe.calibration.samples, seed: recipe.calibration.seed)
        .map { indices[$0] }
    }
    let all = Array(0..<count)
    let none = recipes.map { _ in [Int]() }
    warnings = []
    let needed = zip(recipes, needsCalibration)
    guard needsCalibration.contains(true) else {
      source = .none
      folds = [Fold(calibration: none, evaluation: capped(all))]
      kept = none
      roles = "evaluates on \(evaluates), nothing is calibrated"
      return
    }
    if let trainData {
      let train = Array(0..<trainData.count)
      source = .trainData
      kept = needed.map { $1 ? drawn($0, from: train) : [] }
      folds = [Fold(calibration: kept, evaluation: capped(all))]
      roles = "calibrates on --train-data, evaluates on \(evaluates)"
      return
    }
    guard !data.isSynthetic else {
      source = .synthetic
      kept = needed.map { $1 ? Array(0..<Swift.max($0.calibration.samples, 1)) : [] }
      folds = [Fold(calibration: kept, evaluation: capped(all))]
      roles = "calibrates and evaluates on synthetic inputs"
      warnings = [
        "There is no data: ranges and figures come from synthetic inputs and say little of real ones."
      ]
      return
    }
    source = .data
    kept = needed.map { $1 ? drawn($0, from: all) : [] }
    if count >= Self.fewSamples {
      let used = Set(kept.joined())
      folds = [Fold(calibration: kept, evaluation: capped(all.filter { !used.contains($0) }))]
      roles = "calibrates on \(used.count) samples of --data, evaluates on the others"
      return
    }
    let parts = Sampling.folds(count, Self.foldCount, seed: recipes.first?.calibration.seed ?? 0)
    folds = parts.map { evaluation in
      let held = Set(evaluation)
      let rest = all.filter { !held.contains($0) }
      return Fold(calibration: needed.map { $1 ? drawn($0, from: rest) : [] }, evaluation: evaluation)
    }
    if let limit {
      var left = limit
      for index in folds.indices {
        folds[index].evaluation = Array(folds[index].evaluation.prefix(left))
        left -= folds[index].evaluation.count
      }
      folds.removeAll { $0.evaluation.isEmpty }
    }
    roles = "calibrates and evaluates on --data, cross-fitted in \(Self.foldCount) folds"
    warnings = [
      "Only \(count) samples: the evaluation is cross-fitted in \(Self.foldCount) folds, each calibrated on the others."
    ]
  }
}
