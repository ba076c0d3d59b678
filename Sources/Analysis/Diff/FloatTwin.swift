import Graph
import Operators
import Tensors

/// A quantized graph of any toolkit read back as the float graph it stands for, and beside it what was stored as codes.
///
/// - QuantizeLinear and DequantizeLinear go: around activations they become `activations`, around constants `stored`.
/// - MatMulNBits, QLinearConv, QLinearMatMul, ConvInteger and MatMulInteger become MatMul and Conv on real weights.
/// - A float graph is its own twin.
///
/// After integer products (`hasIntegerProducts`) the arithmetic around them stays as the file has it, so that the twin
/// then shows the layers and their weights but does not compute what the file computes.
struct FloatTwin {
  private(set) var graph: Graph
  /// By constant of `graph`.
  private(set) var stored: [ValueName: StoredCodes] = [:]
  /// By value of `graph`.
  private(set) var activations: [ValueName: StoredActivation] = [:]
  private(set) var hasIntegerProducts = false
  /// Constants that are scales or zero points of a table, looked up beside its codes.
  private(set) var tableNumbers: Set<ValueName> = []
  /// Values with a range found when the model runs.
  private(set) var dynamicValues: Set<ValueName> = []

  private let source: Graph
  private let producers: [ValueName: Int]
  private let consumers: [ValueName: [Int]]
  /// The twin's value for a value of the file.
  private var twins: [ValueName: ValueName] = [:]
  /// Values that are codes in the file and real in the twin.
  private var codeValues: Set<ValueName> = []
  private var evaluated: [ValueName: Tensor] = [:]

  init(_ source: Graph) throws {
    self.source = source
    graph = source
    graph.nodes = []
    producers = source.producers
    consumers = source.consumers
    for node in source.nodes { try read(node) }
    guard isQuantized else { return }
    // Declared types are those of codes.
    graph.valueInfos = [:]
    for (index, output) in graph.outputs.enumerated() {
      guard let twin = twins[output.name], twin != output.name else { continue }
      graph.nodes.append(
        try node("Identity", name: "\(output.name)_twin", inputs: [twin], output: output.name))
      graph.outputs[index].type = .float32
    }
  }

  /// Whether the file holds codes at all.
  var isQuantized: Bool { !stored.isEmpty || !activations.isEmpty || hasIntegerProducts }

  private mutating func read(_ node: Node) throws {
    let done =
      switch node.op {
      case let op as DequantizeLinear: try readDequantize(node, op)
      case is QuantizeLinear: readQuantize(node)
      case is DynamicQuantizeLinear: readDynamicQuantize(node)
      case let op as MatMulNBits: try readBlockProduct(node, op)
      case let op as QLinearConv: try readCodesProduct(node, "Conv", op.attributes, channelAxis: 0)
      case is QLinearMatMul: try readCodesProduct(node, "MatMul", [:], channelAxis: nil)
      case let op as ConvInteger: try readIntegerProduct(node, "Conv", op.attributes, channelAxis: 0)
      case is MatMulInteger: try readIntegerProduct(node, "MatMul", [:], channelAxis: nil)
      case is Gather: try readLookup(node)
      default: false
      }
    if !done { keep(node) }
  }

  /// Copies a node, its inputs replaced by their twins.
  private mutating func keep(_ node: Node) {
    var copy = node
    copy.inputs = node.inputs.map { $0.map(twin) }
    graph.nodes.append(copy)
    if node.inputs.contains(where: { $0.map(codeValues.contains) ?? false }) {
      codeValues.formUnion(node.outputs.compactMap { $0 })
    }
  }

  private func twin(_ name: ValueName) -> ValueName { twins[name] ?? name }

  // MARK: Activations and constants

  private mutating func readQuantize(_ node: Node) -> Bool {
    guard let x = node.input(0), let y = node.outputs[0], constant(x) == nil,
      let activation = activation(scale: node.input(1), zero: node.input(2))
    else { return false }
    activations[twin(x)] = activation
    twins[y] = twin(x)
    codeValues.insert(y)
    return true
  }

  private mutating func readDynamicQuantize(_ node: Node) -> Bool {
    guard let x = node.input(0), let y = node.outputs[0] else { return false }
    dynamicValues.insert(twin(x))
    twins[y] = twin(x)
    return false
  }

  private mutating func readDequantize(_ node: Node, _ op: DequantizeLinear) throws -> Bool {
    guard let x = node.input(0), let y = node.outputs[0], let scaleName = node.input(1),
      let scale = constant(scaleName)
    else { return false }
    if let codes = constant(x) {
      let zero = node.input(2).flatMap { constant($0) }
      let real = try op.evaluate([codes, scale, zero], outputs: 1, context: EvaluationContext())[0]
      graph.constants[y] = real.converted(to: .float32)
      stored[y] = StoredCodes(
        name: x, codes: codes, scale: scale, zero: zero, block: scale.count == 1 ? 0 : op.block,
        bytes: storedBytes(x))
      return true
    }
    guard codeValues.contains(x) else { return false }
    twins[y] = twin(x)
    if activations[twin(x)] == nil {
      activations[twin(x)] = activation(scale: scaleName, zero: node.input(2))
    }
    return true
  }

  private mutating func activation(scale: ValueName?, zero: ValueName?) -> StoredActivation? {
    guard let scale = scale.flatMap({ constant($0) }), scale.count == 1 else { return nil }
    let zero = zero.flatMap { constant($0) }
    return StoredActivation(
      type: zero?.type ?? .uint8, scale: scale.floats[0], zeroPoint: zero?.integers.first ?? 0)
  }

  // MARK: Products

  private mutating func readBlockProduct(_ node: Node, _ op: MatMulNBits) throws -> Bool {
    guard let x = node.input(0), let codesName = node.input(1), let codes = constant(codesName),
      let scales = node.input(2).flatMap({ constant($0) }), let y = node.outputs[0]
    else { return false }
    let zeroPoints = node.input(3).flatMap { constant($0) }
    let rows = try op.weight(codes: codes, scales: scales, zeroPoints: zeroPoints)
    let weight = "\(codesName)_twin"
    graph.constants[weight] = rows.gathering(shape: [op.k, op.n], strides: [1, op.k])
    stored[weight] = StoredCodes(op, name: codesName, codes: codes, scales: scales, zeroPoints: zeroPoints)
    guard let bias = node.input(5) else {
      graph.nodes.append(try self.node("MatMul", name: node.name, inputs: [twin(x), weight], output: y))
      return true
    }
    graph.nodes.append(
      try self.node("MatMul", name: node.name, inputs: [twin(x), weight], output: "\(y)_twin"))
    graph.nodes.append(
      try self.node("Add", name: "\(node.name)_twin", inputs: ["\(y)_twin", twin(bias)], output: y))
    return true
  }

  /// x, w and y each with scale and zero point, and a bias: the form that computes codes from codes.
  private mutating func readCodesProduct(
    _ node: Node, _ type: String, _ attributes: Attributes, channelAxis: Int?
  ) throws -> Bool {
    guard let x = node.input(0), let w = node.input(3), let codes = constant(w),
      let scale = node.input(4).flatMap({ constant($0) }), let y = node.outputs[0],
      let xActivation = activation(scale: node.input(1), zero: node.input(2)),
      let yActivation = activation(scale: node.input(6), zero: node.input(7))
    else { return false }
    let zero = node.input(5).flatMap { constant($0) }
    let weight = try add(w, codes, scale: scale, zero: zero, axis: channelAxis ?? codes.rank - 1)
    activations[twin(x)] = xActivation
    activations[y] = yActivation
    var inputs = [twin(x), weight]
    if let name = node.input(8), let bias = constant(name) {
      let factors = Tensor(scale.floats.map { $0 * xActivation.scale }, shape: scale.shape)
      inputs.append(try add(name, bias, scale: factors, zero: nil, axis: 0))
    }
    graph.nodes.append(
      try self.node(type, name: node.name, inputs: inputs, output: y, attributes: attributes))
    codeValues.insert(y)
    return true
  }

  /// x and w, their zero points, and the scales in a product after it.
  private mutating func readIntegerProduct(
    _ node: Node, _ type: String, _ attributes: Attributes, channelAxis: Int?
  ) throws -> Bool {
    guard let x = node.input(0), let w = node.input(1), let codes = constant(w), let y = node.outputs[0],
      let factors = factors(after: y)
    else { return false }
    let zero = node.input(3).flatMap { constant($0) }
    let weight = try add(w, codes, scale: factors.scale, zero: zero, axis: channelAxis ?? codes.rank - 1)
    graph.nodes.append(
      try self.node(type, name: node.name, inputs: [twin(x), weight], output: y, attributes: attributes))
    hasIntegerProducts = true
    return true
  }

  /// A table of codes whose rows become real after they were looked up.
  private mutating func readLookup(_ node: Node) throws -> Bool {
    guard let table = node.input(0), let codes = constant(table), codes.type.isInteger, codes.type.bits <= 8,
      codes.rank >= 2, let y = node.outputs[0], let factors = factors(after: y)
    else { return false }
    var copy = node
    copy.inputs = node.inputs.map { $0.map(twin) }
    copy.inputs[0] = try add(table, codes, scale: factors.scale, zero: factors.zero, axis: 0)
    graph.nodes.append(copy)
    hasIntegerProducts = true
    return true
  }

  /// The constant scales that integers are multiplied by on their way to real numbers, and a table's zero points.
  private mutating func factors(after value: ValueName) -> (scale: Tensor, zero: Tensor?)? {
    var value = value
    var zero: Tensor?
    while let reader = consumers[value]?.first {
      let node = source.nodes[reader]
      let others = node.inputs.compactMap { $0 }.filter { $0 != value }
      switch node.operatorName.type {
      case "Cast", "Identity": break
      case "Sub":
        if let other = others.first, let producer = producers[other], source.nodes[producer].op is Gather {
          zero = factor(other)
        }
      case "DequantizeLinear":
        guard let scale = node.input(1).flatMap({ constant($0) }) else { return nil }
        return (scale, node.input(2).flatMap { constant($0) })
      case "Mul": return others.first.flatMap { factor($0) }.map { ($0, zero) }
      default: return nil
      }
      guard let next = node.outputs[0] else { return nil }
      value = next
    }
    return nil
  }

  /// A constant, rows looked up in one, or the constant side of a product.
  private mutating func factor(_ name: ValueName) -> Tensor? {
    if let tensor = constant(name) { return tensor }
    guard let producer = producers[name] else { return nil }
    let node = source.nodes[producer]
    switch node.operatorName.type {
    case "Gather":
      guard let table = node.input(0) else { return nil }
      tableNumbers.insert(table)
      return constant(table)
    case "Mul": return node.inputs.compactMap { $0 }.compactMap { constant($0) }.first
    default: return nil
    }
  }

  // MARK: Building

  /// Adds the real form of codes as a constant and returns its name.
  private mutating func add(
    _ name: ValueName, _ codes: Tensor, scale: Tensor, zero: Tensor?, axis: Int
  ) throws -> ValueName {
    let one = scale.count == 1
    func lined(_ tensor: Tensor) -> Tensor { tensor.reshaped(one ? [] : [tensor.count]) }
    var zeros = zero
    if let given = zero, given.count == 1, !one {
      zeros = Tensor(
        integers: scale.floats.map { _ in given.integers[0] }, shape: [scale.count], type: given.type)
    }
    let op = DequantizeLinear(axis: axis)
    let real = try op.evaluate(
      [codes, lined(scale), zeros.map(lined)], outputs: 1, context: EvaluationContext())[0]
    let twin = "\(name)_twin"
    graph.constants[twin] = real.converted(to: .float32)
    stored[twin] = StoredCodes(
      name: name, codes: codes, scale: scale, zero: zero, block: 0, bytes: storedBytes(name))
    return twin
  }

  private func node(
    _ type: String, name: String, inputs: [ValueName?], output: ValueName, attributes: Attributes = [:]
  ) throws -> Node {
    guard let declaration = Catalog.find(domain: "", type: type) else {
      preconditionFailure("\(type) is in the catalogue")
    }
    return Node(
      name: name, op: try declaration.init(attributes: attributes), inputs: inputs, outputs: [output])
  }

  // MARK: Constants of the file

  /// Operators that a constant passes through on its way to a layer.
  private static let carriers: Set<String> = [
    "Constant", "Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "QuantizeLinear",
  ]

  /// The tensor a value always is: a constant, or one that carriers made of constants.
  private mutating func constant(_ name: ValueName) -> Tensor? {
    if let tensor = source.constants[name] ?? evaluated[name] { return tensor }
    guard let producer = producers[name], source.nodes[producer].outputs.count == 1,
      Self.carriers.contains(source.nodes[producer].operatorName.type)
    else { return nil }
    let node = source.nodes[producer]
    var operands: [Tensor?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard let operand = constant(input) else { return nil }
      operands.append(operand)
    }
    guard let result = try? node.op.evaluate(operands, outputs: 1, context: EvaluationContext()) else {
      return nil
    }
    evaluated[name] = result[0]
    return result[0]
  }

  /// The constant that carriers made a value of, as the file stores it.
  func origin(_ name: ValueName) -> Tensor? {
    if let tensor = source.constants[name] { return tensor }
    guard let producer = producers[name], Self.carriers.contains(source.nodes[producer].operatorName.type)
    else { return nil }
    return source.nodes[producer].input(0).flatMap(origin) ?? evaluated[name]
  }

  private func storedBytes(_ name: ValueName) -> Int { origin(name)?.byteCount ?? 0 }
}

extension Node {
  /// The name of an input, `nil` where it is absent.
  fileprivate func input(_ index: Int) -> ValueName? { inputs.indices.contains(index) ? inputs[index] : nil }
}
