import Tensors

/// A graph under construction: nodes are appended, and what they compute is known at once.
package struct GraphBuilder {
  package private(set) var graph: Graph
  /// Type and shape of every value.
  package private(set) var infos: [ValueName: OperandInfo]
  private var names: FreshNames

  /// Goes on building `graph`.
  ///
  /// - Parameter infos: what is known of its values (`Graph.infer`), for the shapes it will run with.
  package init(_ graph: Graph, infos: [ValueName: OperandInfo]) {
    self.graph = graph
    self.infos = infos
    names = FreshNames(besides: Array(infos.keys) + graph.nodes.map(\.name))
  }

  /// A name like `wanted` that nothing else has.
  package mutating func fresh(_ wanted: String) -> String { names(wanted) }

  package mutating func constant(_ tensor: Tensor, named wanted: String = "constant") -> ValueName {
    let name = fresh(wanted)
    graph.constants[name] = tensor
    infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
    return name
  }

  /// Adds an input of the graph.
  package mutating func input(_ wanted: String, type: ElementType = .float32, shape: Shape) -> ValueName {
    let name = fresh(wanted)
    graph.inputs.append(ValueInfo(name: name, type: type, dimensions: shape.map { .fixed($0) }))
    infos[name] = OperandInfo(type: type, shape: shape)
    return name
  }

  /// Makes a value an output of the graph.
  package mutating func output(_ value: ValueName) {
    guard !graph.outputs.contains(where: { $0.name == value }) else { return }
    let info = infos[value]
    graph.outputs.append(
      ValueInfo(name: value, type: info?.type, dimensions: info?.shape?.map { .fixed($0) }))
  }

  /// Appends a node and returns its outputs.
  ///
  /// - Errors: `NodeError` where the operator does not fit its operands, or their shapes are not known.
  package mutating func add(
    _ op: any Operator, _ inputs: [ValueName?], outputs: Int, named wanted: String? = nil
  ) throws -> [ValueName] {
    let name = fresh(wanted ?? type(of: op).name.type.lowercased())
    let names = (0..<outputs).map { fresh(outputs == 1 ? "\(name):0" : "\(name):\($0)") }
    let node = Node(name: name, op: op, inputs: inputs, outputs: names)
    do {
      let operands = inputs.map { $0.flatMap { infos[$0] } }
      for (output, info) in zip(names, try op.infer(operands, outputs: outputs)) { infos[output] = info }
    } catch {
      throw NodeError(node: node, reason: error)
    }
    graph.nodes.append(node)
    return names
  }

  /// Appends a node of one output and returns it.
  package mutating func add(
    _ op: any Operator, _ inputs: ValueName?..., named wanted: String? = nil
  ) throws -> ValueName {
    try add(op, inputs, outputs: 1, named: wanted)[0]
  }

  /// The shape of a value.
  ///
  /// - Errors: `OperatorError` where it is known only when the graph runs.
  package func shape(_ value: ValueName) throws -> Shape {
    guard let shape = infos[value]?.shape else {
      throw OperatorError("the shape of \"\(value)\" depends on data (expected it to be fixed)")
    }
    return shape
  }

  /// Appends a node under the names it already has.
  package mutating func append(_ node: Node) throws {
    do {
      let operands = node.inputs.map { $0.flatMap { infos[$0] } }
      let results = try node.op.infer(operands, outputs: node.outputs.count)
      for (output, info) in zip(node.outputs, results) {
        guard let output else { continue }
        infos[output] = info
        names.take(output)
      }
    } catch {
      throw NodeError(node: node, reason: error)
    }
    names.take(node.name)
    graph.nodes.append(node)
  }
}
