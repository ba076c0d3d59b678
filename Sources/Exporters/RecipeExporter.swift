import Quantization

extension Exporter {
  /// The recipe itself.
  static let recipe = Exporter(
    name: "lathe", title: "Lathe recipe", ending: "yaml", needsCandidate: false,
    comment: "#",
    export: { Exported(text: $0.recipe.yaml) })
}
