import Graph
import Quantization

/// A way to quantize one layer: what a sweep measures alone and a search chooses from.
package struct LayerOption: Sendable, Hashable {
  /// `nil` leaves the recipe's.
  package var mode: Mode?
  /// `nil` leaves the weights in float32.
  package var weightBits: Int?
  /// `nil` leaves the recipe's.
  package var activationBits: Int?
  /// `nil` leaves the recipe's.
  package var method: Quantization.Method?

  package init(
    mode: Mode? = nil, weightBits: Int?, activationBits: Int? = nil, method: Quantization.Method? = nil
  ) {
    self.mode = mode
    self.weightBits = weightBits
    self.activationBits = activationBits
    self.method = method
  }

  /// The layer as it is.
  package static let float = LayerOption(mode: .float, weightBits: nil)

  package var isFloat: Bool { mode == .float }

  /// What it says: `W8`, `W4 weight-only GPTQ`, `float`.
  package var text: String {
    if isFloat { return Mode.float.rawValue }
    let width = Width(weightBits: weightBits, activationBits: activationBits).text
    return ([width] + [mode?.rawValue, method?.title].compactMap { $0 }).joined(separator: " ")
  }

  /// What it changes of a layer.
  package var change: SettingsChange {
    var change = SettingsChange(weightBits: weightBits)
    change.mode = mode
    change.activations.bits = activationBits
    change.weights.method = method
    return change
  }
}

extension Recipe {
  /// This recipe with one layer quantized so, rounded to nearest, and all others in float32.
  ///
  /// Where only activations are quantized, what the recipe makes of the weights has to be taken away again.
  package func alone(_ layer: LayerIdentity, as option: LayerOption) -> Recipe {
    var recipe = roundingToNearest
    recipe.name = "\(layer.name) \(option.text)"
    recipe.defaults = recipe.settings(for: layer).settings
    var change = option.change
    change.mode = option.mode ?? recipe.defaults.mode
    change.weights.method = nil
    recipe.defaults.mode = .float
    recipe.rules = []
    recipe.training = nil
    recipe.set(change, for: [layer])
    return recipe
  }

  /// This recipe without rounding, scales and corrections that read samples, but for those that reshape the network.
  package var roundingToNearest: Recipe {
    var recipe = self
    recipe.defaults.weights.method = .nearest
    recipe.defaults.corrections = nil
    recipe.corrections.removeAll { $0.readsSamples && !$0.reshapesGraph }
    if recipe.defaults.weights.scale == .outputMSE { recipe.defaults.weights.scale = nil }
    for index in recipe.rules.indices {
      if recipe.rules[index].change.weights.scale == .outputMSE {
        recipe.rules[index].change.weights.scale = nil
      }
      recipe.rules[index].change.weights.method = nil
      recipe.rules[index].change.corrections = nil
    }
    return recipe
  }
}
