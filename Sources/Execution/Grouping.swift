import Graph
import Tensors

/// Nodes that one step computes: a node and what fuses behind it.
struct NodeGroup {
  struct Residual {
    /// Index of the Add.
    var node: Int
    /// The operand that is not the branch.
    var value: ValueName
    /// The value between the branch and the Add, encoded in integers.
    var branch: ValueName
    var lower: Float = -.infinity
    var upper: Float = .infinity
  }

  var primary: Int
  /// In graph order; the primary first.
  var nodes: [Int]
  var bias: [Float]?
  var lower: Float = -.infinity
  var upper: Float = .infinity
  /// Upper bounds of the channels beside that.
  var channelUpper: [Float]?
  var residual: Residual?
  /// What the step writes (first output).
  var output: ValueName
}

extension Compiler {
  /// The group that starts at a node, as far as `allowed` says.
  ///
  /// Nodes already in other groups are left alone.
  func group(at index: Int, allowed: Fusions, taken: Set<Int>) -> NodeGroup? {
    let node = graph.nodes[index]
    guard let output = node.outputs.first.flatMap({ $0 }) else { return nil }
    var group = NodeGroup(primary: index, nodes: [index], output: output)
    if allowed.contains(.bias) { fuseBias(&group, taken) }
    let fusedClamp = allowed.contains(.clamp) ? clamp(after: group, allowed, taken) : nil
    if let fusedClamp {
      group.lower = fusedClamp.lower
      group.upper = fusedClamp.upper
      group.channelUpper = fusedClamp.channelUpper
      group.nodes += fusedClamp.nodes
      group.output = fusedClamp.output
    }
    if allowed.contains(.residual), group.channelUpper == nil {
      fuseResidual(&group, clamped: fusedClamp != nil, taken, allowed)
    }
    return group
  }

  /// The one reader of a value that nobody else sees, or `nil`.
  private func onlyReader(_ value: ValueName) -> Int? {
    guard !outputNames.contains(value), let readers = consumers[value], readers.count == 1 else { return nil }
    return readers[0]
  }

  private func clamp(after group: NodeGroup, _ allowed: Fusions, _ taken: Set<Int>) -> FusedClamp? {
    guard let last = group.nodes.last, encoded.activations[group.output] == nil,
      let clamp = graph.clamp(after: last, consumers: consumers, infos: infos),
      taken.isDisjoint(with: clamp.nodes), infos[group.output]?.type == .float32
    else { return nil }
    guard clamp.channelUpper != nil else { return clamp }
    let isOfCodes =
      mode(of: group.primary).isStatic && group.bias == nil && wantedCodes(clamp.output) != nil
    return isOfCodes && allowed.contains(.channelClamp) ? clamp : nil
  }

  /// An Add of a constant with one element per output channel.
  private func fuseBias(_ group: inout NodeGroup, _ taken: Set<Int>) {
    guard encoded.activations[group.output] == nil, let reader = onlyReader(group.output),
      !taken.contains(reader),
      graph.nodes[reader].operatorName.text == "Add", let info = infos[group.output], let shape = info.shape,
      info.type == .float32, let output = graph.nodes[reader].outputs.first.flatMap({ $0 }),
      infos[output]?.shape == shape
    else { return }
    guard let other = graph.nodes[reader].inputs.compactMap({ $0 }).first(where: { $0 != group.output }),
      let constant = infos[other]?.constant, encoded.weights[other] == nil
    else { return }
    guard let op = graph.nodes[group.primary].op as? any Lowerable else { return }
    let axis = op.channelAxis(rank: shape.count)
    guard shape.count > axis, axis >= 0 else { return }
    let padded = Shape(repeating: 1, count: Swift.max(0, shape.count - constant.shape.count)) + constant.shape
    guard padded.count == shape.count,
      padded.indices.allSatisfy({ padded[$0] == ($0 == axis ? shape[axis] : 1) })
    else { return }
    group.bias = constant.floats
    group.nodes.append(reader)
    group.output = output
  }

  private func fuseResidual(_ group: inout NodeGroup, clamped: Bool, _ taken: Set<Int>, _ allowed: Fusions) {
    guard let reader = onlyReader(group.output), !taken.contains(reader),
      graph.nodes[reader].operatorName.text == "Add", let info = infos[group.output], info.type == .float32,
      let output = graph.nodes[reader].outputs.first.flatMap({ $0 }), infos[output]?.shape == info.shape
    else { return }
    let operands = graph.nodes[reader].inputs.compactMap { $0 }
    guard operands.count == 2, let other = operands.first(where: { $0 != group.output }),
      let otherInfo = infos[other], otherInfo.constant == nil, otherInfo.shape == info.shape
    else { return }
    // Of two branches the later one takes the sum: then the other has been computed.
    if let producer = producers[other], producer > group.nodes[0], !taken.contains(producer),
      let op = graph.nodes[producer].op as? any Lowerable, op.fusions.contains(.residual)
    {
      return
    }
    let isStatic = mode(of: reader).isStatic
    let branchCodes = isStatic ? byteCodes(group.output) : nil
    let otherCodes = isStatic ? byteCodes(other) : nil
    if encoded.activations[group.output] == nil {
      // A float sum: nothing may lie between, not even a clamp.
      guard !clamped, otherCodes == nil || !isStatic else { return }
    } else {
      guard branchCodes != nil, otherCodes != nil,
        wantedCodes(output) != nil || clampedCodes(after: reader) != nil
      else { return }
    }
    var residual = NodeGroup.Residual(node: reader, value: other, branch: group.output)
    group.nodes.append(reader)
    group.output = output
    if allowed.contains(.clamp), let clamp = clamp(after: group, .clamp, taken) {
      residual.lower = clamp.lower
      residual.upper = clamp.upper
      group.nodes += clamp.nodes
      group.output = clamp.output
    }
    group.residual = residual
  }

  /// The codes wanted of the clamp that follows a node.
  private func clampedCodes(after index: Int) -> ByteCodes? {
    graph.clamp(after: index, consumers: consumers, infos: infos).flatMap { wantedCodes($0.output) }
  }
}
