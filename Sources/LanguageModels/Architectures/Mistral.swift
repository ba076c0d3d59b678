import Formats

extension Architecture {
  /// Llama with a window in every block; GGUF does not tell the two apart.
  static let mistral = Architecture(
    name: "llama", modelTypes: ["mistral"], tensors: .llama(), interleavesInGGUF: true
  ) { configuration, _ in
    if configuration.window != nil { configuration.isLocal = configuration.isLocal.map { _ in true } }
  }
}
