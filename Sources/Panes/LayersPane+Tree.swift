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
      "layers.tree", keys: [.character("E")], title: "tree",
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
      "layers.close-all", keys: [.character("<")], title: "close all", explanation: "Close every scope.",
      group: "Tree", action: .closeAll(true), availability: isTree),
    Command(
      "layers.open-all", keys: [.character(">")], title: "open all", explanation: "Open every scope.",
      group: "Tree", action: .closeAll(false), availability: isTree),
  ]

  /// Whether the table of layers is seen, not another view.
  private static let isTable: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.state.steps.view != nil || $0.state.blame.isShown ? .hidden : hasLayers($0)
  }

  private static let isTree: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.pane.folding.isTree ? isTable($0) : .hidden
  }
}
