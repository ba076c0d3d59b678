import Graph
import Tensors

/// What a model's constants take, by DESIGN's definitions: the one place where sizes are counted.
package struct Sizes: Sendable, Hashable {
  /// Constants in use: float ones at 4 bytes each, quantized ones in their container, with scales and zero points.
  package var weightBytes: Int
  /// The same with every code at its own width.
  package var packedBytes: Int
  /// Elements of float constants in use.
  package var parameters: Int
  /// Elements of weights that can be quantized.
  package var quantizableElements: Int
  /// 8 · bytes of the quantizable weights over their number; `nil` where there are none.
  package var bitsPerWeight: Double?

  /// Sizes of a graph in float32.
  package init(_ graph: Graph, infos: [ValueName: OperandInfo] = [:]) {
    self.init(EncodedGraph(graph: graph), infos: infos)
  }

  /// Sizes of an encoded graph.
  ///
  /// A constant that quantized layers and others read is there in both forms.
  package init(_ encoded: EncodedGraph, infos: [ValueName: OperandInfo] = [:]) {
    let graph = encoded.graph
    var infos = infos
    for (name, tensor) in graph.constants {
      infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
    }
    weightBytes = 0
    packedBytes = 0
    parameters = 0
    quantizableElements = 0
    var quantizable = Set<ValueName>()
    var asCodes = Set<ValueName>()
    var asFloats = Set(graph.outputs.map(\.name))
    for node in graph.nodes {
      let weights = Set(node.weights(infos).map(\.value))
      quantizable.formUnion(weights)
      let isQuantized = (encoded.layers[node.name]?.mode ?? .float) != .float
      for case let value? in node.inputs {
        let isCodes =
          isQuantized
          && (weights.contains(value) && encoded.weights[value] != nil || encoded.biases[value] != nil)
        if isCodes { asCodes.insert(value) } else { asFloats.insert(value) }
      }
      asFloats.formUnion(node.capturedValues)
    }
    var quantizableBytes = 0
    for (name, tensor) in graph.constants where tensor.type.isFloatingPoint {
      var bytes = 0
      var packed = 0
      if asCodes.contains(name) {
        let codes = Self.bytes(encoded, name)
        bytes += codes.container
        packed += codes.packed
      }
      if asFloats.contains(name) {
        bytes += 4 * tensor.count
        packed += 4 * tensor.count
      }
      guard bytes > 0 else { continue }
      weightBytes += bytes
      packedBytes += packed
      parameters += tensor.count
      if quantizable.contains(name) {
        quantizableElements += tensor.count
        quantizableBytes += bytes
      }
    }
    for node in graph.nodes {
      for case .graph(let body) in node.op.attributes.values {
        let inner = Sizes(body, infos: infos)
        weightBytes += inner.weightBytes
        packedBytes += inner.packedBytes
        parameters += inner.parameters
      }
    }
    bitsPerWeight = quantizableElements > 0 ? 8 * Double(quantizableBytes) / Double(quantizableElements) : nil
  }

  /// Bytes of one quantized constant.
  private static func bytes(_ encoded: EncodedGraph, _ name: ValueName) -> (container: Int, packed: Int) {
    if let weight = encoded.weights[name] {
      let size = bytes(of: weight)
      return (size.container, size.packed)
    }
    let bias = encoded.biases[name].map { $0.codes.count * 4 } ?? 0
    return (bias, bias)
  }

  /// Bits of the container a file gives to codes of a width: ONNX Runtime runs 4 and 8 bits.
  package static func containerBits(_ bits: Int) -> Int { bits == 2 || bits == 4 ? 4 : 8 }

  /// Bytes of codes, scales and zero points: in the container files use, and at the codes' own width.
  ///
  /// Blocks are as files hold them.
  package static func bytes(of tensor: EncodedTensor) -> (container: Int, packed: Int) {
    if let blocks = tensor.blocks { return (blocks.byteCount, blocks.byteCount) }
    let encoding = tensor.encoding
    let bits = encoding.scheme.bits
    let container = containerBits(bits)
    let zeros = encoding.scheme.symmetry == .affine ? encoding.zeroPoints.count : 0
    func size(_ width: Int) -> Int {
      (tensor.codes.count * width + 7) / 8 + 4 * encoding.scales.count + (zeros * width + 7) / 8
    }
    return (size(container), size(bits))
  }
}
