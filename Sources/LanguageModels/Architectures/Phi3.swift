import Formats

extension Architecture {
  /// Llama with q, k and v in one tensor, and gate and up in another.
  static let phi3 = Architecture(
    name: "phi3", modelTypes: ["phi3"],
    tensors: .llama(
      attentionBias: .never, otherBias: .never,
      with: [
        TensorName("attention/q", "self_attn.qkv_proj", "attn_qkv", part: .queryKeyValue(0)),
        TensorName("attention/k", "self_attn.qkv_proj", "attn_qkv", part: .queryKeyValue(1)),
        TensorName("attention/v", "self_attn.qkv_proj", "attn_qkv", part: .queryKeyValue(2)),
        TensorName("feed-forward/gate", "mlp.gate_up_proj", "ffn_up", part: .gateUp(0)),
        TensorName("feed-forward/up", "mlp.gate_up_proj", "ffn_up", part: .gateUp(1)),
      ])
  ) { configuration, _ in
    if configuration.window != nil { configuration.isLocal = configuration.isLocal.map { _ in true } }
  }
}
