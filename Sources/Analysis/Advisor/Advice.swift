import Quantization
import Workflows

/// What `lathe advise` answers: the choice, and each question with the figures that answer it.
package struct Advice: Sendable, Encodable {
  package enum Choice: String, Sendable, Encodable {
    /// Leave the model as it is.
    case float32
    /// Quantize weights alone, for size.
    case weightOnly = "weight-only"
    /// Quantize weights and activations.
    case quantize
  }

  /// One question and its answer.
  package struct Section: Sendable, Encodable {
    package enum Answer: String, Sendable, Encodable { case yes, no, unknown, told }

    package var question: String
    package var answer: Answer
    /// Each carries a measured figure.
    package var sentences: [String]
  }

  package var choice: Choice
  /// The candidate that is advised; absent where float32 is.
  package var candidate: String?
  package var headline: String
  /// What disturbed the figures.
  package var caveats: [String]
  package var sections: [Section]
  package var evidence: Evidence
  /// What a target does not take of the candidate, where one was asked for.
  package var lint: Lint?
  package var otherHardware = OtherHardware.all
  /// Of the candidate that is advised; JSON has it among the candidates.
  package var recipe: Recipe?

  private enum CodingKeys: CodingKey {
    case choice, candidate, headline, caveats, sections, evidence, lint, otherHardware
  }

  package struct Lint: Sendable, Encodable {
    package var target: String
    /// Whose layers were looked at.
    package var candidate: String
    package var source: String
    package var findings: [LintFinding]
  }
}

/// Everything that was measured for an advice.
package struct Evidence: Sendable, Encodable {
  package var comparison: ComparisonReport
  package var peaks: Peaks
  package var instructions: IntegerInstructions
  /// The level of kernels in use.
  package var kernelLevel: String
  /// Each layer alone, most costly first; empty where there is no data.
  package var layerCosts: [LayerCost]
  /// The candidate the costs are of.
  package var layerCostsOf: String?
  package var layerCostSamples: Int
  /// The candidate that leaves the most costly layers in float, and which.
  package var spared: Spared?
  /// How far the first candidate's ranges move with the samples; `nil` where there are few or none.
  package var convergence: CalibrationConvergence?
  /// Processes that wanted to run while times were measured, averaged over a minute.
  package var loadAverage: Double?
  /// Whether the figures of accuracy come from real data.
  package var hasData: Bool

  package struct Spared: Sendable, Encodable {
    package var candidate: String
    package var layers: [String]

    package init(candidate: String, layers: [String]) {
      self.candidate = candidate
      self.layers = layers
    }
  }

  package init(
    comparison: ComparisonReport, peaks: Peaks, instructions: IntegerInstructions, kernelLevel: String,
    layerCosts: [LayerCost] = [], layerCostsOf: String? = nil, layerCostSamples: Int = 0,
    spared: Spared? = nil, convergence: CalibrationConvergence? = nil, loadAverage: Double? = nil,
    hasData: Bool
  ) {
    self.comparison = comparison
    self.peaks = peaks
    self.instructions = instructions
    self.kernelLevel = kernelLevel
    self.layerCosts = layerCosts
    self.layerCostsOf = layerCostsOf
    self.layerCostSamples = layerCostSamples
    self.spared = spared
    self.convergence = convergence
    self.loadAverage = loadAverage
    self.hasData = hasData
  }
}
