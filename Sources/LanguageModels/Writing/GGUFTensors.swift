import Formats
import Graph
import Operators
import Tensors

/// The tensors of a GGUF file, made from the constants of a candidate.
struct GGUFTensors {
  let model: LanguageModel
  let encoded: EncodedGraph
  /// Type of matrices that are neither encoded nor kept as the model's file holds them; `nil` for the file's own.
  let floats: ElementType?
  /// What the file cannot say as the candidate does.
  private(set) var notes: [String] = []
  /// Types of the matrices written, and how many numbers each holds.
  private(set) var counts: [String: Int] = [:]

  init(model: LanguageModel, encoded: EncodedGraph, floats: ElementType?) {
    self.model = model
    self.encoded = encoded
    self.floats = floats
  }

  /// One for each tensor of the file; rows are produced when they are written.
  mutating func outputs() throws -> [TensorOutput] {
    var outputs: [TensorOutput] = []
    for piece in model.ggufPieces { if let output = try self.output(piece) { outputs.append(output) } }
    return outputs
      + model.ggufRopeFactors.map { TensorOutput($0.name, Tensor($0.factors, shape: [$0.factors.count])) }
  }

  private mutating func output(_ piece: GGUFPiece) throws -> TensorOutput? {
    var sources: [RowSource] = []
    for part in piece.parts { sources.append(try source(part.constant, part.row)) }
    if let first = sources.first?.kind, !sources.allSatisfy({ $0.kind.id == first.id }) {
      let names = piece.parts.map(\.constant).joined(separator: ", ")
      notes.append("\(piece.name) is one tensor in GGUF, but \(names) have different types: it is F16.")
      sources = try piece.parts.map { try plainSource($0.constant, $0.row, type: .float16) }
    }
    guard let kind = sources.first?.kind else { return nil }
    var shape = sources[0].shape
    shape[0] = sources.reduce(0) { $0 + $1.shape[0] }
    if shape.count > 1 { counts[kind.name, default: 0] += shape.elementCount }
    let parts = sources
    return TensorOutput(piece.name, shape: shape, kind: StoredTensor.Kind(kind)) { sink in
      for part in parts { try part.write(to: sink) }
    }
  }

  private mutating func source(_ name: ValueName, _ row: TensorName) throws -> RowSource {
    if let weight = encoded.weights[name] {
      if let format = weight.encoding.scheme.format, let blocks = weight.blocks,
        let type = GGMLType.named(format)
      {
        return RowSource(shape: weight.codes.shape, kind: type, rows: blocks, order: model.ggufOrder(row))
      }
      notes.append("\(name): GGUF has no type for its scheme; its rounded values are written as F16.")
      return RowSource(
        shape: weight.codes.shape, floats: weight.decoded, type: .float16, order: model.ggufOrder(row))
    }
    let tensor = encoded.graph.constants[name]
    if let tensor, tensor.rank == 2, floats == nil, row.layer != "position-embedding",
      let stored = model.stored[name], let type = stored.type,
      let original = model.graph.constants[name], original.storage === tensor.storage,
      let rows = stored.bytes
    {
      return RowSource(shape: tensor.shape, kind: type, rows: rows, order: model.ggufOrder(row))
    }
    return try plainSource(name, row, type: floats ?? .float32)
  }

  /// The values as plain numbers: vectors and the table of positions in float32, which llama.cpp asks for.
  private func plainSource(_ name: ValueName, _ row: TensorName, type: ElementType) throws -> RowSource {
    guard let tensor = encoded.graph.constants[name] else {
      throw OperatorError("the graph has no constant \"\(name)\"")
    }
    let isWide = tensor.rank < 2 || row.layer == "position-embedding"
    let values = encoded.weights[name]?.decoded ?? tensor
    return RowSource(
      shape: tensor.shape, floats: values, type: isWide ? .float32 : type, order: model.ggufOrder(row))
  }
}

extension StoredRows {
  /// The type of the rows as GGUF numbers it.
  var type: GGMLType? { tensor.kind.ggmlType }

  /// The bytes of the rows, mapped: uint8 `[rows, bytes of a row]`.
  var bytes: Tensor? {
    guard let rowBytes = tensor.rowBytes else { return nil }
    return Tensor(
      shape: [rows.count, rowBytes], type: .uint8, storage: tensor.storage,
      byteOffset: rows.lowerBound * rowBytes)
  }
}

extension EncodedTensor {
  /// The reals its codes stand for.
  var decoded: Tensor { Tensor(decodedFloats(self), shape: codes.shape) }
}
