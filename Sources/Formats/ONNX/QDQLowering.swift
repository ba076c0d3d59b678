import Graph
import Operators
import Tensors

/// Writes encodings into a graph as QuantizeLinear and DequantizeLinear nodes: the form other runtimes read.
///
/// - Static layers read QuantizeLinear → DequantizeLinear of every encoded value; weights are stored as codes before a
///   DequantizeLinear, biases as int32 codes before one.
/// - Weight-only layers have the DequantizeLinear of the weight alone.
///   A weight-only MatMul is a MatMulNBits that keeps its activations in float (`appendBlockProduct`).
/// - Lookups (Gather) take the codes of the rows and make those real.
/// - Dynamic layers become DynamicQuantizeLinear → MatMulInteger or ConvInteger → Cast → Mul → Add; where every row has
///   a range of its own, elementary operators find and apply it (`rowOperand`).
///
/// 4- and 2-bit codes are stored as int4 or uint4, others in 8 bits; groups become blocks (opset 21).
struct QDQLowering {
  let model: EncodedGraph
  let path: String
  var constants: [ValueName: Tensor]
  var nodes: [Node] = []
  /// The lowest opset that has the forms used.
  var opset = 13
  var warnings = QDQWarnings()
  private var taken: Set<String>
  private var takenNodes: Set<String>
  /// Dequantized twins of values, constants and biases that are already written.
  private var dequantized: [ValueName: ValueName] = [:]
  private var dynamic: [ValueName: DynamicOperand] = [:]
  /// Codes and scales of tables that are looked up, by the name they were asked under.
  var lookupConstants: [String: ValueName] = [:]
  var rowOperands: [RowKey: DynamicOperand] = [:]

  /// Codes, scale and zero point of a value quantized at run time.
  struct DynamicOperand {
    var codes: ValueName
    var scale: ValueName
    var zeroPoint: ValueName
  }

  init(_ model: EncodedGraph, path: String) {
    self.model = model
    self.path = path
    constants = model.graph.constants
    taken = Set(constants.keys).union(model.graph.inputs.map(\.name))
    for node in model.graph.nodes {
      taken.formUnion(node.outputs.compactMap { $0 })
      taken.formUnion(node.capturedValues)
    }
    takenNodes = Set(model.graph.nodes.map(\.name))
  }

  /// The graph with its encodings written out.
  mutating func lowered() throws -> Graph {
    for node in model.graph.nodes {
      switch model.layers[node.name]?.mode ?? .float {
      case .float: nodes.append(node)
      case .static, .qat: if try !appendLookup(node) { nodes.append(try reading(node, activations: true)) }
      case .weightOnly:
        if try !appendLookup(node), try !appendBlockProduct(node) {
          nodes.append(try reading(node, activations: false))
        }
      case .dynamic:
        if try !appendDynamic(node), try !appendLookup(node) {
          if node.inputs.contains(where: { $0.map { model.weights[$0] != nil } ?? false }) {
            warnings.add(.dynamicAsWeightOnly, node.name)
          }
          nodes.append(try reading(node, activations: false))
        }
      }
    }
    var graph = model.graph
    graph.nodes = nodes
    graph.constants = constants
    dropUnreadConstants(&graph)
    return graph
  }

  /// The node with its encoded inputs replaced by their dequantized twins.
  private mutating func reading(_ node: Node, activations: Bool) throws -> Node {
    var node = node
    for i in node.inputs.indices {
      guard let name = node.inputs[i] else { continue }
      if let weight = model.weights[name] {
        node.inputs[i] = try dequantizedWeight(name, weight)
      } else if activations, let bias = model.biases[name] {
        node.inputs[i] = try dequantizedBias(name, bias)
      } else if activations, let encoding = model.activations[name] {
        node.inputs[i] = try dequantizedActivation(name, encoding)
      }
    }
    return node
  }

  // MARK: Activations

  private mutating func dequantizedActivation(_ name: ValueName, _ encoding: Encoding) throws -> ValueName {
    if let twin = dequantized[name] { return twin }
    let type = Self.activationType(encoding.scheme)
    if encoding.scheme.bits > 8 { opset = max(opset, 21) }
    let scale = add(Tensor(scalar: encoding.scales[0]), "\(name)_scale")
    let zero = add(integers([encoding.zeroPoints[0]], shape: [], type: type), "\(name)_zero_point")
    var source = name
    if let clip = Self.clip(encoding, type) {
      warnings.add(.narrowActivation, name)
      let lower = add(Tensor(scalar: clip.lowerBound), "\(name)_lowest")
      let upper = add(Tensor(scalar: clip.upperBound), "\(name)_highest")
      source = try append("Clip", [name, lower, upper], "\(name)_clipped")
    }
    let codes = try append("QuantizeLinear", [source, scale, zero], "\(name)_q")
    let twin = try append("DequantizeLinear", [codes, scale, zero], "\(name)_dq")
    dequantized[name] = twin
    return twin
  }

  /// The container of activation codes: unsigned for affine schemes, 8 or 16 bits.
  static func activationType(_ scheme: Scheme) -> ElementType {
    switch (scheme.symmetry, scheme.bits > 8) {
    case (.affine, false): .uint8
    case (.affine, true): .uint16
    case (.symmetric, false): .int8
    case (.symmetric, true): .int16
    }
  }

  /// The real numbers to clip to where the codes are narrower than their container, else `nil`.
  ///
  /// −127…127 counts as all of int8: one step beyond does not justify a node that keeps runtimes from fusing.
  static func clip(_ encoding: Encoding, _ type: ElementType) -> ClosedRange<Float>? {
    let half = Int32(1) << Int32(type.bits - 1)
    let full = type.isSignedInteger ? -half + 1...half - 1 : 0...2 * half - 1
    guard encoding.codes.lowerBound > full.lowerBound || encoding.codes.upperBound < full.upperBound else {
      return nil
    }
    return encoding.real(encoding.codes.lowerBound)...encoding.real(encoding.codes.upperBound)
  }

  // MARK: Constants

  private mutating func dequantizedWeight(_ name: ValueName, _ weight: EncodedTensor) throws -> ValueName {
    if let twin = dequantized[name] { return twin }
    let encoding = weight.encoding
    guard weight.hasEvenCodes, encoding.minimums == nil else {
      warnings.add(.blocksAsFloats, name)
      let real = add(Tensor(decodedFloats(weight), shape: weight.codes.shape), "\(name)_decoded")
      dequantized[name] = real
      return real
    }
    let type = ONNX.weightContainer(encoding.scheme)
    if type.bits < 8 { opset = max(opset, 21) }
    if type.bits == 8 && encoding.scheme.bits < 8 { warnings.add(.wideContainer, name) }
    let codes = add(
      type.bits == 8 ? weight.codes : Tensor(unpacked: weight.codes, type: type), "\(name)_quantized")
    var attributes: Attributes = [:]
    let shape: Shape
    switch encoding.scheme.granularity {
    case .tensor: shape = []
    case .channel:
      shape = [encoding.scales.count]
      attributes["axis"] = .int(encoding.channelAxis ?? 0)
    case .group(let size):
      shape = EncodedTensor.scaleShape(of: weight.codes.shape, encoding: encoding)
      attributes["axis"] = .int(encoding.groupAxis ?? 0)
      attributes["block_size"] = .int(size)
      opset = max(opset, 21)
    }
    let scale = add(Tensor(encoding.scales, shape: shape), "\(name)_scale")
    var inputs = [codes, scale]
    // Blocks without a zero point have zero; per tensor and channel it is written, as runtimes fuse by it.
    if attributes["block_size"] == nil || encoding.zeroPoints.contains(where: { $0 != 0 }) {
      inputs.append(add(integers(encoding.zeroPoints, shape: shape, type: type), "\(name)_zero_point"))
    }
    let twin = try append("DequantizeLinear", inputs, "\(name)_dq", attributes)
    dequantized[name] = twin
    return twin
  }

  private mutating func dequantizedBias(_ name: ValueName, _ bias: EncodedBias) throws -> ValueName {
    if let twin = dequantized[name] { return twin }
    let shape = model.graph.constants[name].map(\.shape) ?? bias.codes.shape
    let fits = shape.elementCount == bias.codes.count
    let codes = add(fits ? bias.codes.reshaped(shape) : bias.codes, "\(name)_quantized")
    let scaleShape: Shape = bias.scales.count == 1 ? [] : [bias.scales.count]
    let scale = add(Tensor(bias.scales, shape: scaleShape), "\(name)_quantized_scale")
    let zeros = [Int32](repeating: 0, count: bias.scales.count)
    let zero = add(Tensor(zeros, shape: scaleShape), "\(name)_quantized_zero_point")
    let axis = max(0, (fits ? shape.count : 1) - 1)
    let twin = try append(
      "DequantizeLinear", [codes, scale, zero], "\(name)_dq",
      scaleShape.isEmpty ? [:] : ["axis": .int(axis)])
    dequantized[name] = twin
    return twin
  }

  func integers(_ values: [Int32], shape: Shape, type: ElementType) -> Tensor {
    Tensor(integers: values.map { Int($0) }, shape: shape, type: type)
  }

  /// Removes constants, and inputs they are the defaults of, that only the float form read.
  private func dropUnreadConstants(_ graph: inout Graph) {
    var read = Set(graph.outputs.map(\.name))
    for node in graph.nodes {
      read.formUnion(node.inputs.compactMap { $0 })
      read.formUnion(node.capturedValues)
    }
    let replaced = Set(model.weights.keys).union(model.biases.keys).subtracting(read)
    graph.constants = graph.constants.filter { !replaced.contains($0.key) }
    graph.inputs.removeAll { replaced.contains($0.name) }
    graph.valueInfos = graph.valueInfos.filter { !replaced.contains($0.key) }
  }

  // MARK: Building

  /// Adds a constant under a name like `base` and returns the name.
  mutating func add(_ tensor: Tensor, _ base: String) -> ValueName {
    let name = fresh(base)
    constants[name] = tensor
    return name
  }

  mutating func fresh(_ base: String) -> ValueName {
    var name = base
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(base)_\(number)"
    }
    return name
  }

  /// Appends a node of ONNX's own domain and returns its output.
  mutating func append(
    _ type: String, _ inputs: [ValueName?], _ output: String, _ attributes: Attributes = [:]
  ) throws -> ValueName {
    let name = fresh(output)
    try append(type, inputs, [name], attributes)
    return name
  }

  mutating func append(
    _ type: String, domain: String = "", _ inputs: [ValueName?], _ outputs: [ValueName?],
    _ attributes: Attributes
  ) throws {
    guard let declaration = Catalog.find(domain: domain, type: type) else {
      throw ExportError(file: path, reason: .missingOperator(type))
    }
    // Short, as a file has hundreds of them.
    var name = outputs.lazy.compactMap { $0 }.first ?? type
    while !takenNodes.insert(name).inserted { name += "_" }
    let op = try declaration.init(attributes: attributes)
    nodes.append(Node(name: name, op: op, inputs: inputs, outputs: outputs))
  }

  /// The value quantized at run time, one range over the whole tensor, 8 bits unsigned.
  mutating func dynamicOperand(_ name: ValueName) throws -> DynamicOperand {
    if let known = dynamic[name] { return known }
    let result = DynamicOperand(
      codes: fresh("\(name)_quantized"), scale: fresh("\(name)_scale"), zeroPoint: fresh("\(name)_zero_point")
    )
    try append("DynamicQuantizeLinear", [name], [result.codes, result.scale, result.zeroPoint], [:])
    dynamic[name] = result
    return result
  }
}

extension ONNX {
  /// The element type that holds a weight's codes in a file: 4 bits for schemes of 2 and 4 bits, 8 for all others.
  package static func weightContainer(_ scheme: Scheme) -> ElementType {
    switch (scheme.symmetry, scheme.bits == 2 || scheme.bits == 4) {
    case (.symmetric, true): .int4
    case (.affine, true): .uint4
    case (.symmetric, false): .int8
    case (.affine, false): .uint8
    }
  }
}
