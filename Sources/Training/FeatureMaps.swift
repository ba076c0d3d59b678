import Graph
import Operators
import Quantization

extension Candidate {
  /// Values whose distance to the float32 network's feature distillation lessens: sums of two branches, or where there
  /// are none, what the trained layers read.
  var featureMaps: [ValueName] {
    get throws {
      let graph = encoded.graph
      let infos = try graph.infer()
      let computed = Set(graph.nodes.flatMap { $0.outputs.compactMap { $0 } })
      let sums = graph.nodes.filter { node in
        node.op is Add && node.inputs.allSatisfy { $0.map(computed.contains) ?? false }
      }.compactMap { $0.outputs[0] }
      if !sums.isEmpty { return sums }
      var maps: [ValueName] = []
      for node in graph.nodes where encoded.layers[node.name]?.mode == .qat {
        guard let op = node.op as? any WeightedOperator else { continue }
        for role in op.weightRoles(node.inputs.map { $0.flatMap { infos[$0] } }) {
          guard let input = role.activation.flatMap({ node.inputs[$0] }), computed.contains(input),
            !maps.contains(input)
          else { continue }
          maps.append(input)
        }
      }
      return maps
    }
  }
}
