import Formats

extension Architecture {
  /// Llama with biases on q, k and v.
  static let qwen2 = Architecture(
    name: "qwen2", modelTypes: ["qwen2"], tensors: .llama(attentionBias: .always, otherBias: .never),
    readFolder: qwenWindow)

  /// A window only where `use_sliding_window` says so, and then from block `max_window_layers` on.
  @Sendable static func qwenWindow(
    _ configuration: inout DecoderConfiguration, _ file: FolderConfiguration
  ) throws {
    guard try file.bool("use_sliding_window") ?? false else {
      configuration.window = nil
      configuration.isLocal = configuration.isLocal.map { _ in false }
      return
    }
    guard file.value("layer_types") == nil else { return }
    let first = try file.integer("max_window_layers") ?? 28
    configuration.isLocal = configuration.isLocal.indices.map { $0 >= first }
  }
}
