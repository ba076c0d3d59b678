import Evaluation

/// What was measured of float32 or of a candidate; a figure that does not exist is `nil` and is left out of JSON.
///
/// Fractions are 0…1, units are in the names; keys in JSON are the same words in snake case.
package struct Trial: Sendable, Hashable, Codable {
  package enum Execution: String, Sendable, Hashable, Codable {
    case float
    case integer
    case simulated
  }

  package var name: String
  package var recipe: JSONValue?
  package var execution: Execution
  package var samples: Int?
  package var top1: Double?
  package var top5: Double?
  package var loss: Double?
  package var top1Delta: Double?
  package var top1DeltaCi95: [Double]?
  package var pValue: Double?
  /// The class that lost most, where some class has enough samples.
  package var worstClass: ClassChange?
  package var agreement: Double?
  package var sqnrDb: Double?
  package var kl: Double?
  /// Figures of a language model, by scored token as top-1 and all above are then too: which is next-token accuracy.
  package var tokens: Int?
  package var perplexity: Double?
  package var perplexityCi95: [Double]?
  /// Less float32's, its interval paired over tokens.
  package var perplexityDelta: Double?
  package var perplexityDeltaCi95: [Double]?
  /// Over float32's: exp of the mean difference of the losses.
  package var perplexityRatio: Double?
  package var klCi95: [Double]?
  package var agreementCi95: [Double]?
  /// Root mean square of the change of the right token's probability.
  package var rmsDeltaP: Double?
  package var rmsDeltaPCi95: [Double]?
  package var sizeBytes: Int?
  package var weightBytes: Int
  package var packedBytes: Int
  package var compression: Double?
  package var bitsPerWeight: Double?
  /// Share of the multiply–accumulates that are in quantized layers, 0…1.
  package var quantizedMacs: Double?
  package var latencyMs: LatencySummary?
  package var speedup: Double?
  package var speedupCi95: [Double]?
  package var samplesPerSecond: Double?
  /// Of one inference; absent where the machine has no counters that can be read.
  package var energyJoules: Double?
  package var peakMemoryBytes: Int?
  package var quantizeSeconds: Double?
  package var warnings: [String]?

  package init(name: String, execution: Execution, weightBytes: Int, packedBytes: Int) {
    self.name = name
    self.execution = execution
    self.weightBytes = weightBytes
    self.packedBytes = packedBytes
  }

  /// Puts in what `scores` say, paired with float32's on the same samples.
  package mutating func take(_ scores: Scores, reference: Scores) {
    samples = scores.samples
    top1 = scores.top1Share
    top5 = scores.top5Share
    loss = scores.meanLoss
    if scores.scoresTokens { takeTokens(scores, reference: reference) }
    guard execution != .float else { return }
    if let difference = scores.difference(from: reference) {
      top1Delta = difference.delta
      top1DeltaCi95 = [difference.interval95.lowerBound, difference.interval95.upperBound]
      pValue = difference.pValue
    }
    worstClass = scores.scoresTokens ? nil : scores.worstClass(from: reference)
    agreement = scores.agreement(with: reference)
    sqnrDb = scores.sqnr
    kl = scores.meanDivergence
  }

  private mutating func takeTokens(_ scores: Scores, reference: Scores) {
    /// A figure that overflows does not exist.
    func finite(_ estimate: Estimate?) -> (Double, [Double]?)? {
      guard let estimate, estimate.value.isFinite else { return nil }
      let ends = [estimate.interval.lowerBound, estimate.interval.upperBound]
      return (estimate.value, ends.allSatisfy(\.isFinite) ? ends : nil)
    }
    tokens = scores.predicted.count
    if let found = finite(scores.perplexity) { (perplexity, perplexityCi95) = found }
    guard execution != .float else { return }
    if let (ratio, ends) = finite(scores.perplexityRatio(to: reference)),
      let from = reference.perplexity?.value
    {
      perplexityRatio = ratio
      perplexityDelta = from * (ratio - 1)
      perplexityDeltaCi95 = ends?.map { from * ($0 - 1) }
    }
    if let found = finite(scores.probabilityChange(from: reference)) { (rmsDeltaP, rmsDeltaPCi95) = found }
    klCi95 = finite(scores.divergenceEstimate)?.1
    agreementCi95 = finite(scores.agreementEstimate(with: reference))?.1
  }
}

/// What `lathe compare --json` prints.
package struct ComparisonReport: Sendable, Codable {
  package struct ModelFacts: Sendable, Hashable, Codable {
    package var path: String
    package var format: String
    package var parameters: Int
    package var macs: Int
  }

  package struct DataFacts: Sendable, Hashable, Codable {
    package var path: String?
    package var samples: Int
    /// Of a text: how many are scored in those samples, its windows.
    package var tokens: Int?
    package var labelled: Bool
    /// Which data calibrates and which evaluates, in words.
    package var roles: String
  }

  /// What a candidate answers otherwise than float32.
  package struct AnswerFacts: Sendable, Hashable, Codable {
    package var name: String
    package var samples: Int
    /// Right in float32 and wrong in the candidate, the other way round, and wrong in both; absent without labels.
    package var lost: Int?
    package var gained: Int?
    package var otherWrong: Int?
    package var classes: [ClassChange]
    package var confusion: [Confusion]

    package init(name: String, _ answers: Answers) {
      self.name = name
      samples = answers.evaluated.count
      if answers.isLabelled {
        (lost, gained) = (answers.count(.lost), answers.count(.gained))
        otherWrong = answers.count(.otherWrong)
      }
      classes = answers.classes
      confusion = answers.confusion
    }
  }

  package var model: ModelFacts
  package var data: DataFacts
  package var machine: Machine
  package var float32: Trial
  package var candidates: [Trial]
  /// In the order of the candidates; `nil` where there are no class scores, or they were not asked for.
  package var answers: [AnswerFacts]?
}
