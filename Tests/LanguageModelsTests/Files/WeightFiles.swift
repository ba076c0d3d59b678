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

  /// A file of a Llama-shaped model with made-up weights.
  static func made(
    blocks: Int, width: Int, keyWidth: Int, feedForward: Int, isTied: Bool = false, experts: Int = 0,
    path: String
  ) throws -> GGUFFile {
    var metadata = GGUFMetadata()
    metadata["general.architecture"] = .string("llama")
    metadata["llama.block_count"] = .uint32(UInt32(blocks))
    metadata["llama.attention.head_count"] = .uint32(8)
    metadata["llama.attention.head_count_kv"] = .uint32(UInt32(8 * keyWidth / width))
    if experts > 0 { metadata["llama.expert_count"] = .uint32(UInt32(experts)) }
    var random = SplitMix64(seed: 5)
    var tensors: [TensorOutput] = []
    func add(_ name: String, _ shape: Shape) {
      let values = (0..<shape.elementCount).map { _ in Float.random(in: -1...1, using: &random) }
      let tensor = Tensor(values, shape: shape)
      tensors.append(TensorOutput(name, shape.count > 1 ? tensor.converted(to: .float16) : tensor))
    }
    add("token_embd.weight", [96, width])
    add("output_norm.weight", [width])
    if !isTied { add("output.weight", [96, width]) }
    for block in 0..<blocks {
      let prefix = "blk.\(block)."
      add(prefix + "attn_norm.weight", [width])
      for (name, rows) in [("q", width), ("k", keyWidth), ("v", keyWidth), ("output", width)] {
        add(prefix + "attn_\(name).weight", [rows, width])
      }
      add(prefix + "ffn_gate.weight", [feedForward, width])
      add(prefix + "ffn_up.weight", [feedForward, width])
      add(prefix + "ffn_down.weight", [width, feedForward])
    }
    try GGUFWriter(tensors, metadata: metadata, path: path).write()
    return try GGUFFile.open(path)
  }
}
