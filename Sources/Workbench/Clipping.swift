import Graph
import Quantization

/// Shares of a layer's values that its codes cannot express, 0…1; `nil` where they are not known.
package struct ClippedShares: Sendable, Equatable {
  /// Of the weights: known once the layer was looked at.
  package var weights: Double?
  /// Of the input as calibration saw it: known once the candidate ran.
  package var input: Double?

  package init(weights: Double? = nil, input: Double? = nil) {
    self.weights = weights
    self.input = input
  }
}

/// What is known of clipped shares in this session.
package struct Clipping: Sendable {
  /// By recipe key and layer.
  private var shares: [Recipe: [String: ClippedShares]] = [:]

  package init() {}

  package subscript(recipe: Recipe) -> [String: ClippedShares] { shares[recipe] ?? [:] }

  /// Recipes that are kept between runs, however many edits there are.
  private static let most = 64

  /// What was seen of one layer.
  mutating func take(_ detail: LayerDetail) {
    if shares.count > Self.most { keep([detail.recipe]) }
    if let weights = detail.weightGrid?.clipped {
      shares[detail.recipe, default: [:]][detail.layer, default: ClippedShares()].weights = weights
    }
    if let input = detail.input?.grid?.clipped {
      shares[detail.recipe, default: [:]][detail.layer, default: ClippedShares()].input = input
    }
  }

  /// What calibration saw of all layers.
  mutating func take(_ inputs: [String: Double], of recipe: Recipe) {
    for (layer, share) in inputs {
      shares[recipe, default: [:]][layer, default: ClippedShares()].input = share
    }
  }

  /// Forgets recipes that no candidate has any more.
  mutating func keep(_ recipes: [Recipe]) {
    let kept = Set(recipes)
    shares = shares.filter { kept.contains($0.key) }
  }
}

extension State {
  mutating func updateClipping(_ action: Action) -> [Effect] {
    // Late where no candidate has the recipe any more.
    if case .clippingFound(let recipe, let inputs) = action {
      let recipes = candidates.map(\.recipe.key)
      clipping.keep(recipes)
      if recipes.contains(recipe) { clipping.take(inputs, of: recipe) }
    }
    return []
  }
}

extension Candidate {
  /// Of each layer whose input has an encoding: the share of what calibration saw of it outside the range of codes, where
  /// the observer counted it.
  package var clippedInputs: [String: Double] {
    Dictionary(
      encoded.graph.nodes.compactMap { node in
        node.inputs.lazy.compactMap { $0.flatMap(activations) }.first?.grid?.clipped.map { (node.name, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }
}
