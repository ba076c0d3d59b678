import Analysis
import Quantization

/// What was measured of single layers under the current candidate, by name; what is not known is not there.
package struct LayerFigures: Sendable, Equatable {
  /// What the report of costs says of the layer.
  package var sensitivity: [String: SensitivityReport.Layer] = [:]
  /// What layers are ranked by: a cost, larger is worse, or what it is guessed from.
  package var ranking: [String: Double] = [:]
  /// From the smallest to the largest of them.
  package var rankingRange = 0.0...0.0
  /// Whether the ranking is a guess, with nothing measured.
  package var isGuess = true
  /// Signal to noise of the layer's output in the candidate, as blame traced it.
  package var sqnrDb: [String: Double] = [:]

  /// What codes cannot express.
  package var clipped: [String: ClippedShares] = [:]

  package init() {}

  /// What the figures are worked out from.
  package struct Sources: Sendable, Equatable {
    fileprivate var costs: SensitivityReport?
    fileprivate var blame: Blame?
  }
}

extension LayerFigures {
  fileprivate init(_ sources: Sources) {
    if let report = sources.costs {
      isGuess = report.isEstimate
      for layer in report.layers {
        sensitivity[layer.name] = layer
        // Shares of top-1 are told in points.
        ranking[layer.name] = report.cost(of: layer).map { report.metric == .accuracy ? $0 * 100 : $0 }
      }
    }
    rankingRange = (ranking.values.min() ?? 0)...(ranking.values.max() ?? 0)
    for layer in sources.blame?.layers ?? [] {
      sqnrDb[layer.name] = layer.energies.sqnrDb(layer.energies.total)
    }
  }
}

extension State {
  /// What is known of each layer now.
  package var layerFigures: LayerFigures {
    let recipe = currentEntry?.recipe.key
    let sources = LayerFigures.Sources(
      costs: costs.report, blame: recipe.flatMap { blame.reports[$0]?.blame })
    var figures = figureMemo.answer(sources) { LayerFigures(sources) }
    figures.clipped = recipe.map { clipping[$0] } ?? [:]
    return figures
  }
}
