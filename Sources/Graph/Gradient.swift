import Tensors

/// An operator that knows its vector–Jacobian product, written as more graph.
package protocol DifferentiableOperator: Operator {
  /// Adds to `builder` what computes, from ∂loss/∂output, ∂loss/∂input of each input the site asks for.
  ///
  /// - Returns: per input its gradient, of the input's shape; `nil` where it is zero, or was not asked for.
  /// - Errors: `OperatorError` for a form of the operator that has no gradient here.
  func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?]
}

/// A node as its gradient sees it.
package struct GradientSite {
  package var node: Node
  /// ∂loss/∂output, `nil` where the loss does not depend on the output.
  package var upstream: [ValueName?]
  /// Inputs whose gradient is asked for.
  package var wanted: [Bool]

  package init(node: Node, upstream: [ValueName?], wanted: [Bool]) {
    self.node = node
    self.upstream = upstream
    self.wanted = wanted
  }

  /// Whether the gradient of input `index` is asked for.
  package func wants(_ index: Int) -> Bool { wanted.indices.contains(index) && wanted[index] }

  /// Value name of an input the node must have.
  package func input(_ index: Int) throws -> ValueName {
    guard node.inputs.indices.contains(index), let name = node.inputs[index] else {
      throw OperatorError("input \(index) is missing")
    }
    return name
  }

  /// Value name of an output.
  package func output(_ index: Int = 0) throws -> ValueName {
    guard node.outputs.indices.contains(index), let name = node.outputs[index] else {
      throw OperatorError("output \(index) is missing")
    }
    return name
  }

  /// ∂loss/∂output of the first output.
  package func upstreamOfFirst() throws -> ValueName {
    guard let first = upstream.first.flatMap({ $0 }) else {
      throw OperatorError("the loss depends on an output other than the first, which has no gradient")
    }
    return first
  }

  /// The gradients with those not asked for left out.
  package func only(_ gradients: [ValueName?]) -> [ValueName?] {
    zip(gradients, wanted).map { $1 ? $0 : nil }
  }
}
