import Graph
import Tensors

/// A recipe applied to a model: a quantized model that can run.
package struct Candidate: Sendable {
  package var recipe: Recipe
  package var encoded: EncodedGraph
  package var resolution: Resolution
  package var warnings: [String]
  /// By value: what calibration saw and chose.
  package var observed: [ValueName: ObservedRange]
  /// By value with an encoding: the value it takes its elements from, whose encoding it shares; itself where it has one
  /// of its own.
  package var roots: [ValueName: ValueName]
  package var quantizeSeconds: Double
  /// The float network this was made from, where corrections reshaped the model's: it computes the same with other
  /// weights.
  package var reshaped: Graph?

  package init(
    recipe: Recipe, encoded: EncodedGraph, resolution: Resolution, warnings: [String],
    observed: [ValueName: ObservedRange], roots: [ValueName: ValueName] = [:], quantizeSeconds: Double
  ) {
    self.recipe = recipe
    self.encoded = encoded
    self.resolution = resolution
    self.warnings = warnings
    self.observed = observed
    self.roots = roots
    self.quantizeSeconds = quantizeSeconds
  }
}

/// What calibration saw of one value, and the range it chose.
package struct ObservedRange: Sendable, Hashable {
  /// Smallest and largest value seen.
  package var lowest: Float
  package var highest: Float
  /// The range that became the encoding.
  package var lower: Float
  package var upper: Float
  /// Elements seen.
  package var count: Int
  package var observer: ObserverChoice
  /// Counts in equal bins from `lowest` to `highest`, for drawing; empty when the observer keeps none.
  package var bins: [Float]
  /// What two halves of the samples, which have none in common, would have chosen; empty where they were too few.
  package var halves: [ClosedRange<Float>] = []

  package init(
    lowest: Float, highest: Float, lower: Float, upper: Float, count: Int, observer: ObserverChoice,
    bins: [Float] = []
  ) {
    self.lowest = lowest
    self.highest = highest
    self.lower = lower
    self.upper = upper
    self.count = count
    self.observer = observer
    self.bins = bins
  }
}

extension ObservedRange {
  /// Ranges that move by less than this share of their width have settled.
  package static let settledShare = 0.05

  /// How far two ranges are apart: the larger distance of their ends, as a share of this one's width.
  package func distance(_ a: ClosedRange<Float>, _ b: ClosedRange<Float>) -> Double {
    let moved = max(abs(a.lowerBound - b.lowerBound), abs(a.upperBound - b.upperBound))
    return upper > lower ? Double(moved) / Double(upper - lower) : 0
  }

  /// How far the choices of two halves of the samples are apart.
  package var disagreement: Double? { halves.count == 2 ? distance(halves[0], halves[1]) : nil }
}

/// Where calibration samples come from, one small batch at a time.
package protocol CalibrationSource: Sendable {
  /// Samples there are.
  var count: Int { get }
  /// The inputs of these samples, stacked along the first axis, by graph input.
  func batch(_ range: Range<Int>) throws -> [ValueName: Tensor]
}

/// What stops quantization.
package struct QuantizationError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
