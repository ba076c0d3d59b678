import Execution
import Formats
import Graph
import Operators
import Quantization
import Tensors
import Workflows

/// A model file and the float graph it stands for.
struct TwinFile {
  var path: String
  var format: String
  var source: Graph
  var twin: FloatTwin

  /// - Errors: what reading the file or one of its operators throws.
  init(path: String) throws {
    self.path = path
    let file = try ModelFile(path)
    (source, format) = (file.source, file.format)
    twin = try FloatTwin(source)
  }

  /// Whether batch norm and constants can be folded.
  var isFoldable: Bool { !twin.hasIntegerProducts }

  /// Whether weights lie before a batch norm that cannot be folded into them.
  var keepsNorms: Bool { !isFoldable && source.nodes.contains { $0.op is BatchNormalization } }
}

/// A model file as `diff` sees it: every weight and bias as real numbers, with how the file stores it.
struct StoredModel {
  /// One weight or bias of one layer.
  struct Constant {
    enum Role: String, Encodable { case weight, bias }

    var layer: String
    var operatorName: String
    var role: Role
    /// Index among the node's inputs.
    var input: Int
    /// Axis of the output channels.
    var channelAxis: Int
    /// float32.
    var tensor: Tensor
    var stored: DiffReport.Stored
  }

  var path: String
  var graph: Graph
  var constants: [Constant]
  var activations: [ValueName: StoredActivation]
  /// Values with a range found when the model runs.
  var dynamicValues: Set<ValueName>
  /// Whether batch norm and constants were folded, as before quantizing.
  var isSimplified: Bool
  var hasIntegerProducts: Bool
  var facts: DiffReport.Side

  /// - Parameter isFolded: fold batch norm and constants, as before quantizing; not for integer products.
  /// - Errors: what folding throws.
  init(_ file: TwinFile, isFolded: Bool) throws {
    let twin = file.twin
    path = file.path
    activations = twin.activations
    dynamicValues = twin.dynamicValues
    isSimplified = isFolded
    hasIntegerProducts = twin.hasIntegerProducts
    graph = isFolded ? try simplified(twin.graph, inputShapes: nil) : twin.graph
    constants = Self.constants(of: graph, twin: twin)
    let source = file.source
    let weights = constants.filter { $0.role == .weight }
    let bytes = weights.reduce(0) { $0 + $1.stored.bytes }
    let elements = weights.reduce(0) { $0 + $1.tensor.count }
    facts = DiffReport.Side(
      path: path, format: file.format, producer: source.metadata[MetadataKey.producerName],
      opsets: Dictionary(
        source.opsets.map { ($0.key.isEmpty ? "ai.onnx" : $0.key, $0.value) }, uniquingKeysWith: Swift.max),
      sizeBytes: Model.bytes(ofFile: path),
      constantBytes: source.constants.values.reduce(0) { $0 + $1.byteCount },
      weights: weights.count, quantizedWeights: weights.count { $0.stored.isQuantized },
      weightElements: elements, weightBytes: bytes,
      bitsPerWeight: elements > 0 ? 8 * Double(bytes) / Double(elements) : nil,
      encodedActivations: twin.activations.count, dynamicActivations: twin.dynamicValues.count,
      nodes: source.nodes.count)
  }

  private static func constants(of graph: Graph, twin: FloatTwin) -> [Constant] {
    var infos: [ValueName: OperandInfo] = [:]
    for (name, tensor) in graph.constants {
      // Half-precision weights are compared as float32.
      let real = tensor.type.isFloatingPoint ? tensor.converted(to: .float32) : tensor
      infos[name] = OperandInfo(type: real.type, shape: real.shape, constant: real)
    }
    // Roles ask for no more of an activation than that it is one.
    for node in graph.nodes {
      for case let input? in node.inputs where infos[input] == nil {
        infos[input] = OperandInfo(type: .float32, shape: nil)
      }
    }
    // Folding may rename a constant, but a layer keeps its name.
    var places: [String: ValueName] = [:]
    for node in twin.graph.nodes {
      for (index, input) in node.inputs.enumerated() { places["\(node.name)\n\(index)"] = input }
    }
    func stored(_ node: Node, _ input: Int, _ value: ValueName, _ tensor: Tensor) -> DiffReport.Stored {
      let original = places["\(node.name)\n\(input)"]
      if let codes = twin.stored[value] ?? original.flatMap({ twin.stored[$0] }) {
        return DiffReport.Stored(codes, elements: tensor.count)
      }
      let kept = twin.origin(value) ?? original.flatMap { twin.origin($0) }
      return DiffReport.Stored(name: value, type: kept?.type ?? .float32, elements: tensor.count)
    }
    return graph.nodes.flatMap { node in
      node.weights(infos).filter { !twin.tableNumbers.contains($0.value) }.flatMap { weight -> [Constant] in
        var inputs = [(Constant.Role.weight, weight.role.input, weight.role.channelAxis)]
        if let bias = weight.role.bias { inputs.append((.bias, bias, 0)) }
        return inputs.compactMap { role, input, axis in
          guard node.inputs.indices.contains(input), let value = node.inputs[input],
            let tensor = infos[value]?.constant, tensor.type == .float32
          else { return nil }
          return Constant(
            layer: node.name, operatorName: node.operatorName.text, role: role, input: input,
            channelAxis: axis, tensor: tensor, stored: stored(node, input, value, tensor))
        }
      }
    }
  }
}

extension DiffReport.Stored {
  init(_ codes: StoredCodes, elements: Int) {
    name = codes.name
    type = codes.type.name
    isQuantized = true
    bits = codes.bits
    granularity = codes.granularity
    scales = codes.scales.count
    scaleMin = codes.scales.min()
    scaleMax = codes.scales.max()
    codeRange = [codes.codes.lowerBound, codes.codes.upperBound]
    bytes = codes.bytes
    bitsPerElement = elements > 0 ? 8 * Double(codes.bytes) / Double(elements) : nil
    numbers = (codes.scales, codes.zeroPoints)
  }

  init(name: String, type: ElementType, elements: Int) {
    self.name = name
    self.type = type.name
    isQuantized = false
    bits = type.bits
    bytes = type.byteCount(elements)
    bitsPerElement = elements > 0 ? Double(type.bits) : nil
  }
}
