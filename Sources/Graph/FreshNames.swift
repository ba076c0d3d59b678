/// Names that nothing in a graph has yet.
package struct FreshNames: Sendable {
  private var taken: Set<String>

  package init(besides taken: some Sequence<String>) { self.taken = Set(taken) }

  /// Besides all values and nodes of a graph.
  package init(in graph: Graph) {
    taken = Set(graph.nodes.map(\.name)).union(graph.nodes.flatMap { $0.outputs.compactMap { $0 } })
      .union(graph.inputs.map(\.name)).union(graph.constants.keys)
  }

  /// A name like `wanted`, which from now on is taken.
  package mutating func callAsFunction(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(wanted).\(number)"
    }
    return name
  }

  package mutating func take(_ name: String) { taken.insert(name) }
}
