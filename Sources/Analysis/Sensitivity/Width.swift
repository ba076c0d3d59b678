import Graph
import Quantization

/// How far one layer is quantized.
package struct Width: Sendable, Hashable, Codable {
  /// `nil` leaves the weights in float32.
  package var weightBits: Int?
  /// `nil` leaves the activations in float32.
  package var activationBits: Int?

  package init(weightBits: Int?, activationBits: Int?) {
    self.weightBits = weightBits
    self.activationBits = activationBits
  }

  /// As layers write their widths: `W4A8`, `W4`, `A8`.
  package var text: String {
    (weightBits.map { "W\($0)" } ?? "") + (activationBits.map { "A\($0)" } ?? "")
  }
}

extension Recipe {
  /// This recipe with one layer quantized so far, rounded to nearest, and all others in float32.
  ///
  /// Where only activations are quantized, what the recipe makes of the weights has to be taken away again
  /// (`EncodedGraph.keepingWeightsFloat`).
  package func alone(_ layer: LayerIdentity, at width: Width) -> Recipe {
    var recipe = roundingToNearest
    recipe.name = "\(layer.name) \(width.text)"
    recipe.defaults = recipe.settings(for: layer).settings
    recipe.defaults.mode = .float
    recipe.rules = []
    recipe.training = nil
    var change = SettingsChange(mode: width.activationBits == nil ? .weightOnly : .static)
    change.weights.bits = width.weightBits
    change.activations.bits = width.activationBits
    recipe.set(change, for: [layer])
    return recipe
  }

  /// This recipe without rounding and corrections that read samples.
  package var roundingToNearest: Recipe {
    var recipe = self
    recipe.defaults.weights.method = .nearest
    recipe.defaults.corrections = nil
    recipe.corrections.removeAll { $0 == .biasCorrection }
    for index in recipe.rules.indices {
      recipe.rules[index].change.weights.method = nil
      recipe.rules[index].change.corrections = nil
    }
    return recipe
  }
}
