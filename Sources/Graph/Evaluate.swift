import Tensors

extension Graph {
  /// Runs the graph by its operators' reference computations, one node after another.
  ///
  /// - Parameters:
  ///   - given: a tensor for every input that has no default among the constants.
  ///   - kept: values to return beside the outputs.
  ///   - around: values of the surrounding graphs, for a subgraph.
  ///   - seed: for operators with random outputs.
  ///   - observe: called with every value a node writes, in order.
  /// - Returns: outputs and kept values. Other values are released after their last reader.
  /// - Errors: `GraphInputError` for missing or unfitting inputs; `NodeError` with the operator's reason.
  package func evaluate(
    _ given: [ValueName: Tensor], keeping kept: Set<ValueName> = [], around: [ValueName: Tensor] = [:],
    seed: UInt64 = 0, observe: ((ValueName, Tensor) throws -> Void)? = nil
  ) throws -> [ValueName: Tensor] {
    var values: [ValueName: Tensor] = [:]
    for input in inputs {
      if let tensor = given[input.name] {
        try input.check(type: tensor.type, shape: tensor.shape)
        values[input.name] = tensor
      } else if constants[input.name] == nil {
        throw GraphInputError("input \"\(input.name)\" is missing")
      }
    }
    let wanted = kept.union(outputs.map(\.name))
    let releases = releasesAfterNodes(keeping: wanted)
    func value(_ name: ValueName) throws -> Tensor {
      if let tensor = values[name] ?? constants[name] ?? around[name] { return tensor }
      throw GraphInputError("\"\(name)\" is read, but nothing before writes it")
    }
    for (index, node) in nodes.enumerated() {
      do {
        let operands = try node.inputs.map { try $0.map(value) }
        var captured: [ValueName: Tensor] = [:]
        for name in node.capturedValues { captured[name] = try value(name) }
        let context = EvaluationContext(captured: captured, seed: seed &+ UInt64(index))
        let results = try node.op.evaluate(operands, outputs: node.outputs.count, context: context)
        try node.requireOutputs(results.count)
        for (name, tensor) in zip(node.outputs, results) {
          guard let name else { continue }
          values[name] = tensor
          try observe?(name, tensor)
        }
      } catch let error as NodeError {
        throw error
      } catch {
        throw NodeError(node: node, reason: error)
      }
      for name in releases[index] { values[name] = nil }
    }
    var results: [ValueName: Tensor] = [:]
    for name in wanted { results[name] = try value(name) }
    return results
  }

  /// For each node the values nobody reads after it.
  private func releasesAfterNodes(keeping kept: Set<ValueName>) -> [[ValueName]] {
    var last: [ValueName: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for case let name? in node.outputs { last[name] = index }
      for case let name? in node.inputs { last[name] = index }
      for name in node.capturedValues { last[name] = index }
    }
    var result = [[ValueName]](repeating: [], count: nodes.count)
    for (name, index) in last where !kept.contains(name) { result[index].append(name) }
    return result
  }
}

extension EvaluationContext {
  /// A context that runs subgraphs by their reference computations.
  package init(captured: [ValueName: Tensor] = [:], seed: UInt64 = 0) {
    self.init(captured: captured, seed: seed) { graph, inputs, captured in
      guard inputs.count <= graph.inputs.count else {
        throw GraphInputError("a subgraph has \(graph.inputs.count) inputs, but is given \(inputs.count)")
      }
      let named = Dictionary(zip(graph.inputs.map(\.name), inputs), uniquingKeysWith: { first, _ in first })
      let results = try graph.evaluate(named, around: captured, seed: seed)
      return graph.outputs.compactMap { results[$0.name] }
    }
  }
}
