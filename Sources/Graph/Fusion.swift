/// A clamp that belongs to the node before it: nothing is encoded between the two, and one kernel computes both.
package struct FusedClamp: Sendable, Hashable {
  /// Indices of the clamping nodes, in order: one of the whole tensor, one of each channel, or the latter and the former.
  package var nodes: [Int]
  package var lower: Float
  package var upper: Float
  /// Upper bounds of the channels beside that.
  package var channelUpper: [Float]?
  /// The value after the clamp: the output that carries an encoding.
  package var output: ValueName
}

extension Graph {
  /// The clamp (Relu, Clip with constant bounds) that fuses into the node at `index`: the only reader of the node's
  /// first output, which is not an output of the graph.
  ///
  /// The one definition of this fusion: quantization places encodings by it, simulation and exporters follow it and
  /// the program fuses by it.
  package func clamp(
    after index: Int, consumers: [ValueName: [Int]], infos: [ValueName: OperandInfo]
  ) -> FusedClamp? {
    guard let first = step(after: index, consumers, infos) else { return nil }
    switch first.rule {
    case .clamp(let lower, let upper):
      return FusedClamp(nodes: [first.node], lower: lower, upper: upper, output: first.output)
    case .clampChannels(let bounds):
      var clamp = FusedClamp(
        nodes: [first.node], lower: -.infinity, upper: .infinity, channelUpper: bounds, output: first.output)
      if let next = step(after: first.node, consumers, infos), case .clamp(let lower, let upper) = next.rule {
        clamp.nodes.append(next.node)
        (clamp.lower, clamp.upper, clamp.output) = (lower, upper, next.output)
      }
      return clamp
    default: return nil
    }
  }

  /// The only reader of a node's first output, where it is an operator that may run on codes and reads it first.
  private func step(
    after index: Int, _ consumers: [ValueName: [Int]], _ infos: [ValueName: OperandInfo]
  ) -> (node: Int, rule: EncodingRule, output: ValueName)? {
    guard let value = nodes[index].outputs.first.flatMap({ $0 }),
      !outputs.contains(where: { $0.name == value }),
      let readers = consumers[value], readers.count == 1,
      let next = nodes[readers[0]].op as? any ActivationOperator,
      nodes[readers[0]].inputs.first.flatMap({ $0 }) == value,
      let output = nodes[readers[0]].outputs.first.flatMap({ $0 }),
      let rule = next.encodingRule(nodes[readers[0]].inputs.map { $0.flatMap { infos[$0] } })
    else { return nil }
    return (readers[0], rule, output)
  }
}
