import Graph
import LanguageModels
import Quantization
import Tensors

extension Model {
  /// The preset of that name: one for every model, or a mixture of llama.cpp's for a language model read from files.
  package func preset(named name: String) -> Preset? {
    Presets[name] ?? Mixture.named(name).flatMap(preset)
  }

  /// Those for every model, and for a language model read from files the mixtures of llama.cpp.
  package var presets: [Preset] { Presets.all + Mixture.all.compactMap(preset) }

  /// A mixture as rules that name its layers; `nil` where this is no language model, or where some type has no encoder.
  private func preset(_ mixture: Mixture) -> Preset? {
    guard let source = language?.model, !mixture.needsImportance, BlockFormats.named(mixture.base) != nil
    else {
      return nil
    }
    let defaults = LayerSettings(mode: .weightOnly, weights: WeightSettings(format: mixture.base))
    let layers = Set(self.layers.filter(\.hasWeights).map(\.name))
    var names: [String: [String]] = [:]
    for (layer, type) in source.types(of: mixture) where layers.contains(layer) && type.name != mixture.base {
      names[type.name, default: []].append(layer)
    }
    let rules = names.sorted { $0.key < $1.key }.map { type, layers in
      var wanted = defaults
      if BlockFormats.named(type) == nil { wanted.mode = .float } else { wanted.weights.format = type }
      return Rule(match: Match(names: layers), change: SettingsChange(from: defaults, to: wanted))
    }
    return Preset(
      name: mixture.name,
      summary: "llama.cpp's \(mixture.name): block formats by tensor, as llama-quantize gives them",
      recipe: Recipe(name: mixture.name, defaults: defaults, rules: rules, corrections: []))
  }
}
