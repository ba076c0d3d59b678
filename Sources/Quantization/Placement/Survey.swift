import Graph
import Tensors

/// What placement has to know of a graph: who reads what as codes, and which operators without weights run on codes.
struct Survey {
  let graph: Graph
  let infos: [ValueName: OperandInfo]
  /// Nodes with weights in mode static or qat.
  let weighted: Set<Int>
  /// How an operator without weights treats encodings; for those that may run on codes.
  private(set) var rules: [Int: EncodingRule] = [:]
  /// Operators without weights that run on codes.
  private(set) var operators: Set<Int> = []
  private let layers: [Int: ResolvedLayer]
  private let producers: [ValueName: Int]
  private let consumers: [ValueName: [Int]]
  private let graphInputs: Set<ValueName>
  /// The clamp that fuses behind a node.
  private var clamps: [Int: FusedClamp] = [:]
  /// The node a fused clamp belongs to.
  private var owners: [Int: Int] = [:]

  var fused: Set<Int> { Set(owners.keys) }

  init(_ graph: Graph, infos: [ValueName: OperandInfo], layers: [Int: ResolvedLayer]) {
    self.graph = graph
    self.infos = infos
    self.layers = layers
    producers = graph.producers
    consumers = graph.consumers
    graphInputs = Set(graph.inputs.map(\.name))
    weighted = Set(layers.filter { $0.value.kind == .weighted && $0.value.effective.mode.isStatic }.keys)
    for index in graph.nodes.indices where owners[index] == nil {
      guard let clamp = graph.clamp(after: index, consumers: consumers, infos: infos) else { continue }
      clamps[index] = clamp
      for node in clamp.nodes { owners[node] = index }
    }
    for (index, layer) in layers where layer.kind == .activation { rules[index] = rule(index, layer) }
    operators = Set(rules.keys)
    settleOperators()
  }

  /// How an operator would run on codes; `nil` where it cannot or was not asked to.
  private func rule(_ index: Int, _ layer: ResolvedLayer) -> EncodingRule? {
    let node = graph.nodes[index]
    guard layer.requested.mode.isStatic, owners[index] == nil, let op = node.op as? any ActivationOperator,
      let rule = op.encodingRule(node.inputs.map { $0.flatMap { infos[$0] } }),
      let output = node.outputs.first.flatMap({ $0 }), infos[output]?.type == .float32
    else { return nil }
    switch rule {
    case .keepsInput(let input): return node.reads(float32At: input, infos) ? rule : nil
    case .clamp: return node.reads(float32At: 0, infos) ? rule : nil
    // Alone it has no kernel on codes.
    case .clampChannels: return nil
    case .ownOutput:
      // A function that is no clamp (SiLU, GELU) runs in float, and so does what has a float constant for an operand.
      if op is any ElementwiseOperator { return nil }
      let operands = node.inputs.compactMap { $0 }.compactMap { infos[$0] }
      let isPlain = operands.allSatisfy { $0.type != .float32 || $0.constant == nil }
      return isPlain && operands.contains { $0.type == .float32 } ? rule : nil
    }
  }

  /// Takes out operators whose operands would have to be encoded for them alone, or whose codes nobody would read,
  /// until none is left to take out.
  private mutating func settleOperators() {
    var changed = true
    while changed {
      changed = false
      for index in operators.sorted() where !pays(index) {
        operators.remove(index)
        changed = true
      }
    }
  }

  private func pays(_ index: Int) -> Bool {
    guard outputs(index).contains(where: hasStaticReader) else { return false }
    var moves = false
    if case .keepsInput? = rules[index] { moves = true }
    return reads(index).allSatisfy { value in
      if graphInputs.contains(value) && moves { return true }
      if let producer = producers[value], runsOnCodes(owners[producer] ?? producer) { return true }
      return (consumers[value] ?? []).contains { weighted.contains($0) && reads($0).contains(value) }
    }
  }

  private func runsOnCodes(_ index: Int) -> Bool { weighted.contains(index) || operators.contains(index) }

  /// Values the node reads as codes when it runs on codes.
  func reads(_ index: Int) -> [ValueName] {
    let node = graph.nodes[index]
    if weighted.contains(index) {
      var values: [ValueName] = []
      for weight in layers[index]?.weights ?? [] {
        guard let activation = weight.role.activation, node.reads(float32At: activation, infos),
          let value = node.inputs[activation], !values.contains(value)
        else { continue }
        values.append(value)
      }
      return values
    }
    guard operators.contains(index), let rule = rules[index] else { return [] }
    switch rule {
    case .keepsInput(let input): return node.inputs[input].map { [$0] } ?? []
    case .clamp, .clampChannels: return node.inputs[0].map { [$0] } ?? []
    case .ownOutput:
      var values: [ValueName] = []
      for case let value? in node.inputs where infos[value]?.type == .float32 && !values.contains(value) {
        values.append(value)
      }
      return values
    }
  }

  /// Values the node gives, after the clamp that fuses behind it.
  func outputs(_ index: Int) -> [ValueName] {
    if let clamp = clamps[index] { return [clamp.output] }
    return graph.nodes[index].outputs.compactMap { $0 }
  }

  /// Whether a sum gives the value, or a layer with weights reads it: what a network's own widths are about.
  func feedsTrained(_ value: ValueName) -> Bool {
    if let producer = producers[value], operators.contains(owners[producer] ?? producer) { return true }
    return (consumers[value] ?? []).contains { weighted.contains($0) && reads($0).contains(value) }
  }

  func hasStaticReader(_ value: ValueName) -> Bool {
    (consumers[value] ?? []).contains { runsOnCodes($0) && reads($0).contains(value) }
  }
}
