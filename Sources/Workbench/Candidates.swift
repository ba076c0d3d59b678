import Analysis
import Evaluation
import Graph
import Jobs
import Quantization
import Workflows

/// Names a candidate for as long as the session lives; never reused.
package struct CandidateID: Hashable, Comparable, Sendable, Codable {
  package let number: Int
  package init(_ number: Int) { self.number = number }
  package static func < (a: CandidateID, b: CandidateID) -> Bool { a.number < b.number }

  /// The letter that stands for it on screen: A to Z, then A1 and so on.
  package var letter: String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    let round = (number - 1) / letters.count
    return "\(letters[(number - 1) % letters.count])\(round == 0 ? "" : String(round))"
  }
}

/// A recipe that the user works on: one column of the comparison.
package struct CandidateEntry: Sendable, Hashable {
  package var id: CandidateID
  package var recipe: Recipe
  /// What the recipe means for the model's layers.
  package private(set) var resolution: Resolution
  /// Share of the model's multiply–accumulates that the recipe quantizes, 0…1.
  package private(set) var quantizedMacs: Double?
  /// The recipe that was last measured for this candidate, as a key into the trials.
  package var lastMeasured: Recipe?
  /// What the user wrote of it.
  package var note = ""

  init(
    id: CandidateID, recipe: Recipe, of model: Model, lastMeasured: Recipe? = nil, note: String = ""
  ) {
    self.id = id
    self.recipe = recipe
    self.lastMeasured = lastMeasured
    self.note = note
    resolution = Resolution()
    replace(recipe, of: model)
  }

  mutating func replace(_ recipe: Recipe, of model: Model) {
    self.recipe = recipe
    resolution = recipe.resolve(model.graph, infos: model.infos)
    let quantized = Set(resolution.layers.filter { $0.effective.mode != .float }.map(\.node))
    quantizedMacs = model.quantizedMacs(quantized.contains)
  }

  /// Letter and name, for example `A static-int8`.
  package var title: String { "\(id.letter) \(recipe.name)" }
}

/// What measuring a recipe gave.
package struct Measured: Sendable, Hashable, Codable {
  package var trial: Trial
  /// float32 on the same samples.
  package var float32: Trial
  package var roles: String
  /// What it answers; `nil` where it was measured before that was kept.
  package var answers: Answers?
  /// Why its latency cannot be compared with what is measured now (another machine or number of threads).
  package var latencyIsStale: Bool

  package init(
    trial: Trial, float32: Trial, roles: String, answers: Answers? = nil, latencyIsStale: Bool = false
  ) {
    self.trial = trial
    self.float32 = float32
    self.roles = roles
    self.answers = answers
    self.latencyIsStale = latencyIsStale
  }
}

extension Recipe {
  /// The recipe without its name: what results belong to.
  package var key: Recipe {
    var copy = self
    copy.name = ""
    return copy
  }
}

/// What a column of the comparison shows.
package struct Shown: Sendable, Hashable {
  package enum Status: Sendable, Hashable {
    case notRun
    case queued
    /// Measuring, with the share of samples that the figures cover.
    case running(Double)
    /// In an epoch, counted from 1.
    case training(epoch: Int, of: Int)
    case done
    case failed(String)
  }

  package var trial: Trial?
  /// float32 on the same samples.
  package var float32: Trial?
  /// What the trial answers; `nil` while it is measured, and where it was measured before answers were kept.
  package var answers: Answers?
  /// The figures belong to an earlier form of the recipe.
  package var isStale: Bool
  package var latencyIsStale: Bool
  /// The figures are of the best epoch so far, while training goes on.
  package var isProvisional = false
  /// What the recipe would come to, while nothing of it is measured.
  package var prediction: Prediction?
  package var status: Status
}

/// Figures of a run that goes on.
package struct LiveFigures: Sendable, Hashable {
  package var trial: Trial
  /// float32 on the same samples.
  package var float32: Trial
  /// The share of samples they cover, 0…1.
  package var fraction: Double
  /// They are of the best epoch so far, while training goes on.
  package var isProvisional = false
}
