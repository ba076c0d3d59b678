import Formats
import Foundation
import LanguageModels
import Tensors

/// Weight files for tests.
enum WeightFiles {
  /// `$LATHE_SHARED`, else `shared` beside the package.
  static let shared: URL = {
    if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return URL(fileURLWithPath: path) }
    return package.deletingLastPathComponent().appendingPathComponent("shared")
  }()

  private static let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let haveShared = FileManager.default.fileExists(atPath: shared.appendingPathComponent("models").path)

  static func model(_ type: String) throws -> GGUFFile {
    try GGUFFile.open(
      shared.appendingPathComponent("models/llm/tinystories-656K/tinystories-656K-\(type).gguf").path)
  }

  /// Where files are left for the readers they are for (`Tests/Interop`).
  static func interop(_ name: String) throws -> String {
    let url = package.appendingPathComponent(".build/interop").appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    return url.path
  }

  /// A new path that nobody else has.
  static func temporary(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)-\(name)").path
  }

  /// Shape of a model with made-up weights.
  struct Made: Sendable {
    var blocks: Int
    var width = 256
    var keyWidth = 256
    var feedForward = 256
    var isTied = false
    var experts = 0
    /// Whether queries, keys and values are one tensor, as in GPT-2.
    var isFused = false
  }

  /// A file of a model of Llama's or GPT-2's shape; complete but for the tokenizer.
  static func made(_ made: Made, path: String) throws -> GGUFFile {
    let name = made.isFused ? "gpt2" : "llama"
    var metadata = GGUFMetadata()
    metadata["general.architecture"] = .string(name)
    let sizes = [
      ("vocab_size", 96), ("context_length", 64), ("embedding_length", made.width),
      ("block_count", made.blocks),
      ("feed_forward_length", made.feedForward), ("attention.head_count", 8),
      ("attention.head_count_kv", 8 * made.keyWidth / made.width), ("expert_count", made.experts),
      ("expert_used_count", min(made.experts, 2)),
    ]
    for (key, value) in sizes { metadata["\(name).\(key)"] = .uint32(UInt32(value)) }
    metadata["\(name).attention.layer_norm_\(made.isFused ? "" : "rms_")epsilon"] = .float32(1e-5)
    try GGUFWriter(tensors(made), metadata: metadata, path: path).write()
    return try GGUFFile.open(path)
  }

  private static func tensors(_ made: Made) -> [TensorOutput] {
    var random = SplitMix64(seed: 5)
    var tensors: [TensorOutput] = []
    func add(_ name: String, _ shape: Shape) {
      let values = (0..<shape.elementCount).map { _ in Float.random(in: -1...1, using: &random) }
      let tensor = Tensor(values, shape: shape)
      tensors.append(TensorOutput(name, shape.count > 1 ? tensor.converted(to: .float16) : tensor))
    }
    let (width, inner) = (made.width, made.feedForward)
    add("token_embd.weight", [96, width])
    if made.isFused { add("position_embd.weight", [64, width]) }
    add("output_norm.weight", [width])
    if !made.isTied { add("output.weight", [96, width]) }
    for block in 0..<made.blocks {
      let prefix = "blk.\(block)."
      add(prefix + "attn_norm.weight", [width])
      if made.isFused {
        add(prefix + "attn_qkv.weight", [width + 2 * made.keyWidth, width])
      } else {
        for (name, rows) in [("q", width), ("k", made.keyWidth), ("v", made.keyWidth)] {
          add(prefix + "attn_\(name).weight", [rows, width])
        }
      }
      add(prefix + "attn_output.weight", [width, width])
      let experts = made.experts > 0 ? [made.experts] : []
      let ending = made.experts > 0 ? "_exps.weight" : ".weight"
      if made.experts > 0 { add(prefix + "ffn_gate_inp.weight", [made.experts, width]) }
      if !made.isFused { add(prefix + "ffn_gate" + ending, experts + [inner, width]) }
      add(prefix + "ffn_up" + ending, experts + [inner, width])
      add(prefix + "ffn_down" + ending, experts + [width, inner])
    }
    return tensors
  }
}
