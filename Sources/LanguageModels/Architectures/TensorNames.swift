import Graph

/// What a family's files call the tensors of each layer: one row per layer.
struct TensorNames: Sendable {
  /// Layers there is one of, and layers that every block has.
  let single: [TensorName]
  let block: [TensorName]
  /// What stands before the number of a block in a folder, and before all names of a folder: the first prefix under
  /// which the embedding (or the output layer) is found.
  let folderBlock: String
  let folderPrefixes: [String]

  init(
    folderBlock: String, folderPrefixes: [String] = [""], single: [TensorName], block: [TensorName]
  ) {
    self.folderBlock = folderBlock
    self.folderPrefixes = folderPrefixes
    self.single = single
    self.block = block
  }

  static let ggufBlock = "blk."

  /// The row of a layer: `embedding`, `blocks/3/attention/q`.
  func row(_ layer: String) -> TensorName? {
    let (block, name) = Self.split(layer)
    return (block == nil ? single : self.block).first { $0.layer == name }
  }

  /// Number of the block, and the name inside it.
  static func split(_ layer: String) -> (block: Int?, name: String) {
    let parts = layer.split(separator: "/", maxSplits: 2)
    guard parts.count == 3, parts[0] == "blocks", let number = Int(parts[1]) else { return (nil, layer) }
    return (number, String(parts[2]))
  }
}

/// What files call the tensors of one layer.
struct TensorName: Sendable {
  /// Part of a file's tensor that a layer is.
  enum Part: Sendable {
    case whole
    /// One of q, k and v, stacked along the outputs.
    case queryKeyValue(Int)
    /// One of gate and up, stacked along the outputs.
    case gateUp(Int)
    /// One of q, k and v, which follow each other in each head.
    case perHead(Int)
  }

  enum Presence: Sendable { case never, always, perhaps }

  let layer: String
  let folder: String
  let gguf: String
  var folderPart = Part.whole
  var ggufPart = Part.whole
  var bias = Presence.never
  /// Whether a folder holds it `[inputs, outputs]`.
  var isTransposed = false

  init(
    _ layer: String, _ folder: String, _ gguf: String, part: Part = .whole, ggufPart: Part? = nil,
    bias: Presence = .never, isTransposed: Bool = false
  ) {
    self.layer = layer
    self.folder = folder
    self.gguf = gguf
    folderPart = part
    self.ggufPart = ggufPart ?? part
    self.bias = bias
    self.isTransposed = isTransposed
  }

  var isNorm: Bool { layer.hasSuffix("norm") }
  /// Whether rotations turn its rows.
  var isTurned: Bool { layer == "attention/q" || layer == "attention/k" }
}
