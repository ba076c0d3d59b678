import Graph
import Operators
import Tensors

/// The float graph that computes what an encoded graph means: quantize–dequantize at every point where codes
/// are read, weights and int32 biases as the real numbers their codes stand for.
///
/// Any bit width. Nodes keep their names.
package func simulated(_ encoded: EncodedGraph) throws -> Graph {
  var simulation = Simulation(encoded)
  return try simulation.run().checked(after: "simulation")
}

private struct Simulation {
  let encoded: EncodedGraph
  var graph: Graph
  private var fresh: FreshNames

  init(_ encoded: EncodedGraph) {
    self.encoded = encoded
    graph = encoded.graph
    fresh = FreshNames(in: graph)
  }

  private func mode(_ node: Node) -> Mode { encoded.layers[node.name]?.mode ?? .float }

  mutating func run() throws -> Graph {
    let infos = try graph.infer()
    // For each value that static nodes read as codes, what they read instead.
    var decoded: [ValueName: ValueName] = [:]
    var constants: [ValueName: ValueName] = [:]
    var nodes: [Node] = []
    for input in graph.inputs { decode(input.name, &decoded, &nodes) }
    for original in graph.nodes {
      var node = original
      let mode = mode(original)
      if mode != .float {
        for (index, input) in original.inputs.enumerated() {
          guard let input else { continue }
          if let constant = constant(input, infos, &constants) {
            node.inputs[index] = constant
          } else if mode.isStatic, let value = decoded[input] {
            node.inputs[index] = value
          }
        }
      }
      if mode == .dynamic { encoded.addRanges(to: &node, infos, &fresh, &nodes) }
      nodes.append(node)
      for case let output? in node.outputs { decode(output, &decoded, &nodes) }
    }
    var result = graph
    result.nodes = nodes
    return result
  }

  /// Adds the node that encodes and decodes a value, where a static node reads it.
  private mutating func decode(
    _ value: ValueName, _ decoded: inout [ValueName: ValueName], _ nodes: inout [Node]
  ) {
    guard let encoding = encoded.activations[value],
      graph.nodes.contains(where: { mode($0).isStatic && $0.inputs.contains(value) })
    else { return }
    let output = fresh("\(value).decoded")
    decoded[value] = output
    nodes.append(
      Node(
        name: fresh("\(value).quantize-dequantize"), op: QuantizeDequantize(encoding: encoding),
        inputs: [value],
        outputs: [output]))
  }

  /// The constant a quantized node reads instead of a float one; `nil` where the value is not held as codes.
  private mutating func constant(
    _ value: ValueName, _ infos: [ValueName: OperandInfo], _ made: inout [ValueName: ValueName]
  ) -> ValueName? {
    if let known = made[value] { return known }
    guard let tensor = encoded.decodedConstant(value, infos) else { return nil }
    // A float node that shares the constant still reads the original.
    let isShared = encoded.graph.nodes.contains { mode($0) == .float && $0.inputs.contains(value) }
    let name =
      isShared || encoded.graph.inputs.contains { $0.name == value } ? fresh("\(value).decoded") : value
    graph.constants[name] = tensor
    made[value] = name
    return name
  }
}

extension EncodedGraph {
  /// The real numbers that the codes of a constant stand for; `nil` where it is not held as codes.
  package func decodedConstant(_ value: ValueName, _ infos: [ValueName: OperandInfo]) -> Tensor? {
    if let weights = weights[value] { return Tensor(decodedFloats(weights), shape: weights.codes.shape) }
    return biases[value]?.decoded(like: infos[value])
  }

  /// Puts the ranges found at run time in front of the activations of a dynamic layer.
  ///
  /// - Parameters:
  ///   - node: the layer as it is being rewritten, under the name it has here.
  ///   - nodes: where what comes before the node is appended.
  package func addRanges(
    to node: inout Node, _ infos: [ValueName: OperandInfo], _ fresh: inout FreshNames, _ nodes: inout [Node]
  ) {
    guard let original = graph.nodes.first(where: { [name = node.name] in $0.name == name }),
      let op = original.op as? any WeightedOperator, let layer = layers[original.name]
    else { return }
    for role in op.weightRoles(original.inputs.map { $0.flatMap { infos[$0] } }) {
      guard let activation = role.activation, let weight = original.inputs[role.input],
        weights[weight] != nil, let input = node.inputs[activation]
      else { continue }
      let output = fresh("\(original.name).input")
      nodes.append(
        Node(
          name: fresh("\(original.name).ranges"),
          op: DynamicQuantizeDequantize(
            sharing: layer.sharing(isImage: original.op.isImageOperator), bits: layer.dynamicBits),
          inputs: [input], outputs: [output]))
      node.inputs[activation] = output
    }
  }
}
