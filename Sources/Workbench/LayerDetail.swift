import Quantization

/// What the histogram pane shows of one layer under one recipe.
package struct LayerDetail: Sendable, Hashable {
  /// Counts in equal bins.
  package struct Histogram: Sendable, Hashable {
    package var lower: Float
    package var upper: Float
    /// Empty where only the ends are known.
    package var bins: [Float]

    package init(lower: Float, upper: Float, bins: [Float]) {
      self.lower = lower
      self.upper = upper
      self.bins = bins
    }
  }

  /// How the values of a histogram become codes.
  package struct Grid: Sendable, Hashable {
    /// Ends of the range that codes can express; the widest channel's where there are several.
    package var lower: Float
    package var upper: Float
    /// Distance of two codes.
    package var step: Float
    package var levels: Int
    /// Share of the values outside, 0…1; `nil` where that is not known.
    package var clipped: Double?
    /// 10·log10(Σ w² / Σ (w − q)²).
    package var sqnrDb: Double?

    package init(lower: Float, upper: Float, step: Float, levels: Int, clipped: Double?, sqnrDb: Double?) {
      self.lower = lower
      self.upper = upper
      self.step = step
      self.levels = levels
      self.clipped = clipped
      self.sqnrDb = sqnrDb
    }
  }

  /// Values that calibration saw.
  package struct Activations: Sendable, Hashable {
    package var histogram: Histogram
    /// `nil` where the value stays float.
    package var grid: Grid?
    /// Elements seen.
    package var count: Int
    package var observer: ObserverChoice
  }

  package var layer: String
  package var recipe: Recipe
  package var weights: Histogram?
  package var weightGrid: Grid?
  /// How far the codes are from the weights, by channel and over all.
  package var errors: WeightErrors?
  /// Whether the codes are a preview: rounded to nearest, of weights that no correction has reshaped.
  package var isPreview = false
  /// Whether the candidate was made, so that what calibration saw is known.
  package var isCalibrated = false
  /// The layer's input as calibration saw it; `nil` before a calibration, and where it has no encoding.
  package var input: Activations?
  /// The same of its output, after a fused clamp.
  package var output: Activations?

  package init(layer: String, recipe: Recipe) {
    self.layer = layer
    self.recipe = recipe
  }
}
