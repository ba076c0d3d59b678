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
  private var taken: Set<String>

  init(_ encoded: EncodedGraph) {
    self.encoded = encoded
    graph = encoded.graph
    taken = Set(graph.nodes.map(\.name)).union(graph.nodes.flatMap { $0.outputs.compactMap { $0 } })
      .union(graph.inputs.map(\.name)).union(graph.constants.keys)
  }

  private mutating func fresh(_ wanted: String) -> String {
    var name = wanted
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(wanted).\(number)"
    }
    return name
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
          if let constant = try constant(input, infos, &constants) {
            node.inputs[index] = constant
          } else if mode.isStatic, let value = decoded[input] {
            node.inputs[index] = value
          }
        }
      }
      if mode == .dynamic { try addRanges(to: &node, original, infos, &nodes) }
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
  ) throws -> ValueName? {
    if let known = made[value] { return known }
    let tensor: Tensor
    if let weights = encoded.weights[value] {
      tensor = Tensor(decodedFloats(weights), shape: weights.codes.shape)
    } else if let bias = encoded.biases[value] {
      tensor = bias.decoded(like: infos[value])
    } else {
      return nil
    }
    // A float node that shares the constant still reads the original.
    let isShared = encoded.graph.nodes.contains { mode($0) == .float && $0.inputs.contains(value) }
    let name =
      isShared || encoded.graph.inputs.contains { $0.name == value } ? fresh("\(value).decoded") : value
    graph.constants[name] = tensor
    made[value] = name
    return name
  }

  /// Puts the ranges found at run time in front of the activations of a dynamic layer.
  private mutating func addRanges(
    to node: inout Node, _ original: Node, _ infos: [ValueName: OperandInfo], _ nodes: inout [Node]
  ) throws {
    guard let op = original.op as? any WeightedOperator, let layer = encoded.layers[original.name] else {
      return
    }
    for role in op.weightRoles(original.inputs.map { $0.flatMap { infos[$0] } }) {
      guard let activation = role.activation, let weight = original.inputs[role.input],
        encoded.weights[weight] != nil,
        let input = node.inputs[activation]
      else { continue }
      let output = fresh("\(original.name).input")
      nodes.append(
        Node(
          name: fresh("\(original.name).ranges"),
          op: DynamicQuantizeDequantize(
            sharing: layer.sharing(isImage: original.op.isImageOperator), bits: layer.dynamicBits),
          inputs: [input],
          outputs: [output]))
      node.inputs[activation] = output
    }
  }
}
