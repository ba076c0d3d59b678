import Graph
import Tensors

/// Nodes and constants on their way into a graph.
package struct NodeWriter {
  package var nodes: [Node] = []
  package var constants: [ValueName: Tensor] = [:]
  package var fresh: FreshNames

  package init(fresh: FreshNames) { self.fresh = fresh }

  /// For names that the graph does not have yet.
  package init(for graph: Graph) { fresh = FreshNames(in: graph) }

  /// Puts what was written at the end of a graph.
  package func finish(_ graph: inout Graph) {
    graph.nodes += nodes
    graph.constants.merge(constants) { _, new in new }
  }

  /// Appends a node of one output.
  package mutating func add(_ op: any Operator, _ inputs: [ValueName?], _ wanted: String) -> ValueName {
    let name = fresh(wanted)
    nodes.append(Node(name: name, op: op, inputs: inputs, outputs: [name]))
    return name
  }

  package mutating func constant(_ tensor: Tensor, _ wanted: String) -> ValueName {
    let name = fresh(wanted)
    constants[name] = tensor
    return name
  }

  /// The same elements in another shape; 0 keeps an axis, −1 takes the rest.
  package mutating func reshape(_ value: ValueName, to shape: [Int]) -> ValueName {
    let wanted = constant(Tensor(integers: shape, shape: [shape.count]), "\(value).shape")
    return add(Reshape(), [value, wanted], "\(value).reshaped")
  }

  /// One number for each element of an axis, as it broadcasts to values of so many axes.
  package mutating func reshape(_ value: ValueName, alongAxis axis: Int, rank: Int) -> ValueName {
    reshape(value, to: (0..<rank).map { $0 == axis ? -1 : 1 })
  }
}
