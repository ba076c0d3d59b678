/// A clamp that belongs to the node before it: nothing is encoded between the two, and one kernel computes both.
package struct FusedClamp: Sendable, Hashable {
  /// Index of the clamping node.
  package var node: Int
  package var lower: Float
  package var upper: Float
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
    guard let value = nodes[index].outputs.first.flatMap({ $0 }),
      !outputs.contains(where: { $0.name == value }),
      let readers = consumers[value], readers.count == 1,
      let next = nodes[readers[0]].op as? any ActivationOperator,
      nodes[readers[0]].inputs.first.flatMap({ $0 }) == value,
      let output = nodes[readers[0]].outputs.first.flatMap({ $0 })
    else { return nil }
    let operands = nodes[readers[0]].inputs.map { $0.flatMap { infos[$0] } }
    guard case .clamp(let lower, let upper)? = next.encodingRule(operands) else { return nil }
    return FusedClamp(node: readers[0], lower: lower, upper: upper, output: output)
  }
}
