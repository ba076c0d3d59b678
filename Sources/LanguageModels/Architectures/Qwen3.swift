import Formats

extension Architecture {
  /// Llama with each head of q and k normalised.
  static let qwen3 = Architecture(
    name: "qwen3", modelTypes: ["qwen3"], style: .with { $0.hasHeadNorms = true },
    tensors: .llama(
      otherBias: .never,
      with: [
        TensorName("attention/q-norm", "self_attn.q_norm", "attn_q_norm"),
        TensorName("attention/k-norm", "self_attn.k_norm", "attn_k_norm"),
      ]),
    defaults: ["head_dim": .integer(128)], readFolder: qwenWindow)
}
