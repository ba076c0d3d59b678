import Graph
import Operators
import Tensors

/// A node that runs its operator's reference computation on tensors.
struct ReferencePlan {
  var node: Node
  /// Per input; `nil` where the node leaves it out.
  var reads: [Place.Home?]
  var captured: [(name: ValueName, home: Place.Home)]
  var writes: [Place.Home]
  /// Inputs whose ranges are computed at run time: mode `dynamic`.
  var dynamic: [Int: DynamicQuantizeDequantize] = [:]
}

extension Compiler {
  /// Appends a step that runs a node's reference.
  mutating func emitReference(_ index: Int) throws {
    let node = graph.nodes[index]
    var plan = ReferencePlan(node: node, reads: [], captured: [], writes: [])
    let isQuantized = mode(of: index) != .float
    for input in node.inputs {
      guard let input else {
        plan.reads.append(nil)
        continue
      }
      if isQuantized, let weights = encoded.weights[input] {
        plan.reads.append(constant(Tensor(decodedFloats(weights), shape: weights.codes.shape)))
      } else if isQuantized, let bias = encoded.biases[input] {
        plan.reads.append(constant(bias.decoded(like: infos[input])))
      } else {
        plan.reads.append(try tensorHome(input, reader: index))
      }
    }
    for name in node.capturedValues.sorted() {
      plan.captured.append((name, try tensorHome(name, reader: nil)))
    }
    if mode(of: index) == .dynamic, let op = node.op as? any WeightedOperator {
      for role in op.weightRoles(node.inputs.map { $0.flatMap { infos[$0] } }) {
        guard let activation = role.activation, let weight = node.inputs[role.input],
          encoded.weights[weight] != nil, let layer = encoded.layers[node.name]
        else { continue }
        plan.dynamic[activation] = DynamicQuantizeDequantize(
          sharing: layer.sharing(isImage: node.op.isImageOperator), bits: layer.dynamicBits)
      }
    }
    var written = 0
    for output in node.outputs {
      guard let output else {
        plan.writes.append(.slot(newSlot()))
        continue
      }
      let home: Place.Home
      if let info = infos[output], let shape = info.shape {
        let bytes = info.type.byteCount(shape.elementCount)
        written += bytes
        home = .buffer(buffer(bytes))
      } else {
        home = .slot(newSlot())
      }
      places[output] = [Place(form: Form(), home: home)]
      plan.writes.append(home)
    }
    for home in plan.reads.compactMap({ $0 }) + plan.captured.map(\.home) + plan.writes {
      touch(home, at: steps.count)
    }
    let operands = node.inputs.map { $0.flatMap { infos[$0] } }
    let results = node.outputs.map { $0.flatMap { infos[$0] } ?? OperandInfo(type: .float32, shape: nil) }
    let known =
      operands.allSatisfy { $0 == nil || $0?.shape != nil } && results.allSatisfy { $0.shape != nil }
    let read = operands.reduce(0) {
      $0 + ($1.flatMap { info in info.shape.map { info.type.byteCount($0.elementCount) } } ?? 0)
    }
    steps.append(
      Step(
        info: StepInfo(
          name: node.name, nodes: [node.name], kernel: "reference \(node.operatorName.text)",
          macs: known ? (node.op as? any WeightedOperator)?.multiplyAccumulates(operands, results) ?? 0 : 0,
          bytesRead: read, bytesWritten: written, mode: mode(of: index)),
        work: .reference(plan), scratch: nil))
  }

  private mutating func newSlot() -> Int {
    slots += 1
    return slots - 1
  }

  /// Where a value lies as a dense tensor of its own type, as this reader sees it.
  private mutating func tensorHome(_ value: ValueName, reader: Int?) throws -> Place.Home {
    if let place = places[value]?.first, case .slot = place.home { return place.home }
    guard infos[value]?.shape != nil else { preconditionFailure("\"\(value)\" is read before it is written") }
    if infos[value]?.constant != nil, places[value] == nil || graph.constants[value] != nil {
      if let place = knownPlaces(value).first { return place.home }
    }
    var content = Form.Content.plain
    if let reader, isStatic(reader), let codes = byteCodes(value) { content = .decoded(codes) }
    return try bring(value, Form(content))
  }
}

extension Operator {
  /// Whether the operator convolves images.
  package var isImageOperator: Bool { Self.name.domain.isEmpty && Self.name.type.hasPrefix("Conv") }
}

extension EncodedBias {
  /// The real numbers, in the shape the float bias has.
  func decoded(like info: OperandInfo?) -> Tensor {
    let values = zip(codes.array(of: Int32.self), scales).map { Float($0) * $1 }
    return Tensor(values, shape: info?.shape ?? codes.shape)
  }
}

/// A reference computation with everything it needs at run time.
final class ReferenceStep: @unchecked Sendable {
  private let node: Node
  private let reads: [(name: ValueName, source: Source)?]
  private let captured: [(name: ValueName, source: Source)]
  private let writes: [(name: ValueName, target: Source)]
  private let dynamic: [Int: DynamicQuantizeDequantize]

  init(_ plan: ReferencePlan, source: (Place.Home, ValueName?) -> Source) {
    node = plan.node
    reads = zip(plan.node.inputs, plan.reads).map { name, home in
      guard let name, let home else { return nil }
      return (name, source(home, name))
    }
    captured = plan.captured.map { ($0.name, source($0.home, $0.name)) }
    writes = zip(plan.node.outputs, plan.writes).map { ($0 ?? "", source($1, $0)) }
    dynamic = plan.dynamic
  }

  func run(in memory: ProgramMemory) throws {
    var inputs = try reads.map { read in try read.map { try memory.view($0.source, of: $0.name) } }
    for (index, ranges) in dynamic {
      inputs[index] = try ranges.evaluate([inputs[index]], outputs: 1, context: EvaluationContext())[0]
    }
    var values: [ValueName: Tensor] = [:]
    for value in captured { values[value.name] = try memory.view(value.source, of: value.name) }
    let results: [Tensor]
    do {
      results = try node.op.evaluate(
        inputs, outputs: node.outputs.count, context: EvaluationContext(captured: values))
    } catch {
      throw ExecutionError.node(node.name, operatorName: node.operatorName.text, reason: "\(error)")
    }
    for (write, tensor) in zip(writes, results) { try memory.store(tensor, to: write.target, of: write.name) }
  }
}
