import Quantization

/// A recipe is written as YAML, as everywhere.
extension SearchFront.Point: Codable {
  private enum CodingKeys: String, CodingKey {
    case picks, recipe, layers, bytes, latencyRatio, isTimed, predicted, measured, distance, isChosen
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      picks: values.decode([Int].self, forKey: .picks),
      recipe: Recipe(yaml: values.decode(String.self, forKey: .recipe), file: "session"),
      layers: values.decode([String: Int].self, forKey: .layers),
      bytes: values.decode(Int.self, forKey: .bytes),
      latencyRatio: values.decodeIfPresent(Double.self, forKey: .latencyRatio),
      predicted: values.decode(Double.self, forKey: .predicted))
    isTimed = try values.decode(Bool.self, forKey: .isTimed)
    measured = try values.decodeIfPresent(SearchReport.Distance.self, forKey: .measured)
    distance = try values.decodeIfPresent(Double.self, forKey: .distance)
    isChosen = try values.decode(Bool.self, forKey: .isChosen)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(picks, forKey: .picks)
    try values.encode(recipe.yaml, forKey: .recipe)
    try values.encode(layers, forKey: .layers)
    try values.encode(bytes, forKey: .bytes)
    try values.encodeIfPresent(latencyRatio, forKey: .latencyRatio)
    try values.encode(isTimed, forKey: .isTimed)
    try values.encode(predicted, forKey: .predicted)
    try values.encodeIfPresent(measured, forKey: .measured)
    try values.encodeIfPresent(distance, forKey: .distance)
    try values.encode(isChosen, forKey: .isChosen)
  }
}
