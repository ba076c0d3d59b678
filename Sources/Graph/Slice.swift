import Tensors

/// Cutting a graph in two between nodes, and taking out the part that computes some values from others.
extension Graph {
  /// Values that have to be kept to go on from the node at `index`, in the order of their names.
  ///
  /// They are those that nodes before it write, or inputs, and that nodes from there on read or the graph gives.
  ///
  /// - Parameter index: 0…`nodes.count`; at the end these are the graph's outputs.
  package func valuesCrossing(_ index: Int) -> [ValueName] {
    var before = Set(inputs.map(\.name))
    for node in nodes[..<index] { before.formUnion(node.outputs.compactMap { $0 }) }
    var wanted = Set(outputs.map(\.name))
    for node in nodes[index...] { wanted.formUnion(node.reads) }
    return before.intersection(wanted).sorted()
  }

  /// The nodes that compute `targets` when `sources` are given, as a graph of its own.
  ///
  /// - Parameters:
  ///   - sources: what is known of values that are given; those known before anything runs become constants, the
  ///     others the inputs.
  ///   - targets: values to compute, which become the outputs; those among the sources are left out.
  package func slice(from sources: [ValueName: OperandInfo], to targets: [ValueName]) -> Graph {
    let targets = targets.filter { sources[$0] == nil }
    var wanted = Set(targets)
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: { $0.map(wanted.contains) ?? false }) {
      kept.append(node)
      wanted.formUnion(node.reads.subtracting(sources.keys))
    }
    var slice = self
    slice.nodes = kept.reversed()
    slice.outputs = targets.map { name in
      outputs.first { $0.name == name } ?? ValueInfo(name: name, type: nil, dimensions: nil)
    }
    let read = slice.nodes.reduce(into: wanted) { $0.formUnion($1.reads) }
    slice.constants = constants.filter { read.contains($0.key) }
    slice.inputs = []
    for (name, info) in sources.sorted(by: { $0.key < $1.key }) where read.contains(name) {
      if let constant = info.constant {
        slice.constants[name] = constant
      } else {
        slice.constants[name] = nil
        slice.inputs.append(
          ValueInfo(name: name, type: info.type, dimensions: info.shape?.map { .fixed($0) }))
      }
    }
    return slice
  }
}

extension Node {
  /// Values the node reads, those its subgraphs capture among them.
  fileprivate var reads: Set<ValueName> { capturedValues.union(inputs.compactMap { $0 }) }
}
