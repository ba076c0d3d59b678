import CKernels
import Graph
import Operators
import Tensors

/// A value in memory: where it lies and in which form.
struct Place {
  enum Home: Hashable {
    case buffer(Int)
    case constant(Int)
    case slot(Int)
  }
  var form: Form
  var home: Home
}

/// Turns an encoded graph with fixed input shapes into steps on planned memory.
///
/// For each node in order: group it with what fuses behind it, ask its lowering, bring the operands into the forms
/// the kernels read (quantize, dequantize, change layout), append the step. Memory is planned when all steps are known.
struct Compiler {
  struct Buffer {
    var bytes: Int
    var first: Int
    /// Last step that reads it; `Int.max` where it must stay.
    var last: Int
  }

  enum Work {
    case call(KernelCall, reads: [Place.Home], writes: [Place.Home])
    case reference(ReferencePlan)
  }

  struct Step {
    var info: StepInfo
    var work: Work
    var scratch: Int?
  }

  let encoded: EncodedGraph
  let graph: Graph
  let infos: [ValueName: OperandInfo]
  let consumers: [ValueName: [Int]]
  let producers: [ValueName: Int]
  let outputNames: Set<ValueName>
  let kernels: UnsafePointer<ck_table>
  let threads: Int
  var cache: KeyValueCache?

  var buffers: [Buffer] = []
  var constants: [Tensor] = []
  var slots = 0
  var places: [ValueName: [Place]] = [:]
  var steps: [Step] = []
  /// Where the extremes of a value lie that were found as it was written, and how many pairs for each image.
  var extremes: [ValueName: (home: Place.Home, perImage: Int)] = [:]
  var packedBytes = 0

  init(
    _ encoded: EncodedGraph, infos: [ValueName: OperandInfo], kernels: UnsafePointer<ck_table>, threads: Int
  ) {
    self.encoded = encoded
    graph = encoded.graph
    self.infos = infos
    consumers = encoded.graph.consumers
    producers = encoded.graph.producers
    outputNames = Set(encoded.graph.outputs.map(\.name))
    self.kernels = kernels
    self.threads = threads
  }

  // MARK: what is known of nodes and values

  func mode(of index: Int) -> Mode { encoded.layers[graph.nodes[index].name]?.mode ?? .float }

  func isStatic(_ index: Int) -> Bool { mode(of: index).isStatic }

  func byteCodes(_ value: ValueName) -> ByteCodes? { encoded.activations[value].flatMap { ByteCodes($0) } }

  /// The codes of a value where every reader reads codes; `nil` where someone reads it as computed.
  func wantedCodes(_ value: ValueName) -> ByteCodes? {
    guard !outputNames.contains(value), let codes = byteCodes(value), let readers = consumers[value],
      readers.allSatisfy(isStatic)
    else { return nil }
    return codes
  }

  // MARK: places

  mutating func buffer(_ bytes: Int) -> Int {
    buffers.append(Buffer(bytes: bytes, first: steps.count, last: steps.count))
    return buffers.count - 1
  }

  /// Notes that the step about to be appended uses a place.
  mutating func touch(_ home: Place.Home, at step: Int) {
    guard case .buffer(let index) = home else { return }
    buffers[index].last = Swift.max(buffers[index].last, step)
  }

  mutating func constant(_ tensor: Tensor) -> Place.Home {
    constants.append(tensor)
    return .constant(constants.count - 1)
  }

  /// The places of a value; a constant gets its first one here.
  mutating func knownPlaces(_ value: ValueName) -> [Place] {
    if let known = places[value] { return known }
    guard let tensor = infos[value]?.constant else { return [] }
    let place = Place(form: Form(), home: constant(aligned(tensor)))
    places[value] = [place]
    return [place]
  }

  /// A constant whose address kernels can use: mapped ones may be unaligned.
  private func aligned(_ tensor: Tensor) -> Tensor {
    tensor.withBytes { bytes in
      guard let base = bytes.baseAddress, Int(bitPattern: base) % 8 != 0 else { return tensor }
      return Tensor(shape: tensor.shape, type: tensor.type) { $0.copyMemory(from: bytes) }
    }
  }

  /// The layout a value's first place has.
  mutating func layout(of value: ValueName) -> Layout { knownPlaces(value).first?.form.layout ?? .rowMajor }

  // MARK: steps

  mutating func append(_ call: KernelCall, info: StepInfo, reads: [Place.Home], writes: [Place.Home]) {
    let step = steps.count
    for home in reads + writes { touch(home, at: step) }
    var scratch: Int?
    let scratchBytes = (call.scratchBytes + 63) & ~63 + threads * call.scratchBytesPerThread
    if scratchBytes > 0 { scratch = buffer(scratchBytes) }
    steps.append(Step(info: info, work: .call(call, reads: reads, writes: writes), scratch: scratch))
    packedBytes += call.packedBytes
  }

  /// Compiles every node in order.
  mutating func lowerAll() throws {
    for input in graph.inputs {
      guard let info = infos[input.name], let shape = info.shape else { continue }
      let index = buffer(info.type.byteCount(shape.elementCount))
      buffers[index].first = -1
      buffers[index].last = Int.max
      places[input.name] = [Place(form: Form(), home: .buffer(index))]
    }
    var done: Set<Int> = []
    var pending: [Int: NodeGroup] = [:]
    var taken: Set<Int> = []
    for index in graph.nodes.indices where !done.contains(index) {
      if let group = pending.removeValue(forKey: index) {
        try emit(group, &done)
        continue
      }
      if taken.contains(index) { continue }
      let node = graph.nodes[index]
      if isKnown(node) { continue }
      if let op = node.op as? any Lowerable, let group = group(at: index, allowed: op.fusions, taken: taken),
        let last = group.nodes.last, last != index
      {
        taken.formUnion(group.nodes)
        pending[last] = group
        continue
      }
      try emitAlone(index)
    }
  }

  /// Whether all outputs of a node are constants already.
  private func isKnown(_ node: Node) -> Bool {
    node.outputs.allSatisfy { $0.map { infos[$0]?.constant != nil } ?? true }
  }

  /// Emits a group as one step, or as far as its lowering goes.
  private mutating func emit(_ group: NodeGroup, _ done: inout Set<Int>) throws {
    if try lower(group) { return }
    // Without the sum, then node by node.
    if let residual = group.residual, let cut = group.nodes.firstIndex(of: residual.node) {
      var smaller = group
      smaller.residual = nil
      smaller.nodes = Array(group.nodes[..<cut])
      smaller.output = residual.branch
      if !(try lower(smaller)) {
        for index in smaller.nodes { try emitAlone(index) }
      }
      for index in group.nodes[cut...] { try emitAlone(index) }
      return
    }
    for index in group.nodes { try emitAlone(index) }
  }

  private mutating func emitAlone(_ index: Int) throws {
    let node = graph.nodes[index]
    if let output = node.outputs.first.flatMap({ $0 }) {
      if try lower(NodeGroup(primary: index, nodes: [index], output: output)) { return }
    }
    try emitReference(index)
  }

  /// Asks the lowering of a group's primary; `false` where it has no kernel.
  private mutating func lower(_ group: NodeGroup) throws -> Bool {
    let node = graph.nodes[group.primary]
    guard let op = node.op as? any Lowerable, node.capturedValues.isEmpty else { return false }
    let values = node.inputs.compactMap { $0 } + node.outputs.compactMap { $0 } + [group.output]
    for value in values {
      guard let info = infos[value], info.shape != nil, !info.type.isPacked else { return false }
    }
    guard let site = site(for: group) else { return false }
    let call: KernelCall?
    do {
      call = try op.lower(site)
    } catch {
      throw ExecutionError.node(node.name, operatorName: node.operatorName.text, reason: "\(error)")
    }
    guard let call else { return false }
    try emit(call, group)
    return true
  }

  private mutating func site(for group: NodeGroup) -> LoweringSite? {
    let node = graph.nodes[group.primary]
    var inputs: [LoweringSite.Operand?] = []
    for input in node.inputs { inputs.append(input.flatMap { operand($0, reader: group.primary) }) }
    var outputs: [OperandInfo] = []
    let wanted = (node.outputs.lastIndex { $0 != nil } ?? -1) + 1
    for output in node.outputs.prefix(wanted) {
      guard let output else {
        outputs.append(OperandInfo(type: .float32, shape: nil))
        continue
      }
      guard let info = infos[output] else { return nil }
      outputs.append(info)
    }
    var site = LoweringSite(
      name: node.name, inputs: inputs, outputs: outputs,
      layer: encoded.layers[node.name] ?? LayerEncoding(mode: .float), kernels: kernels)
    if site.layer.mode != .float,
      let role = (node.op as? any WeightedOperator)?.weightRoles(
        node.inputs.map { $0.flatMap { infos[$0] } }
      ).first, let bias = role.bias, node.inputs.indices.contains(bias),
      let name = node.inputs[bias]
    {
      site.encodedBias = encoded.biases[name]
    }
    site.outputCodes = wantedCodes(group.output)
    site.cache = cache
    site.epilogue.bias = group.bias
    site.epilogue.lower = group.lower
    site.epilogue.upper = group.upper
    site.epilogue.channelUpper = group.channelUpper
    if let residual = group.residual {
      guard let operand = operand(residual.value, reader: residual.node) else { return nil }
      var epilogue = Epilogue.Residual(
        operand: operand, branch: isStatic(residual.node) ? byteCodes(residual.branch) : nil)
      epilogue.lower = residual.lower
      epilogue.upper = residual.upper
      site.epilogue.residual = epilogue
    }
    return site
  }

  private mutating func operand(_ value: ValueName, reader: Int) -> LoweringSite.Operand? {
    guard let info = infos[value] else { return nil }
    return LoweringSite.Operand(
      info: info, layout: layout(of: value), codes: isStatic(reader) ? byteCodes(value) : nil,
      encoded: mode(of: reader) == .float ? nil : encoded.weights[value],
      extremes: extremes[value]?.perImage)
  }

  /// Whether a layer that encodes it at run time reads this value.
  private func isEncodedLater(_ value: ValueName) -> Bool {
    infos[value]?.type == .float32 && (consumers[value] ?? []).contains { mode(of: $0) == .dynamic }
  }

  private mutating func emit(_ plain: KernelCall, _ group: NodeGroup) throws {
    let node = graph.nodes[group.primary]
    var call = plain
    let parts = isEncodedLater(group.output) ? plain.parts : nil
    if let parts { call = plain.findingExtremes(of: parts, kernels) }
    var reads: [Place.Home] = []
    for read in call.reads {
      let value: ValueName?
      switch read.source {
      case .input(let index): value = node.inputs[index]
      case .residual: value = group.residual?.value
      case .extremes(let index):
        guard let found = node.inputs[index].flatMap({ extremes[$0] }) else {
          preconditionFailure("a lowering reads extremes that were found")
        }
        reads.append(found.home)
        continue
      }
      guard let value else { preconditionFailure("a lowering reads operands the node has") }
      reads.append(try bring(value, read.form))
    }
    let outputs = [group.output as ValueName?] + node.outputs.dropFirst()
    var writes: [Place.Home] = []
    for (index, output) in outputs.enumerated() {
      let form = index < call.writes.count ? call.writes[index] : Form()
      let home: Place.Home
      if index == 0, call.isAlias {
        home = reads[0]
      } else {
        let bytes: Int
        if let output, let info = infos[output], let shape = info.shape {
          bytes = shape.elementCount * form.elementBytes(info.type)
        } else {
          bytes = 0
        }
        home = .buffer(buffer(bytes))
      }
      writes.append(home)
      if let output { places[output] = [Place(form: form, home: home)] }
    }
    if call.isAlias {
      for read in reads { touch(read, at: steps.count) }
      return
    }
    if let parts, let images = infos[group.output]?.shape?.first {
      let home = Place.Home.buffer(buffer(images * parts.perImage * 8))
      writes.append(home)
      extremes[group.output] = (home, parts.perImage)
    }
    append(call, info: info(of: call, group), reads: reads, writes: writes)
  }

  private func info(of call: KernelCall, _ group: NodeGroup) -> StepInfo {
    let node = graph.nodes[group.primary]
    let operands = node.inputs.map { $0.flatMap { infos[$0] } }
    let results = node.outputs.map { $0.flatMap { infos[$0] } ?? OperandInfo(type: .float32, shape: nil) }
    var read = call.packedBytes
    for item in call.reads {
      let value: ValueName? =
        switch item.source {
        case .input(let index): node.inputs[index]
        case .residual: group.residual?.value
        case .extremes: nil
        }
      if let value, let info = infos[value], let shape = info.shape {
        read += shape.elementCount * item.form.elementBytes(info.type)
      }
    }
    var written = 0
    for (index, info) in results.enumerated() {
      guard let shape = info.shape, index < call.writes.count else { continue }
      written += shape.elementCount * call.writes[index].elementBytes(info.type)
    }
    return StepInfo(
      name: node.name, nodes: group.nodes.map { graph.nodes[$0].name }, kernel: call.kernel,
      macs: (node.op as? any WeightedOperator)?.multiplyAccumulates(operands, results) ?? 0, bytesRead: read,
      bytesWritten: written, mode: mode(of: group.primary))
  }
}
