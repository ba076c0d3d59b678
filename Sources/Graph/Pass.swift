/// A function from graph to graph with a name for messages; the specification is checked after each.
package struct Pass: Sendable {
  package var name: String
  package var apply: @Sendable (Graph) throws -> Graph

  package init(_ name: String, _ apply: @escaping @Sendable (Graph) throws -> Graph) {
    self.name = name
    self.apply = apply
  }
}

/// A rule every graph keeps: the declarative specification checked between passes.
package struct GraphRule: Sendable {
  package var name: String
  /// What breaks the rule in this graph, or nothing.
  package var violations: @Sendable (Graph) -> [String]

  package static let all: [GraphRule] = [
    GraphRule(name: "every value is written once") { graph in
      var seen = Set(graph.inputs.map(\.name)).union(graph.constants.keys)
      var bad: [String] = []
      for node in graph.nodes {
        for case let output? in node.outputs where !seen.insert(output).inserted {
          bad.append("node \"\(node.name)\" writes \"\(output)\", which is already written")
        }
      }
      return bad
    },
    GraphRule(name: "values are written before they are read") { graph in
      var seen = Set(graph.inputs.map(\.name)).union(graph.constants.keys)
      var bad: [String] = []
      for node in graph.nodes {
        for case let input? in node.inputs where !seen.contains(input) {
          bad.append("node \"\(node.name)\" reads \"\(input)\", which nothing before it writes")
        }
        seen.formUnion(node.outputs.compactMap { $0 })
      }
      return bad
    },
    GraphRule(name: "outputs are written") { graph in
      let known = Set(graph.inputs.map(\.name)).union(graph.constants.keys)
        .union(graph.nodes.flatMap { $0.outputs.compactMap { $0 } })
      return graph.outputs.filter { !known.contains($0.name) }.map { "nothing writes output \"\($0.name)\"" }
    },
    GraphRule(name: "node names are unique") { graph in
      var seen: Set<String> = []
      return graph.nodes.filter { !seen.insert($0.name).inserted }.map {
        "two nodes are called \"\($0.name)\""
      }
    },
  ]
}

/// A graph that breaks the specification: a broken invariant of a pass, or a malformed file.
package struct GraphViolation: Error, Equatable, CustomStringConvertible {
  package var pass: String
  package var rule: String
  package var detail: String
  package var description: String { "after \(pass): \(rule): \(detail)" }
}

extension Graph {
  /// Throws when the graph breaks a rule.
  package func checked(after pass: String) throws -> Graph {
    for rule in GraphRule.all {
      if let detail = rule.violations(self).first {
        throw GraphViolation(pass: pass, rule: rule.name, detail: detail)
      }
    }
    return self
  }

  /// The graph after `passes`, checked after each.
  package func applying(_ passes: [Pass]) throws -> Graph {
    try passes.reduce(self) { graph, pass in try pass.apply(graph).checked(after: pass.name) }
  }
}
