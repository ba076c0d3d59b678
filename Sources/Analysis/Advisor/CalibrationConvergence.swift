import Datasets
import Graph
import Jobs
import Quantization
import Workflows

/// How far the ranges of a static recipe still move with the samples that calibrate it.
///
/// A range moves by the larger of the distances of its ends, as a share of its width with all samples.
package struct CalibrationConvergence: Sendable, Hashable, Encodable {
  package struct Movement: Sendable, Hashable, Encodable {
    package var samples: Int
    /// Median over the values observed.
    package var typicalShare: Double
    package var largestShare: Double
    /// The value whose range moves most.
    package var value: ValueName
  }

  /// Samples in all.
  package var samples: Int
  /// From the first 8, 16, 32, … samples to all of them.
  package var steps: [Movement]
  /// Between two halves that have no sample in common.
  package var halves: Movement

  /// Whether the halves disagree: the typical range differs by more than `ObservedRange.settledShare` between them.
  package var isTooSmall: Bool { halves.typicalShare > ObservedRange.settledShare }

  /// Fewest samples from which on the typical range stays where it is with all; `nil` where that took all of them.
  package var settledAt: Int? {
    let moving = steps.lastIndex { $0.typicalShare > ObservedRange.settledShare }
    let first = moving.map { $0 + 1 } ?? 0
    return steps.indices.contains(first) ? steps[first].samples : nil
  }
}

extension Project {
  /// Calibrates on growing parts of a recipe's samples, and on two halves.
  ///
  /// `nil` where the recipe calibrates nothing, on fewer than 16 samples, or on none of the user's.
  package func calibrationConvergence(
    of recipe: Recipe, reporter: Reporter
  ) throws -> CalibrationConvergence? {
    let plan = plan([recipe])
    guard let samples = try calibrationData(plan.source, recipe: recipe)?.selecting(plan.kept[0]),
      !samples.isSynthetic, samples.count >= 16
    else { return nil }
    // Ranges are all that is wanted.
    var recipe = recipe
    recipe.defaults.weights.method = .nearest
    recipe.corrections = [.foldBatchNorm]
    recipe.choices = []
    let counts = Array(sequence(first: 8) { $0 * 2 }.prefix { $0 < samples.count })
    let parts = counts.map { 0..<$0 }
    var work = 0
    let all = Double(samples.count + parts.reduce(0) { $0 + $1.count })
    func ranges(_ part: Range<Int>) throws -> [ValueName: ObservedRange] {
      let share = reporter.part(Double(work) / all...Double(work + part.count) / all)
      work += part.count
      recipe.calibration.samples = part.count
      return try quantize(
        model.graph, infos: model.infos, recipe: recipe, calibration: samples.selecting(Array(part)),
        threads: threads, report: { try share.report($0, "convergence, \(part.count) samples: \($1)") }
      ).observed
    }
    let final = try ranges(0..<samples.count)
    guard !final.isEmpty else { return nil }
    let found = try parts.map(ranges)
    return CalibrationConvergence(
      samples: samples.count,
      steps: zip(counts, found).map { count, part in
        Self.movement(count, final) { value, range in
          part[value].map { range.distance($0.lower...$0.upper, range.lower...range.upper) }
        }
      },
      halves: Self.movement(samples.count / 2, final) { $1.disagreement })
  }

  private static func movement(
    _ samples: Int, _ final: [ValueName: ObservedRange], _ share: (ValueName, ObservedRange) -> Double?
  ) -> CalibrationConvergence.Movement {
    let shares = final.compactMap { value, range in share(value, range).map { (value: value, share: $0) } }
      .sorted { ($0.share, $0.value) < ($1.share, $1.value) }
    return CalibrationConvergence.Movement(
      samples: samples, typicalShare: shares.isEmpty ? 0 : shares[shares.count / 2].share,
      largestShare: shares.last?.share ?? 0, value: shares.last?.value ?? "")
  }
}
