import Graph
import Operators
import Tensors

extension GraphBuilder {
  /// Adds the gradient of a loss with respect to some values, by reverse accumulation over the graph so far.
  ///
  /// - Parameters:
  ///   - loss: a value of one element.
  ///   - targets: the values to differentiate by, inputs of the graph or values in it.
  /// - Returns: by target, a value of its shape; targets the loss does not depend on are left out.
  /// - Errors: `NodeError` for a node between a target and the loss whose operator has no gradient.
  package mutating func gradients(
    of loss: ValueName, by targets: [ValueName]
  ) throws -> [ValueName: ValueName] {
    let nodes = graph.nodes
    // Values that change with a target; only their gradients are of use.
    var moving = Set(targets)
    for node in nodes where node.inputs.contains(where: { $0.map(moving.contains) ?? false }) {
      moving.formUnion(node.outputs.compactMap { $0 })
    }
    guard moving.contains(loss) else { return [:] }
    let shape = try shape(loss)
    var gradients = [loss: constant(Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape))]
    for node in nodes.reversed() {
      let upstream = node.outputs.map { $0.flatMap { gradients[$0] } }
      let wanted = node.inputs.map { input in
        input.map { moving.contains($0) && infos[$0]?.type == .float32 } ?? false
      }
      guard upstream.contains(where: { $0 != nil }), wanted.contains(true) else { continue }
      guard let op = node.op as? any DifferentiableOperator else {
        throw NodeError(
          node: node, reason: OperatorError("has no gradient, so nothing before it can be trained"))
      }
      let found: [ValueName?]
      do {
        found = try op.gradient(GradientSite(node: node, upstream: upstream, wanted: wanted), &self)
      } catch let error as NodeError {
        throw error
      } catch {
        throw NodeError(node: node, reason: error)
      }
      for (input, gradient) in zip(node.inputs, found) {
        guard let input, let gradient, moving.contains(input) else { continue }
        gradients[input] = try gradients[input].map { try sum($0, gradient) } ?? gradient
      }
    }
    let wanted = Set(targets)
    return gradients.filter { wanted.contains($0.key) }
  }
}
