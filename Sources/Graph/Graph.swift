import Tensors

/// The name of a value: what one node writes and others read.
///
/// Unique within a graph and its subgraphs.
package typealias ValueName = String

/// A size along one axis, as a file declares it.
package enum Dimension: Sendable, Hashable {
  case fixed(Int)
  /// A size known only when the model runs, with its symbolic name (`""` when the file gives none).
  case free(String)
}

/// A value as declared: name, and what is known of its type.
package struct ValueInfo: Sendable, Hashable {
  package var name: ValueName
  package var type: ElementType?
  /// `nil` when not even the rank is known.
  package var dimensions: [Dimension]?

  package init(name: ValueName, type: ElementType?, dimensions: [Dimension]?) {
    self.name = name
    self.type = type
    self.dimensions = dimensions
  }
}

/// One step of a graph: an operator applied to named values.
package struct Node: Sendable {
  /// Unique in its graph.
  ///
  /// A node without a unique name in the file is named after its first output.
  package var name: String
  package var op: any Operator
  /// `nil` for an optional input that is absent.
  package var inputs: [ValueName?]
  /// `nil` for an optional output that nobody wants.
  package var outputs: [ValueName?]

  package init(name: String, op: any Operator, inputs: [ValueName?], outputs: [ValueName?]) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }

  package var operatorName: OperatorName { type(of: op).name }
}

/// A network: a value, changed only by functions from graph to graph.
package struct Graph: Sendable {
  package var name: String
  package var inputs: [ValueInfo]
  package var outputs: [ValueInfo]
  /// Initializers and other constants.
  ///
  /// A name here that is also an input is a default the caller may replace.
  package var constants: [ValueName: Tensor]
  /// In an order where every value is written before it is read.
  package var nodes: [Node]
  /// What the file declares about values in between.
  package var valueInfos: [ValueName: ValueInfo]
  /// Domain → version the nodes are written in; nodes here are always in the form of the catalogue's newest version,
  /// so this is only what the file said.
  package var opsets: [String: Int]
  /// Producer, IR version and metadata of the file, for a faithful round trip.
  package var metadata: [String: String]
  /// By the weight it went into: the batch norm that simplification folded last.
  package var foldedNorms: [ValueName: FoldedNorm] = [:]

  package init(
    name: String = "", inputs: [ValueInfo] = [], outputs: [ValueInfo] = [],
    constants: [ValueName: Tensor] = [:],
    nodes: [Node] = [], valueInfos: [ValueName: ValueInfo] = [:], opsets: [String: Int] = [:],
    metadata: [String: String] = [:]
  ) {
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.constants = constants
    self.nodes = nodes
    self.valueInfos = valueInfos
    self.opsets = opsets
    self.metadata = metadata
  }

  /// Index of the node that writes each value.
  package var producers: [ValueName: Int] {
    var result: [ValueName: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for output in node.outputs { if let output { result[output] = index } }
    }
    return result
  }

  /// Indices of the nodes that read each value, in order; a node that reads it twice is listed twice.
  ///
  /// Values that
  /// subgraphs capture count as read by the node that holds the subgraph.
  package var consumers: [ValueName: [Int]] {
    var result: [ValueName: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in node.inputs { if let input { result[input, default: []].append(index) } }
      for name in node.capturedValues { result[name, default: []].append(index) }
    }
    return result
  }

  /// Names this graph reads but does not define: what a subgraph captures from around it.
  package var freeValues: Set<ValueName> {
    var defined = Set(inputs.map(\.name)).union(constants.keys)
    var free: Set<ValueName> = []
    for node in nodes {
      for case let input? in node.inputs where !defined.contains(input) { free.insert(input) }
      free.formUnion(node.capturedValues.subtracting(defined))
      defined.formUnion(node.outputs.compactMap { $0 })
    }
    for output in outputs where !defined.contains(output.name) { free.insert(output.name) }
    return free
  }
}

extension Node {
  /// Values of the surrounding graph that the subgraphs in this node's attributes read.
  package var capturedValues: Set<ValueName> {
    var result: Set<ValueName> = []
    for case .graph(let graph) in op.attributes.values { result.formUnion(graph.freeValues) }
    return result
  }
}
