import Formats
import Graph
import Tensors

/// Rows of a file's tensor that are a matrix among a graph's constants, just as they lie there.
package struct StoredRows: Sendable {
  package let tensor: StoredTensor
  package let rows: Range<Int>

  /// The bytes, mapped: uint8 `[rows, bytes of a row]`; `nil` for plain numbers.
  package var blocks: Tensor? {
    guard let all = tensor.blocks else { return nil }
    return Tensor(
      shape: [rows.count, all.shape[1]], type: .uint8, storage: all.storage,
      byteOffset: all.byteOffset + rows.lowerBound * all.shape[1])
  }
}

/// Finds a graph's constants in the tensors of a file, by the names of the architecture's table.
final class WeightReader {
  enum Container { case folder, gguf }

  private let weights: WeightTable
  private let file: String
  private let container: Container
  private let architecture: Architecture
  private let configuration: DecoderConfiguration
  private let threads: Int
  /// Before every name of a folder.
  private let prefix: String
  /// Tensors that hold several constants, decoded once.
  private var shared: [String: Tensor] = [:]
  private var used: Set<String> = []
  private(set) var stored: [ValueName: StoredRows] = [:]
  /// The tensor each constant comes from, as it lies there or not.
  private(set) var origins: [ValueName: StoredTensor] = [:]

  init(
    _ weights: WeightTable, file: String, container: Container, architecture: Architecture,
    configuration: DecoderConfiguration, threads: Int
  ) {
    self.weights = weights
    self.file = file
    self.container = container
    self.architecture = architecture
    self.configuration = configuration
    self.threads = threads
    let anchors = ["embedding", "output"].compactMap { architecture.tensors.row($0)?.folder }
    prefix =
      container == .gguf
      ? ""
      : architecture.tensors.folderPrefixes.first { prefix in
        anchors.contains { weights[prefix + $0 + ".weight"] != nil }
      } ?? ""
  }

  private func fileName(_ layer: String, _ row: TensorName, _ kind: String) -> String {
    let block = TensorNames.split(layer).block
    return switch container {
    case .gguf: (block.map { "\(TensorNames.ggufBlock)\($0)." } ?? "") + row.gguf + "." + kind
    case .folder: folderName(block, row, kind)
    }
  }

  private func folderName(_ block: Int?, _ row: TensorName, _ kind: String) -> String {
    let name = (block.map { "\(architecture.tensors.folderBlock)\($0)." } ?? "") + row.folder + "." + kind
    // The output layer stands outside what the prefix is for.
    return weights[prefix + name] == nil && row.layer == "output" ? name : prefix + name
  }

  /// Whether a layer has a bias: what is optional is so for all blocks alike, and the first one tells.
  func hasBias(_ layer: String) -> Bool {
    guard let row = architecture.tensors.row(layer) else { return false }
    switch row.bias {
    case .never: return false
    case .always: return true
    case .perhaps:
      let first = TensorNames.split(layer).block == nil ? layer : "blocks/0/" + row.layer
      return weights[fileName(first, row, "bias")] != nil
    }
  }

  /// The constant of this name and shape as float32: mapped where the file allows.
  ///
  /// - Errors: `ImportError` for a tensor that is missing, of another shape or of a type that cannot be read.
  func constant(_ name: ValueName, _ shape: Shape) throws(ImportError) -> Tensor {
    guard let dot = name.lastIndex(of: "."), case let layer = String(name[..<dot]),
      let row = architecture.tensors.row(layer)
    else { preconditionFailure("\"\(name)\" is in no table of \(architecture.name)") }
    let kind = String(name[name.index(after: dot)...])
    let part = container == .gguf ? row.ggufPart : row.folderPart
    let isTransposed = container == .folder && row.isTransposed && shape.count == 2
    let tensor = try find(layer, row, kind)
    origins[name] = tensor
    var whole = shape
    whole[0] = rows(of: part, shape[0])
    let expected = isTransposed ? Array(whole.reversed()) : whole
    guard tensor.shape == expected else {
      throw ImportError(
        file: tensor.file, place: .tensor(tensor.name),
        reason: .shape(found: tensor.shape, expected: expected))
    }
    let floats = try floats(tensor, isShared: whole[0] != shape[0], isTransposed: isTransposed)
    let isLessOne = container == .folder && architecture.storesNormsLessOne && row.isNorm
    switch part {
    case .perHead(let index): return everyThird(floats, index, shape)
    case .whole, .queryKeyValue, .gateUp:
      let first = start(of: part)
      if shape.count == 2, !isTransposed {
        stored[name] = StoredRows(tensor: tensor, rows: first..<first + shape[0])
      }
      let result =
        whole == shape
        ? floats
        : Tensor(
          shape: shape, type: .float32, storage: floats.storage,
          byteOffset: floats.byteOffset + 4 * first * shape.dropFirst().reduce(1, *))
      return isLessOne ? Tensor(result.floats.map { $0 + 1 }, shape: shape) : result
    }
  }

  private func find(_ layer: String, _ row: TensorName, _ kind: String) throws(ImportError) -> StoredTensor {
    let name = fileName(layer, row, kind)
    if let tensor = weights[name] {
      used.insert(name)
      return tensor
    }
    // Two names for one table: some files keep the output layer's.
    if layer == "embedding", configuration.isTied, let other = architecture.tensors.row("output"),
      let tensor = weights[fileName("output", other, kind)]
    {
      used.insert(tensor.name)
      return tensor
    }
    throw ImportError(file: file, place: .file, reason: .missing("tensor \"\(name)\""))
  }

  private func floats(
    _ tensor: StoredTensor, isShared: Bool, isTransposed: Bool
  ) throws(ImportError) -> Tensor {
    if let known = shared[tensor.name] { return known }
    var floats = try tensor.floats(threads: threads)
    if isTransposed { floats = floats.transposedMatrix(threads: threads) }
    if isShared { shared[tensor.name] = floats }
    return floats
  }

  // MARK: Parts

  private var stack: [Int] {
    let keys = configuration.kvHeads * configuration.headSize
    return [configuration.heads * configuration.headSize, keys, keys]
  }

  /// Outputs of the file's tensor of which a constant of `count` outputs is this part.
  private func rows(of part: TensorName.Part, _ count: Int) -> Int {
    switch part {
    case .whole: count
    case .queryKeyValue: stack.reduce(0, +)
    case .gateUp: 2 * configuration.feedForward
    case .perHead: 3 * count
    }
  }

  private func start(of part: TensorName.Part) -> Int {
    switch part {
    case .whole, .perHead: 0
    case .queryKeyValue(let index): stack[..<index].reduce(0, +)
    case .gateUp(let index): index * configuration.feedForward
    }
  }

  /// Of rows `[heads, 3, size]` those with `index` in the middle.
  private func everyThird(_ x: Tensor, _ index: Int, _ shape: Shape) -> Tensor {
    let size = configuration.headSize
    let row = shape.dropFirst().reduce(4, *)
    return x.withBytes { bytes in
      Tensor(shape: shape, type: .float32) { out in
        for head in 0..<shape[0] / size {
          let from = (3 * head + index) * size * row
          UnsafeMutableRawBufferPointer(rebasing: out[head * size * row..<(head + 1) * size * row])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + size * row]))
        }
      }
    }
  }

  // MARK: What is left

  /// Tensors that some files hold beside the weights: masks and frequencies, which follow from the configuration, and
  /// parts for other senses.
  private static let otherEndings = [
    "rotary_emb.inv_freq", "attn.bias", "attn.masked_bias", "attention.bias", "attention.masked_bias",
    "rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight",
  ]
  private static let otherBeginnings = [
    "vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.",
  ]

  /// Refuses a file with tensors the graph does not use: its numbers would be wrong without them.
  func requireAllUsed() throws(ImportError) {
    let output = architecture.tensors.row("output").map { fileName("output", $0, "weight") }
    let tied = configuration.isTied ? output : nil
    for tensor in weights.tensors
    where !used.contains(tensor.name) && tensor.name != tied
      && !Self.otherEndings.contains(where: { tensor.name.hasSuffix($0) })
      && !Self.otherBeginnings.contains(where: { tensor.name.hasPrefix($0) })
    {
      throw ImportError(
        file: tensor.file, place: .tensor(tensor.name), reason: .unusedTensor(architecture: architecture.name)
      )
    }
  }
}

extension Tensor {
  /// A float32 matrix with its axes exchanged.
  func transposedMatrix(threads: Int) -> Tensor {
    let (rows, columns) = (shape[0], shape[1])
    return withElements(of: Float.self) { x in
      Tensor(of: Float.self, shape: [columns, rows]) { out in
        guard let base = out.baseAddress, let from = x.baseAddress else { return }
        nonisolated(unsafe) let start = base
        nonisolated(unsafe) let source = from
        parallel(columns, grain: max(1, 65536 / max(rows, 1)), threads: threads) { range in
          for column in range {
            for row in 0..<rows { start[column * rows + row] = source[row * columns + column] }
          }
        }
      }
    }
  }
}
