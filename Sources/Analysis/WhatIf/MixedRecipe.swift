import Graph
import Quantization
import Tensors

extension Recipe {
  /// This recipe with modes and widths drawn for every layer: an eighth of them float, and of the others half static
  /// and a quarter each dynamic and weight-only.
  package func mixed(
    _ layers: [ResolvedLayer], weights: ClosedRange<Int>, activations: ClosedRange<Int>, seed: UInt64
  ) -> Recipe {
    var recipe = self
    recipe.name = "mixed \(seed)"
    var random = SplitMix64(seed: seed)
    func draw(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.below(range.count) }
    for layer in layers {
      let modes: [Mode] = [.static, .static, .dynamic, .weightOnly]
      var change = SettingsChange(mode: random.below(8) == 0 ? .float : modes[random.below(modes.count)])
      change.weights.bits = draw(weights)
      if change.mode == .static { change.activations.bits = draw(activations) }
      recipe.set(change, for: [LayerIdentity(layer)])
    }
    return recipe
  }
}
