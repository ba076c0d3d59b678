import Quantization

/// What the histogram pane shows of one layer under one recipe.
package struct LayerDetail: Sendable, Hashable {
  /// Counts in equal bins.
  package struct Histogram: Sendable, Hashable {
    package var lower: Float
    package var upper: Float
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
    /// Share of the values outside, 0…1.
    package var clipped: Double
    /// 10·log10(Σ w² / Σ (w − q)²).
    package var sqnrDb: Double?

    package init(lower: Float, upper: Float, step: Float, levels: Int, clipped: Double, sqnrDb: Double?) {
      self.lower = lower
      self.upper = upper
      self.step = step
      self.levels = levels
      self.clipped = clipped
      self.sqnrDb = sqnrDb
    }
  }

  package var layer: String
  package var recipe: Recipe
  package var weights: Histogram?
  package var weightGrid: Grid?
  /// The layer's input as calibration saw it; `nil` before a calibration.
  package var activations: Histogram?
  package var activationGrid: Grid?

  package init(
    layer: String, recipe: Recipe, weights: Histogram? = nil, weightGrid: Grid? = nil,
    activations: Histogram? = nil,
    activationGrid: Grid? = nil
  ) {
    self.layer = layer
    self.recipe = recipe
    self.weights = weights
    self.weightGrid = weightGrid
    self.activations = activations
    self.activationGrid = activationGrid
  }
}
