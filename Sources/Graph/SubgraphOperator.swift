import Tensors

/// An operator that runs graphs held in its attributes (If, Loop, Scan), so that its outputs depend on values of the
/// surrounding graph.
package protocol SubgraphOperator: Operator {
  /// As `infer(_:outputs:)`, with what is known of the surrounding values.
  func infer(
    _ inputs: [OperandInfo?], outputs: Int, around: [ValueName: OperandInfo]
  ) throws -> [OperandInfo]
}

extension SubgraphOperator {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try infer(inputs, outputs: outputs, around: [:])
  }
}
