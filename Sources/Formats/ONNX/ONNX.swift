import Graph
import Tensors

/// Open Neural Network Exchange: reads models of IR 3 and up, opset 7 and up.
package enum ONNX {
  /// The newest version of ONNX's own operators whose meaning is known here.
  static let newestOpset = 28

  /// Reads a model; weights stay in the mapped file.
  ///
  /// - Errors: `ImportError`.
  package static func read(path: String) throws(ImportError) -> Graph {
    let file = try MappedFile.forImport(path)
    var reader = FileReader(file)
    let model = try reader.model()
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: .file, reason: reason)
    }
    guard (1...64).contains(model.irVersion) else { throw failure(.notThisFormat(expected: "an ONNX model")) }
    guard let source = model.graph else { throw failure(.missing("the graph")) }
    var opsets = model.opsets
    for function in model.functions {
      for (domain, version) in function.opsets { opsets[domain] = max(version, opsets[domain] ?? version) }
    }
    for (domain, version) in opsets where version < 1 || domain.isEmpty && version > newestOpset {
      throw failure(.unsupported(what: "opset", found: "\(version) (known up to \(newestOpset))"))
    }
    var inlining = try FunctionInlining(model.functions, file: path, fileSize: file.bytes.count)
    let inlined = try inlining.inlined(source)
    var importer = GraphImporter(file: path, irVersion: model.irVersion, opsets: model.opsets)
    var graph = try importer.graph(inlined)
    graph.opsets = opsets
    graph.metadata = model.metadata
    return graph
  }

  /// Reads one tensor from a file of its own (`.pb`), as conformance tests keep them.
  package static func readTensor(path: String) throws(ImportError) -> Tensor {
    let file = try MappedFile.forImport(path)
    var reader = TensorReader(file)
    return try reader.tensor(WireReader(file)).tensor
  }

  /// Writes a model; encodings become QuantizeLinear and DequantizeLinear nodes (`QDQLowering`).
  ///
  /// - Parameter externalAbove: bytes of constants above which they go to `path.data`.
  /// - Returns: sentences about what the file cannot say.
  /// - Errors: `ExportError`.
  package static func write(
    _ model: EncodedGraph, path: String, externalAbove: Int = 2_000_000_000
  ) throws -> [String] {
    var writer = ModelWriter(path: path)
    writer.externalAbove = externalAbove
    guard !model.layers.isEmpty else {
      try writer.write(model.graph)
      return []
    }
    let (graph, opset, warnings) = try quantized(model, path: path)
    try writer.write(graph, atLeast: opset)
    return warnings
  }

  /// The graph with its encodings as nodes, as `write` writes it, and the lowest opset that has them.
  package static func quantized(
    _ model: EncodedGraph, path: String = ""
  ) throws -> (graph: Graph, opset: Int, warnings: [String]) {
    var lowering = QDQLowering(model, path: path)
    let graph = try lowering.lowered()
    return (graph, lowering.opset, lowering.warnings.sentences)
  }
}
