import Interface
import Workbench
import Workflows

/// The rows of the table of layers as they are seen: every layer that matches, or the open scopes of the tree.
struct LayerRows: Sendable {
  /// What the rows are worked out from, once for each change of it.
  struct Question: Sendable, Equatable {
    var tree: LayerTree.Question
    /// Ids of the scopes that are closed; `nil` for a flat list.
    var closed: Set<String>?
  }

  struct Row: Sendable {
    let item: LayerTree.Item
    let depth: Int
    /// Lines of the tree.
    let guides: String
    let isOpen: Bool

    var layer: LayerView? {
      if case .layer(let view, _) = item { return view }
      return nil
    }

    var scope: LayerTree.Scope? {
      if case .scope(let scope) = item { return scope }
      return nil
    }

    /// Name of the layer, or what all names below begin with.
    var id: String { layer?.facts.name ?? scope?.id ?? "" }

    /// What stands before the name in the tree: lines, or blanks in their stead, and the sign of an open or closed scope.
    fileprivate func prefix(hasLines: Bool, width: Int) -> String {
      let sign = scope == nil ? "" : isOpen ? "▾ " : "▸ "
      if depth > 0, hasLines { return guides + sign }
      return String(repeating: " ", count: Swift.min(depth, width / 3)) + (sign.isEmpty ? "  " : sign)
    }

    /// The layer, or all below.
    var names: [String] { layer.map { [$0.facts.name] } ?? scope?.names ?? [] }
  }

  let tree: LayerTree
  let isTree: Bool
  let rows: [Row]
  /// The layer of each row; `nil` for a scope.
  let names: [String?]
  private let places: [String: Int]
  /// Columns of the screen that the lines of the deepest row take.
  private let lines: Int

  init(_ tree: LayerTree, closed: Set<String>?) {
    self.tree = tree
    isTree = closed != nil
    if let closed {
      let nodes = tree.nodes
      rows = Tree.rows(
        tree.roots, children: { nodes[$0].children },
        isExpanded: {
          if case .scope(let scope) = nodes[$0].item { return !closed.contains(scope.id) }
          return false
        }
      ).map { Row(item: nodes[$0.node].item, depth: $0.depth, guides: $0.guides, isOpen: $0.isExpanded) }
    } else {
      rows = tree.layers.map {
        Row(item: .layer($0, label: $0.facts.name), depth: 0, guides: "", isOpen: false)
      }
    }
    names = rows.map { $0.layer?.facts.name }
    lines = rows.map { CharacterWidth.of($0.guides) }.max() ?? 0
    places = Dictionary(
      rows.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// What stands before a name in so wide a column: lines that would take more than half of it are left away in all rows.
  func prefix(_ row: Row, width: Int) -> String {
    isTree ? row.prefix(hasLines: lines * 2 <= width, width: width) : ""
  }

  /// The row of a layer that is seen.
  func place(of layer: String) -> Int? { places[layer] }

  /// The row of a layer or scope, or of the closed scope that hides it.
  func place(near id: String) -> Int? {
    if let place = places[id] { return place }
    return rows.lastIndex { row in row.scope.map { !row.isOpen && id.hasPrefix($0.id) } ?? false }
  }

  /// The row of the scope that a row is in.
  func parent(of place: Int) -> Int? {
    guard rows.indices.contains(place) else { return nil }
    return rows[..<place].lastIndex { $0.depth < rows[place].depth }
  }
}
