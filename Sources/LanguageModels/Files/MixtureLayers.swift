import Formats
import Tensors

extension LanguageModel {
  /// The type that a mixture asks for the weight of each layer, by the layer's name; layers whose weight llama.cpp never
  /// quantizes are not among them.
  package func types(of mixture: Mixture) -> [(layer: String, type: GGMLType)] {
    let context = TypePlan.Context(
      blocks: configuration.blocks, headsPerKey: configuration.heads / configuration.kvHeads,
      hasImportance: false)
    let plan = TypePlan(mixture, tensors: ggufRows(), context: context)
    let requested = Dictionary(uniqueKeysWithValues: plan.choices.map { ($0.name, $0.requested) })
    var types: [(layer: String, type: GGMLType)] = []
    for piece in ggufPieces {
      guard let type = requested[piece.name] else { continue }
      for part in piece.parts where part.constant.hasSuffix(".weight") {
        types.append((String(part.constant.dropLast(".weight".count)), type))
      }
    }
    // The output reads the embedding's weight where it has none of its own.
    if configuration.isTied, let embedding = types.first(where: { $0.layer == "embedding" }) {
      types.append((layer: "output", type: embedding.type))
    }
    return types
  }
}
