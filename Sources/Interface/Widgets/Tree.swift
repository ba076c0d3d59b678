/// A node of a tree as a row of a list.
package struct TreeRow<Node> {
  package var node: Node
  package var depth: Int
  /// Lines from the parents: `│  ├─ `; empty for roots.
  package var guides: String
  package var isExpandable: Bool
  package var isExpanded: Bool

  /// Guides and the sign of an open or closed node, to write before its name.
  package var prefix: String { guides + (isExpandable ? (isExpanded ? "▾ " : "▸ ") : "  ") }
}

extension TreeRow: Sendable where Node: Sendable {}

/// Trees as lists of rows.
package enum Tree {
  /// The nodes that are seen, parents before their children; children of closed nodes are left out.
  package static func rows<Node>(
    _ roots: [Node], children: (Node) -> [Node], isExpanded: (Node) -> Bool
  ) -> [TreeRow<Node>] {
    var rows: [TreeRow<Node>] = []
    func add(_ node: Node, depth: Int, indent: String, branch: String) {
      let below = children(node)
      let open = !below.isEmpty && isExpanded(node)
      rows.append(
        TreeRow(
          node: node, depth: depth, guides: indent + branch, isExpandable: !below.isEmpty, isExpanded: open))
      guard open else { return }
      let inner = depth == 0 ? "" : indent + (branch == "└─ " ? "   " : "│  ")
      for (index, child) in below.enumerated() {
        add(child, depth: depth + 1, indent: inner, branch: index == below.count - 1 ? "└─ " : "├─ ")
      }
    }
    for root in roots { add(root, depth: 0, indent: "", branch: "") }
    return rows
  }
}
