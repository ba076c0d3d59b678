/// What went wrong at one node, with its name and operator before the reason.
package struct NodeError: Error, CustomStringConvertible {
  package var node: String
  package var op: OperatorName
  package var reason: any Error

  package init(node: Node, reason: any Error) {
    self.node = node.name
    op = node.operatorName
    self.reason = reason
  }

  package var description: String { "node \"\(node)\" (\(op.text)): \(reason)" }
}

extension Node {
  /// Throws when the operator gives fewer outputs than the node names.
  func requireOutputs(_ count: Int) throws {
    guard count >= outputs.count else {
      throw OperatorError("has \(count) outputs, but the node names \(outputs.count)")
    }
  }
}

/// What is wrong with the values a graph is given.
package struct GraphInputError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
