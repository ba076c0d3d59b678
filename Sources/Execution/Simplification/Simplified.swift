import Graph
import Tensors

/// A graph that computes the same in fewer nodes: constants folded, identities and dropout removed, batch norm folded
/// into the layer before it, a bias joined to its product, dead code dropped.
///
/// Layers keep their names. The function is kept to 1e-4.
/// - Parameter inputShapes: fixes free dimensions, so that what follows from shapes folds too; the result then holds
///   for these shapes only. `nil`: holds for every shape.
package func simplified(_ graph: Graph, inputShapes: [ValueName: Shape]?) throws -> Graph {
  var given: [ValueName: OperandInfo] = [:]
  for input in graph.inputs {
    guard let shape = inputShapes?[input.name], let type = input.type else { continue }
    given[input.name] = OperandInfo(type: type, shape: shape)
  }
  return try Simplifier(inputs: given).apply(to: graph)
}

/// An encoded graph ready to be lowered: what shapes determine is folded, and float layers are simplified; nothing is
/// moved across an encoding.
func prepared(_ encoded: EncodedGraph, inputs: [ValueName: OperandInfo]) throws -> EncodedGraph {
  var simplifier = Simplifier(inputs: inputs)
  simplifier.values = Set(encoded.activations.keys).union(encoded.weights.keys).union(encoded.biases.keys)
  simplifier.nodes = Set(encoded.layers.filter { $0.value.mode != .float }.keys)
  var result = encoded
  result.graph = try simplifier.apply(to: encoded.graph)
  return result
}

/// The passes, and what they must leave alone.
struct Simplifier: Sendable {
  var inputs: [ValueName: OperandInfo]
  /// Values that are encoded.
  var values: Set<ValueName> = []
  /// Names of nodes that compute with integers.
  var nodes: Set<String> = []

  var passes: [Pass] {
    [
      Pass("constant folding") { try foldConstants($0) },
      Pass("identity removal") { try removeIdentities($0) },
      Pass("batch-norm folding") { try foldBatchNorms($0) },
      Pass("bias joining") { try joinBiases($0) },
      Pass("dead-code removal") { removeDeadCode($0) },
    ]
  }

  func apply(to graph: Graph) throws -> Graph { try graph.checked(after: "reading").applying(passes) }

  func mayChange(_ node: Node) -> Bool {
    !nodes.contains(node.name)
      && !node.inputs.contains { $0.map(values.contains) ?? false }
      && !node.outputs.contains { $0.map(values.contains) ?? false }
  }

  /// Drops nodes nobody needs, then constants nobody reads.
  func removeDeadCode(_ graph: Graph) -> Graph {
    var result = graph
    var needed = Set(graph.outputs.map(\.name))
    var kept: [Node] = []
    for node in graph.nodes.reversed() {
      guard node.outputs.contains(where: { $0.map(needed.contains) ?? false }) else { continue }
      needed.formUnion(node.inputs.compactMap { $0 })
      needed.formUnion(node.capturedValues)
      kept.append(node)
    }
    result.nodes = kept.reversed()
    let inputs = Set(graph.inputs.map(\.name))
    result.constants = graph.constants.filter { needed.contains($0.key) || inputs.contains($0.key) }
    return result
  }
}
