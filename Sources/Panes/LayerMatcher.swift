import Workbench
import Workflows

/// A query with what it is asked about: two that are equal let the same rows through.
struct LayerMatcher: Sendable, Equatable {
  let query: String
  let views: [LayerView]
  let figures: LayerFigures

  init(_ query: String, _ state: State) {
    self.query = query
    views = state.layerViews
    figures = state.layerFigures
  }

  /// Whether a row with this name, of this kind, that belongs to this layer or to none, is let through.
  func test() -> (_ name: String, _ kind: String, _ layer: String?) -> Bool {
    guard !query.isEmpty, let query = try? LayerQuery(query) else { return { _, _, _ in true } }
    let records = Dictionary(
      views.map { ($0.facts.name, LayerRecord(view: $0, figures: figures)) }, uniquingKeysWith: { $1 })
    return { name, kind, layer in query.matches(name, kind: kind, layer.flatMap { records[$0] }) }
  }
}
