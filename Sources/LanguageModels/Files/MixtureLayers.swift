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
    return ggufPieces.flatMap { piece in
      piece.parts.compactMap { part in
        guard let type = requested[piece.name], part.constant.hasSuffix(".weight") else { return nil }
        return (String(part.constant.dropLast(".weight".count)), type)
      }
    }
  }
}
