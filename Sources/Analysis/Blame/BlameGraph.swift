import Execution
import Graph
import Operators
import Tensors
import Workflows

/// A float32 network and a candidate's simulation side by side in one graph, which gives for each layer the energies
/// of its errors: each as `[samples, channels]`, so that nothing large leaves a run.
///
/// What both networks compute alike is there once: its error is zero without being computed.
struct BlameGraph {
  struct Row {
    var layer: String
    var channels: Int
    /// Whether the energies tell the samples of a batch apart.
    var tellsSamples: Bool
    /// Outputs of the graph; zero where absent.
    var energies: [Blame.Energies.Part: ValueName] = [:]
  }

  private(set) var graph: Graph
  private(set) var rows: [Row] = []

  private let reference: Graph
  private let simulation: Graph
  private let batch: Int
  /// Of the float32 network's values, for a whole batch.
  private let infos: [ValueName: OperandInfo]
  /// And for a single sample.
  private let single: [ValueName: OperandInfo]?
  /// Nodes of the candidate before simulation, which read values without their encoding; and in it.
  private let encodedNodes: [String: Node]
  private let simulatedNodes: [String: Node]
  /// By the value they give: the nodes of the simulation.
  private let producers: [ValueName: Int]
  /// Where the values of the two networks are in the graph.
  private var referenceValues: [ValueName: ValueName] = [:]
  private var simulatedValues: [ValueName: ValueName] = [:]
  private var fresh: FreshNames
  private var known: [Call: [ValueName?]] = [:]
  private var distances: [[ValueName?]: ValueName] = [:]

  /// A node's operator on operands.
  private struct Call: Hashable {
    var node: String
    var operatorName: String
    var inputs: [ValueName?]
  }

  /// - Parameters:
  ///   - reference: the float32 network the candidate is made of; a node has the same name in both.
  ///   - layers: names of the nodes to tell apart.
  ///   - infos: what is known of the float32 network's values for a batch of this size.
  ///   - single: what is known of them for one sample; `nil` where the network takes no other batch.
  init(
    reference: Graph, candidate: EncodedGraph, layers: Set<String>, infos: [ValueName: OperandInfo],
    single: [ValueName: OperandInfo]?, batch: Int
  ) throws {
    self.reference = reference
    self.infos = infos
    self.single = single
    self.batch = batch
    simulation = try simulated(candidate)
    encodedNodes = Dictionary(candidate.graph.nodes.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    simulatedNodes = Dictionary(simulation.nodes.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    producers = simulation.producers
    graph = reference
    graph.nodes = []
    graph.outputs = []
    graph.valueInfos = [:]
    fresh = FreshNames(in: graph)
    var next = 0
    for node in reference.nodes {
      try emit(node)
      // The two networks advance together, so that few values live at a time.
      if simulatedNodes[node.name] != nil {
        while !hasEmitted(node.name, before: next) {
          try emitSimulated(simulation.nodes[next])
          next += 1
        }
      }
      if layers.contains(node.name) { try addRow(node) }
    }
    graph = try graph.checked(after: "blame")
  }

  /// Whether the simulation's node is among the first `count`.
  private func hasEmitted(_ name: String, before count: Int) -> Bool {
    simulatedNodes[name]?.outputs.compactMap { $0 }.first.flatMap { producers[$0] }.map { $0 < count } ?? true
  }

  // MARK: the two networks

  private mutating func emit(_ node: Node) throws {
    let outputs = evaluate(node, node.inputs.map { $0.map { referenceValues[$0] ?? $0 } })
    for case (let name?, let value?) in zip(node.outputs, outputs) { referenceValues[name] = value }
  }

  private mutating func emitSimulated(_ node: Node) throws {
    for name in node.capturedValues {
      guard try simulatedValue(name) == (referenceValues[name] ?? name) else {
        throw WorkflowError(
          "node \"\(node.name)\" (\(node.operatorName.text)): its subgraphs read quantized values, which blame cannot follow."
        )
      }
    }
    let outputs = evaluate(node, try node.inputs.map { try $0.map { try simulatedValue($0) } })
    for case (let name?, let value?) in zip(node.outputs, outputs) { simulatedValues[name] = value }
  }

  /// Where a value of the simulation is in the graph; a constant that the float32 network does not have gets a place.
  private mutating func simulatedValue(_ name: ValueName) throws -> ValueName {
    if let value = simulatedValues[name] { return value }
    var value = name
    if !simulation.inputs.contains(where: { $0.name == name }) {
      guard let tensor = simulation.constants[name] else {
        throw WorkflowError("value \"\(name)\" of the candidate has no source.")
      }
      if !(reference.constants[name]?.hasBytes(of: tensor) ?? false) {
        value = fresh(name)
        graph.constants[value] = tensor
      }
    }
    simulatedValues[name] = value
    return value
  }

  /// The outputs of a node's operator on operands.
  private mutating func evaluate(_ node: Node, _ inputs: [ValueName?]) -> [ValueName?] {
    var inputs = inputs
    while inputs.last == .some(nil) { inputs.removeLast() }
    let call = Call(node: node.name, operatorName: node.operatorName.text, inputs: inputs)
    if let outputs = known[call] { return outputs }
    let outputs = node.outputs.map { $0.map { fresh($0) } }
    graph.nodes.append(Node(name: fresh(node.name), op: node.op, inputs: inputs, outputs: outputs))
    known[call] = outputs
    return outputs
  }

  // MARK: layers

  private mutating func addRow(_ node: Node) throws {
    guard let plain = encodedNodes[node.name], let simulated = simulatedNodes[node.name],
      simulated.operatorName == node.operatorName,
      let output = node.outputs.firstIndex(where: { $0.flatMap { infos[$0]?.type } == .float32 }),
      let value = node.outputs[output], let shape = infos[value]?.shape, !shape.isEmpty
    else { return }
    // Operands of f and of f_q: constants are their own, the rest is x, x̂ and their encodings.
    var (x, received, encoded) = ([ValueName?](), [ValueName?](), [ValueName?]())
    var (quantized, alone) = ([ValueName?](), [ValueName?]())
    for index in 0..<Swift.max(node.inputs.count, simulated.inputs.count) {
      let own = node.inputs.count > index ? node.inputs[index].map { referenceValues[$0] ?? $0 } : nil
      let name = simulated.inputs.count > index ? simulated.inputs[index] : nil
      let theirs = try name.map { try simulatedValue($0) }
      x.append(own)
      quantized.append(theirs)
      guard let own, let name, let theirs, !isConstant(own), !isConstant(theirs) else {
        received.append(own)
        encoded.append(own)
        alone.append(theirs)
        continue
      }
      let before = plain.inputs.count > index ? plain.inputs[index] : nil
      received.append(try before.map { try simulatedValue($0) })
      encoded.append(theirs)
      if name == before {
        alone.append(own)
      } else if let producer = producers[name] {
        alone.append(evaluate(simulation.nodes[producer], [own])[0])
      }
    }
    let f = evaluate(node, x)[output]
    let ofReceived = evaluate(node, received)[output]
    let ofEncoded = evaluate(node, encoded)[output]
    let result = evaluate(simulated, quantized)[output]
    let ofAlone = evaluate(simulated, alone)[output]
    let tellsSamples = isCut(shape, single: single?[value]?.shape)
    let op = ErrorEnergy(samples: tellsSamples ? batch : 1, channelAxis: Self.channelAxis(node, shape))
    let energies = try op.infer([OperandInfo(type: .float32, shape: shape)], outputs: 1)[0]
    var row = Row(layer: node.name, channels: energies.shape?.last ?? 1, tellsSamples: tellsSamples)
    row.energies[.reference] = energy(op, f, nil)
    row.energies[.inherited] = energy(op, ofReceived, f)
    row.energies[.activations] = energy(op, ofEncoded, ofReceived)
    row.energies[.weights] = energy(op, result, ofEncoded)
    row.energies[.total] = energy(op, result, f)
    row.energies[.alone] = energy(op, ofAlone, f)
    rows.append(row)
  }

  /// Whether the first axis counts samples, each with as many elements of it.
  private func isCut(_ shape: Shape, single: Shape?) -> Bool {
    guard let single else { return shape[0] % batch == 0 }
    return shape[0] == batch * (single.first ?? 0) && shape.elementCount == batch * single.elementCount
  }

  private func isConstant(_ value: ValueName) -> Bool {
    graph.constants[value] != nil && !graph.inputs.contains { $0.name == value }
  }

  /// Images have their channels on axis 1, everything else has features on its last.
  private static func channelAxis(_ node: Node, _ shape: Shape) -> Int? {
    let axis = shape.count > 3 || node.op.isImageOperator ? 1 : shape.count - 1
    return axis > 0 && axis < shape.count ? axis : nil
  }

  /// The energy of a − b, or of a; `nil` where they are the same value.
  private mutating func energy(_ op: ErrorEnergy, _ a: ValueName?, _ b: ValueName?) -> ValueName? {
    guard let a, a != b else { return nil }
    // Either order gives the same.
    let pair: [ValueName?] = b.map { $0 < a ? [$0, a] : [a, $0] } ?? [a, nil]
    if let output = distances[pair] { return output }
    let output = fresh("\(a).energy")
    graph.nodes.append(Node(name: output, op: op, inputs: pair[1] == nil ? [a] : pair, outputs: [output]))
    graph.outputs.append(ValueInfo(name: output, type: .float32, dimensions: nil))
    distances[pair] = output
    return output
  }
}

extension Tensor {
  /// Whether another tensor holds the same.
  fileprivate func hasBytes(of other: Tensor) -> Bool {
    guard shape == other.shape, type == other.type else { return false }
    if storage === other.storage, byteOffset == other.byteOffset { return true }
    return withBytes { own in other.withBytes { own.elementsEqual($0) } }
  }
}
