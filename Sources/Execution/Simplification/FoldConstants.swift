import Graph
import Tensors

extension Simplifier {
  /// Elements a node may make from few others: folding must not blow a model up (Expand, ConstantOfShape, Tile).
  private static let growth = 65_536

  /// Replaces nodes whose results are known by constants.
  func foldConstants(_ graph: Graph) throws -> Graph {
    let infos = try graph.infer(inputs: inputs)
    var result = graph
    result.nodes = []
    let inputNames = Set(graph.inputs.map(\.name))
    for node in graph.nodes {
      if mayChange(node), let tensors = try known(node, infos, result.constants, inputNames) {
        for (name, tensor) in zip(node.outputs, tensors) { if let name { result.constants[name] = tensor } }
      } else {
        result.nodes.append(node)
      }
    }
    return result
  }

  private func known(
    _ node: Node, _ infos: [ValueName: OperandInfo], _ constants: [ValueName: Tensor],
    _ inputNames: Set<ValueName>
  ) throws -> [Tensor]? {
    guard !(node.op is any NondeterministicOperator), node.capturedValues.isEmpty else { return nil }
    var inferred: [Tensor] = []
    for output in node.outputs {
      guard let output else { return nil }
      if let tensor = infos[output]?.constant { inferred.append(tensor) }
    }
    if inferred.count == node.outputs.count { return inferred }
    guard !(node.op is any SubgraphOperator) else { return nil }
    // Beyond what inference evaluates: large constants that keep their size, such as stored half-precision weights.
    var operands: [Tensor?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard !inputNames.contains(input), let tensor = constants[input] ?? infos[input]?.constant else {
        return nil
      }
      operands.append(tensor)
    }
    let most = Swift.max(Self.growth, operands.reduce(0) { $0 + ($1?.count ?? 0) })
    for output in node.outputs {
      guard let output, let shape = infos[output]?.shape, let count = shape.checkedElementCount, count <= most
      else {
        return nil
      }
    }
    // What is folded is seldom read again.
    defer { for operand in operands { operand?.storage.forgetPages() } }
    do {
      return try node.op.evaluate(operands, outputs: node.outputs.count, context: EvaluationContext())
    } catch {
      throw NodeError(node: node, reason: error)
    }
  }

  /// Removes nodes whose output is their input: Identity, Dropout at inference, casts to the same type, Pad by nothing,
  /// Concat of one.
  func removeIdentities(_ graph: Graph) throws -> Graph {
    let infos = try graph.infer(inputs: inputs)
    var result = graph
    let outputs = Set(graph.outputs.map(\.name))
    let captured = graph.nodes.reduce(into: Set<ValueName>()) { $0.formUnion($1.capturedValues) }
    var renamed: [ValueName: ValueName] = [:]
    result.nodes = []
    for var node in graph.nodes {
      node.inputs = node.inputs.map { $0.map { renamed[$0] ?? $0 } }
      if mayChange(node), let input = node.inputs.first.flatMap({ $0 }),
        let output = node.outputs.first.flatMap({ $0 }),
        !outputs.contains(output), !captured.contains(output), isIdentity(node, infos, outputs)
      {
        renamed[output] = input
      } else {
        result.nodes.append(node)
      }
    }
    return result
  }

  private func isIdentity(_ node: Node, _ infos: [ValueName: OperandInfo], _ outputs: Set<ValueName>) -> Bool
  {
    let x = node.inputs.first.flatMap { $0 }.flatMap { infos[$0] }
    let y = node.outputs.first.flatMap { $0 }.flatMap { infos[$0] }
    switch node.operatorName.text {
    case "Identity": return true
    case "Dropout":
      let training = node.inputs.count > 2 ? node.inputs[2] : nil
      let isInference = training.map { infos[$0]?.constant?.integers.first == 0 } ?? true
      return isInference && node.outputs.dropFirst().allSatisfy { $0 == nil }
    case "Cast": return x != nil && x?.type == y?.type
    case "Concat": return node.inputs.count == 1
    case "Pad":
      guard node.inputs.count > 1, let pads = node.inputs[1].flatMap({ infos[$0]?.constant }) else {
        return false
      }
      return pads.integers.allSatisfy { $0 == 0 }
    case "Reshape", "Expand", "Slice":
      return inputs.isEmpty ? false : x?.shape != nil && x?.shape == y?.shape && isWhole(node, infos)
    default: return false
    }
  }

  /// A slice of the same shape may still run backwards.
  private func isWhole(_ node: Node, _ infos: [ValueName: OperandInfo]) -> Bool {
    guard node.operatorName.text == "Slice" else { return true }
    guard node.inputs.count > 4 else { return true }
    return node.inputs[4].flatMap { infos[$0]?.constant }?.integers.allSatisfy { $0 > 0 } ?? false
  }
}
