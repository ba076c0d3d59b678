import Graph
import Tensors

/// The first difference between two graphs, or `nil`: everything but the file's IR version and opsets.
func difference(_ a: Graph, _ b: Graph) -> String? {
  if a.name != b.name { return "names \(a.name) and \(b.name)" }
  if a.inputs != b.inputs { return "inputs \(a.inputs) and \(b.inputs)" }
  if a.outputs != b.outputs { return "outputs \(a.outputs) and \(b.outputs)" }
  if Set(a.constants.keys) != Set(b.constants.keys) {
    return "constants \(Set(a.constants.keys).symmetricDifference(b.constants.keys).sorted())"
  }
  for (name, tensor) in a.constants {
    guard let other = b.constants[name], equal(tensor, other) else { return "constant \(name)" }
  }
  if a.nodes.count != b.nodes.count { return "\(a.nodes.count) and \(b.nodes.count) nodes" }
  for (x, y) in zip(a.nodes, b.nodes) {
    if x.name != y.name || x.operatorName != y.operatorName { return "nodes \(x.name) and \(y.name)" }
    if x.inputs != y.inputs || x.outputs != y.outputs { return "operands of \(x.name)" }
    let (p, q) = (x.op.attributes, y.op.attributes)
    if Set(p.keys) != Set(q.keys) { return "attributes of \(x.name)" }
    for (name, value) in p {
      if let other = q[name], let problem = difference(value, other) {
        return "attribute \(name) of \(x.name): \(problem)"
      }
    }
  }
  let edges = Set((a.inputs + a.outputs).map(\.name))
  let infos = a.valueInfos.filter { !edges.contains($0.key) }
  if infos != b.valueInfos.filter({ !edges.contains($0.key) }) { return "value infos" }
  let ignored = "onnx.ir_version"
  if a.metadata.filter({ $0.key != ignored }) != b.metadata.filter({ $0.key != ignored }) {
    return "metadata"
  }
  return nil
}

private func equal(_ a: Tensor, _ b: Tensor) -> Bool {
  a.type == b.type && a.shape == b.shape && a.withBytes { x in b.withBytes { y in x.elementsEqual(y) } }
}

private func difference(_ a: Attribute, _ b: Attribute) -> String? {
  let same =
    switch (a, b) {
    case (.int(let x), .int(let y)): x == y
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.string(let x), .string(let y)): x == y
    case (.ints(let x), .ints(let y)): x == y
    case (.floats(let x), .floats(let y)): x.map(\.bitPattern) == y.map(\.bitPattern)
    case (.strings(let x), .strings(let y)): x == y
    case (.tensor(let x), .tensor(let y)): equal(x, y)
    case (.graph(let x), .graph(let y)): difference(x, y) == nil
    default: false
    }
  return same ? nil : "\(a) and \(b)"
}
