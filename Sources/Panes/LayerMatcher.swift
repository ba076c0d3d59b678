import Workbench
import Workflows

/// A query with what it is asked about: two that are equal let the same rows through.
struct LayerMatcher: Sendable, Equatable {
  let query: String
  private let list: LayerList
  /// Empty where the query asks for none, so that they may change without another look at the rows.
  let figures: LayerFigures

  init(_ query: String, _ state: State) {
    self.query = query
    list = state.layerList
    figures = query.contains(where: LayerQuery.isComparison) ? state.layerFigures : LayerFigures()
  }

  /// The layers there are.
  var views: [LayerView] { list.views }

  static func == (a: LayerMatcher, b: LayerMatcher) -> Bool {
    a.query == b.query && a.views == b.views && a.figures == b.figures
  }

  /// Whether a row with this name, of this kind, that belongs to this layer or to none, is let through.
  func test() -> (_ name: String, _ kind: String, _ layer: String?) -> Bool {
    let test = viewTest()
    return { test($0, $1, $2.flatMap { list[$0] }) }
  }

  /// The same for the layers themselves.
  func matching() -> [LayerView] {
    if query.isEmpty { return views }
    let test = viewTest()
    return views.filter { test($0.facts.name, $0.facts.operatorName, $0) }
  }

  private func viewTest() -> (_ name: String, _ kind: String, _ layer: LayerView?) -> Bool {
    guard !query.isEmpty, let query = try? LayerQuery(query) else { return { _, _, _ in true } }
    return { name, kind, layer in
      query.matches(name, kind: kind, layer.map { LayerRecord(view: $0, figures: figures) })
    }
  }
}
