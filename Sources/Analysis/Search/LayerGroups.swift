import Graph
import Quantization

/// Layers that are given the same width.
///
/// Products that read one value (query, key and value of attention) run as one product where they agree, and the
/// branches of a residual sum meet in one encoding, whose step is that of the coarser branch.
package enum LayerGroups {
  /// Indices of the layers of each group, in their order.
  package static func of(
    _ layers: [ResolvedLayer], in graph: Graph, infos: [ValueName: OperandInfo]
  ) -> [[Int]] {
    var parents = Array(layers.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while parents[index] != index { index = parents[index] }
      return index
    }
    func join(_ members: [Int]) {
      guard let first = members.map(root).min() else { return }
      for member in members { parents[root(member)] = first }
    }
    let numbers = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1.node, $0) })
    let producers = graph.producers
    /// The layer that gives a value, behind operators that clamp it or move its elements.
    func layer(behind value: ValueName) -> Int? {
      var value = value
      while let index = producers[value] {
        let node = graph.nodes[index]
        if let number = numbers[node.name] { return number }
        guard let op = node.op as? any ActivationOperator,
          let rule = op.encodingRule(node.inputs.map { $0.flatMap { infos[$0] } })
        else { return nil }
        let source: ValueName?
        switch rule {
        case .keepsInput(let input): source = node.inputs[input]
        case .clamp, .clampChannels: source = node.inputs[0]
        case .ownOutput: return nil
        }
        guard let source else { return nil }
        value = source
      }
      return nil
    }
    var readers: [ValueName: [Int]] = [:]
    for node in graph.nodes {
      if let number = numbers[node.name], ["MatMul", "Gemm"].contains(node.operatorName.type) {
        for weight in layers[number].weights {
          guard let activation = weight.role.activation, let value = node.inputs[activation] else { continue }
          readers[value, default: []].append(number)
        }
      } else if node.operatorName.type == "Add" {
        let branches = node.inputs.compactMap { $0 }.filter { infos[$0]?.constant == nil }
        if branches.count == 2 { join(branches.compactMap(layer(behind:))) }
      }
    }
    for value in readers.keys.sorted() { join(readers[value] ?? []) }
    return Dictionary(grouping: layers.indices, by: root).values.sorted { $0[0] < $1[0] }
  }
}
