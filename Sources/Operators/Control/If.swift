import Graph
import Tensors

/// One of two graphs, chosen by a condition.
///
/// - Input: cond, bool, one element. Outputs: those of the graph that runs; neither has inputs, both read values
///   around them.
package struct If: SubgraphOperator {
  package static let name = OperatorName("If", since: 11)
  package let thenBranch: Graph
  package let elseBranch: Graph

  package init(attributes: Attributes) throws {
    thenBranch = try attributes.required("then_branch", attributes.graph("then_branch"))
    elseBranch = try attributes.required("else_branch", attributes.graph("else_branch"))
  }

  package var attributes: Attributes {
    ["then_branch": .graph(thenBranch), "else_branch": .graph(elseBranch)]
  }

  package func infer(
    _ inputs: [OperandInfo?], outputs: Int, around: [ValueName: OperandInfo]
  ) throws -> [OperandInfo] {
    let condition = try inputs.required(0, "cond")
    try condition.require("cond", { $0 == .bool }, "bool")
    func results(_ branch: Graph) throws -> [OperandInfo] {
      let infos = try branch.infer(around: around)
      return try branch.outputs.map { output in
        guard let info = infos[output.name] else {
          throw OperatorError("a branch does not write \"\(output.name)\"")
        }
        return info
      }
    }
    if let known = condition.constant?.scalarInteger {
      return try results(known != 0 ? thenBranch : elseBranch)
    }
    let (yes, no) = (try results(thenBranch), try results(elseBranch))
    guard yes.count == no.count else {
      throw OperatorError("the branches have \(yes.count) and \(no.count) outputs, expected as many")
    }
    return try zip(yes, no).map { yes, no in
      try requireSameType(yes.type, no.type)
      return OperandInfo(type: yes.type, shape: yes.shape == no.shape ? yes.shape : nil)
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    guard let condition = try inputs.required(0, "cond").scalarInteger else {
      throw OperatorError("input cond has several elements, expected one")
    }
    return try context.run(condition != 0 ? thenBranch : elseBranch, [], context.captured)
  }
}
