import Foundation
import Graph
import Operators
import SwiftProtobuf
import Tensors

/// Turns a graph into ONNX's messages and writes them.
///
/// Constants are written in an order of their names, so that the same graph gives the same bytes. Their bytes go from
/// the tensors into the file: the messages hold none of them.
struct ModelWriter {
  let path: String
  /// Total size of constants, in bytes, above which they go to a file beside the model: protobuf ends at 2 GB.
  var externalAbove = 2_000_000_000
  private var external: OutputFile?
  /// The graph's constants as messages, and the bytes to add to each that is not held elsewhere.
  private var initializers: [(message: Onnx_TensorProto, bytes: Tensor?)] = []

  init(path: String) { self.path = path }

  /// - `atLeast`: an opset that some node needs though its declaration does not say so.
  mutating func write(_ graph: Graph, atLeast: Int = 13) throws {
    let size = graph.constants.values.reduce(0) { $0 + $1.byteCount }
    let dataPath = path + ".data"
    if size > externalAbove { external = try OutputFile(path: dataPath) }
    var model = try self.model(graph, opset: Self.opset(of: graph, atLeast: atLeast))
    let body = model.graph
    model.clearGraph()
    let file = try OutputFile(path: path)
    try file.write(try model.serializedBytes())
    try write(body, to: file)
    try external?.commit()
    try file.commit()
  }

  /// Writes the model's graph with the initializers.
  ///
  /// A message's fields may come in any order, and parts of one field add up, so that what is large is added as it is.
  private func write(_ graph: Onnx_GraphProto, to file: OutputFile) throws {
    let body: [UInt8] = try graph.serializedBytes()
    let heads = try initializers.map { initializer in
      var head: [UInt8] = try initializer.message.serializedBytes()
      guard let bytes = initializer.bytes else { return (head: head, count: head.count) }
      head += Self.prefix(field: 9, count: bytes.byteCount)
      return (head: head, count: head.count + bytes.byteCount)
    }
    let prefixes = heads.map { Self.prefix(field: 5, count: $0.count) }
    let count = zip(prefixes, heads).reduce(body.count) { $0 + $1.0.count + $1.1.count }
    try file.write(Self.prefix(field: 7, count: count))
    try file.write(body)
    for (index, initializer) in initializers.enumerated() {
      try file.write(prefixes[index] + heads[index].head)
      try initializer.bytes.map { try Self.write($0, to: file) }
    }
  }

  private static func write(_ tensor: Tensor, to file: OutputFile) throws(ExportError) {
    var failure: ExportError?
    tensor.withBytes { bytes in
      do throws(ExportError) { try file.write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// What precedes a field of `count` bytes: its number with wire type 2, and its length.
  /// - Source: Protocol Buffers, *Encoding*.
  private static func prefix(field: UInt8, count: Int) -> [UInt8] {
    var bytes = [field << 3 | 2]
    var rest = count
    while rest > 127 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private mutating func model(_ graph: Graph, opset: Int) throws(ExportError) -> Onnx_ModelProto {
    var model = Onnx_ModelProto()
    model.irVersion = Int64(Self.irVersion(opset: opset))
    model.producerName = graph.metadata[MetadataKey.producerName] ?? "lathe"
    model.producerVersion = graph.metadata[MetadataKey.producerVersion] ?? ""
    model.domain = graph.metadata[MetadataKey.domain] ?? ""
    model.modelVersion = graph.metadata[MetadataKey.modelVersion].flatMap { Int64($0) } ?? 0
    model.docString = graph.metadata[MetadataKey.documentation] ?? ""
    model.metadataProps = graph.metadata.sorted { $0.key < $1.key }.compactMap { key, value in
      guard key.hasPrefix(MetadataKey.property) else { return nil }
      return .with {
        $0.key = String(key.dropFirst(MetadataKey.property.count))
        $0.value = value
      }
    }
    var versions = Self.domains(of: graph).mapValues { $0 }
    for domain in versions.keys { versions[domain] = graph.opsets[domain] ?? versions[domain] }
    versions[""] = opset
    model.opsetImport = versions.sorted { $0.key < $1.key }.map { domain, version in
      .with {
        $0.domain = domain
        $0.version = Int64(version)
      }
    }
    model.graph = try message(graph)
    for (name, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
      initializers.append(try initializer(tensor, name: name))
    }
    return model
  }

  /// A graph's message without its constants.
  private func message(_ graph: Graph) throws(ExportError) -> Onnx_GraphProto {
    var result = Onnx_GraphProto()
    result.name = graph.name.isEmpty ? "graph" : graph.name
    for node in graph.nodes { result.node.append(try message(node)) }
    result.input = graph.inputs.map(message)
    result.output = graph.outputs.map(message)
    let edges = Set(graph.inputs.map(\.name) + graph.outputs.map(\.name))
    result.valueInfo = graph.valueInfos.values.filter { !edges.contains($0.name) }
      .sorted { $0.name < $1.name }.map(message)
    return result
  }

  private func message(_ node: Node) throws(ExportError) -> Onnx_NodeProto {
    if let attention = node.op as? Attention, attention.window > 0 {
      throw ExportError(
        file: path,
        reason: .unsupported(
          "node \"\(node.name)\": ONNX's Attention has no window of keys. Write the model as GGUF."))
    }
    var result = Onnx_NodeProto()
    result.name = node.name
    result.opType = node.operatorName.type
    result.domain = node.operatorName.domain
    result.input = node.inputs.map { $0 ?? "" }
    result.output = node.outputs.map { $0 ?? "" }
    for (name, value) in node.op.attributes.sorted(by: { $0.key < $1.key }) {
      result.attribute.append(try message(value, name: name))
    }
    return result
  }

  private func message(
    _ attribute: Attribute, name: String
  ) throws(ExportError) -> Onnx_AttributeProto {
    var result = Onnx_AttributeProto()
    result.name = name
    switch attribute {
    case .int(let x):
      result.type = .int
      result.i = Int64(x)
    case .float(let x):
      result.type = .float
      result.f = x
    case .string(let x):
      result.type = .string
      result.s = Data(x.utf8)
    case .ints(let x):
      result.type = .ints
      result.ints = x.map { Int64($0) }
    case .floats(let x):
      result.type = .floats
      result.floats = x
    case .strings(let x):
      result.type = .strings
      result.strings = x.map { Data($0.utf8) }
    case .tensor(let x):
      result.type = .tensor
      result.t = inline(x, name: "")
    case .graph(let x):
      result.type = .graph
      result.g = try message(x)
      for (name, tensor) in x.constants.sorted(by: { $0.key < $1.key }) {
        result.g.initializer.append(inline(tensor, name: name))
      }
    }
    return result
  }

  private func head(_ tensor: Tensor, name: String) -> Onnx_TensorProto {
    .with {
      $0.name = name
      $0.dims = tensor.shape.map { Int64($0) }
      $0.dataType = Int32(tensor.type.rawValue)
    }
  }

  private func inline(_ tensor: Tensor, name: String) -> Onnx_TensorProto {
    var result = head(tensor, name: name)
    result.rawData = tensor.withBytes { Data($0) }
    return result
  }

  private func initializer(
    _ tensor: Tensor, name: String
  ) throws(ExportError) -> (message: Onnx_TensorProto, bytes: Tensor?) {
    var message = head(tensor, name: name)
    guard let external, tensor.byteCount >= 1024 else { return (message, tensor) }
    // Aligned, so that readers can map the file.
    try external.pad(to: 4096)
    let offset = external.count
    try Self.write(tensor, to: external)
    message.dataLocation = .external
    message.externalData = [
      ("location", external.path.split(separator: "/").last.map(String.init) ?? external.path),
      ("offset", String(offset)), ("length", String(tensor.byteCount)),
    ].map { key, value in
      .with {
        $0.key = key
        $0.value = value
      }
    }
    return (message, nil)
  }

  private func message(_ info: ValueInfo) -> Onnx_ValueInfoProto {
    .with { message in
      message.name = info.name
      guard let type = info.type else { return }
      message.type.tensorType.elemType = Int32(type.rawValue)
      guard let dimensions = info.dimensions else { return }
      message.type.tensorType.shape.dim = dimensions.map { dimension in
        .with {
          switch dimension {
          case .fixed(let size): $0.dimValue = Int64(size)
          case .free(let name) where !name.isEmpty: $0.dimParam = name
          case .free: break
          }
        }
      }
    }
  }
}

extension ModelWriter {
  /// The lowest opset in which every node means what the catalogue's form means: that of the file, raised to the last
  /// change of form of every operator used.
  static func opset(of graph: Graph, atLeast: Int) -> Int {
    var result = max(atLeast, graph.opsets[""] ?? 0)
    forEachNode(of: graph) { node in
      let name = node.operatorName
      guard name.domain.isEmpty else { return }
      for upgrade in type(of: node.op).upgrades { result = max(result, upgrade.before) }
      // A graph that came from no ONNX file may use operators of any age.
      if graph.opsets[""] == nil { result = max(result, name.since) }
    }
    return result
  }

  /// Domains in use, with the version of their newest operator.
  private static func domains(of graph: Graph) -> [String: Int] {
    var result: [String: Int] = [:]
    forEachNode(of: graph) { node in
      let name = node.operatorName
      result[name.domain] = max(name.since, result[name.domain] ?? 1)
    }
    return result
  }

  private static func forEachNode(of graph: Graph, _ body: (Node) -> Void) {
    for node in graph.nodes {
      body(node)
      for case .graph(let inner) in node.op.attributes.values { forEachNode(of: inner, body) }
    }
  }

  /// The IR version published together with an opset.
  static func irVersion(opset: Int) -> Int {
    switch opset {
    case ...18: 8
    case 19, 20: 9
    case 21, 22: 10
    case 23: 11
    case 24: 12
    default: 13
    }
  }
}
