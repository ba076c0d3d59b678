import Interface
import Workbench

/// What of the tree of layers is open.
struct LayerFolding: Sendable {
  var isTree = false
  /// Ids of the scopes that are closed.
  private var closed: Set<String> = []
  /// The same while a filter holds: what it finds is shown until it is closed.
  private var closedMatches: Set<String> = []

  /// `nil` for a flat list.
  func closed(isFiltered: Bool) -> Set<String>? {
    isTree ? isFiltered ? closedMatches : closed : nil
  }

  /// A filter was changed: what it finds is seen.
  mutating func openMatches() { closedMatches = [] }

  mutating func set(_ closed: Set<String>, isFiltered: Bool) {
    if isFiltered { closedMatches = closed } else { self.closed = closed }
  }

  /// Opens the scopes that a layer is in.
  mutating func open(to layer: String) {
    closed = closed.filter { !layer.hasPrefix($0) }
    closedMatches = closedMatches.filter { !layer.hasPrefix($0) }
  }
}

extension LayersPane {
  /// Commands of the tree of scopes.
  static let treeCommands: [Command<PaneContext<LayersPane>, Step>] = [
    Command(
      "layers.tree", keys: [.character("F")], title: "tree",
      explanation: "Layers as a tree by the scopes of their names, or as a flat list.", group: "Tree",
      hint: 26,
      action: .tree, availability: isTable),
    Command(
      "layers.close", keys: [.left, .character("h")], title: "close",
      explanation: "Close the scope under the cursor, or go to the one it is in.", group: "Tree",
      action: .close, availability: isTree),
    Command(
      "layers.open", keys: [.right, .character("l")], title: "open",
      explanation: "Open the scope under the cursor, or go to the first in it.", group: "Tree", action: .open,
      availability: isTree),
    Command(
      "layers.close-all", keys: [.character("(")], title: "close all", explanation: "Close every scope.",
      group: "Tree", action: .closeAll(true), availability: isTree),
    Command(
      "layers.open-all", keys: [.character(")")], title: "open all", explanation: "Open every scope.",
      group: "Tree", action: .closeAll(false), availability: isTree),
  ]

  /// Whether the table of layers is seen, not another view.
  private static let isTable: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.state.steps.view != nil || $0.state.blame.isShown ? .hidden : hasLayers($0)
  }

  private static let isTree: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.pane.folding.isTree ? isTable($0) : .hidden
  }

  /// Closes, opens or goes in the tree; the cursor stays on its row or on the scope that hides it.
  mutating func fold(_ step: Step, _ state: State, visible: Int) {
    let isFiltered = !filter.query.isEmpty
    let list = rows(state)
    let row = list.rows.indices.contains(scroll.cursor) ? list.rows[scroll.cursor] : nil
    var id = row?.id ?? ""
    if case .tree = step {
      folding.isTree.toggle()
      // A flat list has no scopes.
      id = row?.names.first ?? ""
    } else {
      guard var closed = folding.closed(isFiltered: isFiltered) else { return }
      switch step {
      case .closeAll(let isClosed): closed = isClosed ? Set(list.tree.scopes) : []
      case .open:
        if row?.scope == nil { return }
        if row?.isOpen ?? false {
          scroll.move(.down, count: list.rows.count, visible: visible)
          return
        }
        closed.remove(id)
      default:
        guard row?.isOpen ?? false else {
          if let parent = list.parent(of: scroll.cursor) {
            scroll.move(.to(parent), count: list.rows.count, visible: visible)
          }
          return
        }
        closed.insert(id)
      }
      folding.set(closed, isFiltered: isFiltered)
    }
    let changed = rows(state)
    scroll.move(.to(changed.place(near: id) ?? 0), count: changed.rows.count, visible: visible)
    anchor = nil
  }

  /// Shows a layer: closes other views, opens the scopes it is in, and clears a filter that hides it.
  package mutating func reveal(_ layer: String, _ state: State, size: Size) {
    closeLayer()
    anchor = nil
    folding.open(to: layer)
    if !filter.query.isEmpty, rows(state).place(of: layer) == nil { filter.clear() }
    let rows = rows(state)
    guard let place = rows.place(of: layer) else { return }
    scroll.move(.to(place), count: rows.rows.count, visible: Swift.max(size.height - 1, 1))
  }
}
