import Interface
import Workbench
import Workflows

extension LayersPane {
  /// The layers that the filter shows, those in closed scopes too.
  func shownNames(_ state: State) -> [String] {
    isTable(state) ? rows(state).tree.layers.map(\.facts.name) : layers(state).compactMap { $0 }
  }

  /// The operator of the layer under the cursor, or of all in the scope there.
  func operatorAtCursor(_ state: State) -> String? {
    if isTable(state) {
      let rows = rows(state).rows
      guard rows.indices.contains(scroll.cursor) else { return nil }
      return rows[scroll.cursor].layer?.facts.operatorName ?? rows[scroll.cursor].scope?.operatorName
    }
    let layers = layers(state)
    guard layers.indices.contains(scroll.cursor), let layer = layers[scroll.cursor] else { return nil }
    return state.layerList[layer]?.facts.operatorName
  }

  /// The layers that a row stands for: of a scope all below that match.
  func names(at row: Int, _ state: State) -> [String] {
    isTable(state) ? rows(state).rows[row].names : layers(state)[row].map { [$0] } ?? []
  }

  /// The marks with those of a row turned: of a scope all, unless all are marked already.
  func toggledMarks(at row: Int, _ state: State) -> Set<String>? {
    let names = names(at: row, state)
    guard !names.isEmpty else { return nil }
    return names.allSatisfy(state.marked.contains)
      ? state.marked.subtracting(names) : state.marked.union(names)
  }
}
