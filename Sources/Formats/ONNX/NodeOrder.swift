import Tensors

extension FileGraph {
  /// Names this graph reads but does not define: what it captures from around it.
  var freeNames: Set<String> {
    var defined = Set(inputs.map(\.name))
    defined.formUnion(constants.map(\.name))
    for node in nodes { defined.formUnion(node.outputs) }
    var free: Set<String> = []
    for node in nodes { free.formUnion(node.reads) }
    free.formUnion(outputs.map(\.name))
    free.subtract(defined)
    free.remove("")
    return free
  }

  /// The nodes in an order where every value is written before it is read: the file's own where it has that property.
  func orderedNodes(file: String) throws(ImportError) -> [FileNode] {
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty {
        guard producers.updateValue(index, forKey: output) == nil else {
          throw ImportError(
            file: file, place: .node(name: node.name, type: node.type), reason: .writtenTwice(output))
        }
      }
    }
    let sources = nodes.enumerated().map { index, node in node.reads.compactMap { producers[$0] } }
    if sources.enumerated().allSatisfy({ index, list in list.allSatisfy { $0 < index } }) { return nodes }

    // Depth first, with a stack of our own: a chain in reverse order is as deep as the file has nodes.
    enum State { case unseen, open, done }
    var states = [State](repeating: .unseen, count: nodes.count)
    var result: [FileNode] = []
    result.reserveCapacity(nodes.count)
    for root in nodes.indices where states[root] == .unseen {
      var stack: [(node: Int, next: Int)] = [(root, 0)]
      states[root] = .open
      while let (node, next) = stack.last {
        guard next < sources[node].count else {
          states[node] = .done
          result.append(nodes[node])
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let source = sources[node][next]
        switch states[source] {
        case .done: continue
        case .open:
          throw ImportError(
            file: file, place: .node(name: nodes[source].name, type: nodes[source].type), reason: .cycle)
        case .unseen:
          states[source] = .open
          stack.append((source, 0))
        }
      }
    }
    return result
  }
}

extension FileNode {
  /// Names this node reads, those its subgraphs capture included.
  var reads: Set<String> {
    var result = Set(inputs)
    for attribute in attributes {
      if case .graph(let graph) = attribute.value { result.formUnion(graph.freeNames) }
    }
    result.remove("")
    return result
  }
}
