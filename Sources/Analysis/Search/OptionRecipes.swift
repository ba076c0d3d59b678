import Graph
import Quantization
import Workflows

/// Recipes that give the layers of a model options, on top of a base recipe.
struct OptionRecipes: Sendable {
  let base: Recipe
  /// The layers that options are given to.
  let layers: [ResolvedLayer]
  let options: [LayerOption]
  /// Layers that the base recipe cannot quantize.
  private let left: [LayerIdentity]

  init(_ model: Model, base: Recipe, layers: [ResolvedLayer], options: [LayerOption]) {
    self.base = base
    self.layers = layers
    self.options = options
    left = base.resolve(model.graph, infos: model.infos).layers.filter {
      $0.kind == .weighted && $0.effective.mode == .float
    }.map { LayerIdentity($0) }
  }

  /// One option everywhere.
  func uniform(_ option: LayerOption) -> Recipe {
    recipe(layers.map { _ in option }, name: "\(option.text) everywhere")
  }

  /// The recipe that gives layers these options; rules name the layers that differ from most.
  func recipe(_ chosen: [LayerOption], name: String) -> Recipe {
    var recipe = base
    recipe.name = name
    let counts = options.map { option in chosen.count { $0 == option } }
    let quantized = options.indices.filter { !options[$0].isFloat && counts[$0] > 0 }
    if let most = quantized.max(by: { (counts[$0], -$0) < (counts[$1], -$1) }) {
      recipe.defaults = recipe.defaults.applying(change(options[most]))
      // Operators without weights run on codes where their neighbours are static.
      if chosen.contains(where: { $0.mode == .static }) { recipe.defaults.mode = .static }
    }
    for option in options.reversed() {
      let members = zip(layers, chosen).filter { $0.1 == option }.map { LayerIdentity($0.0) }
      if !members.isEmpty { recipe.set(change(option), for: members) }
    }
    if recipe.defaults.mode != base.defaults.mode { recipe.set(SettingsChange(mode: .float), for: left) }
    return recipe
  }

  /// What an option changes of a layer, with the method that it leaves to the search.
  private func change(_ option: LayerOption) -> SettingsChange {
    var change = option.change
    if !option.isFloat, option.method == nil {
      change.weights.method = option.weightBits == 8 ? .nearest : base.defaults.weights.method
    }
    return change
  }
}
