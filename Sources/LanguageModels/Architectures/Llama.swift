import Formats

extension TensorNames {
  /// What Llama and most families after it call their tensors.
  ///
  /// - Parameters:
  ///   - attentionBias: of q, k and v.
  ///   - otherBias: of the output of attention and of feed-forward.
  static func llama(
    attentionBias: TensorName.Presence = .perhaps, otherBias: TensorName.Presence = .perhaps,
    folderPrefixes: [String] = [""], with more: [TensorName] = []
  ) -> TensorNames {
    let block = [
      TensorName("attention-norm", "input_layernorm", "attn_norm"),
      TensorName("attention/q", "self_attn.q_proj", "attn_q", bias: attentionBias),
      TensorName("attention/k", "self_attn.k_proj", "attn_k", bias: attentionBias),
      TensorName("attention/v", "self_attn.v_proj", "attn_v", bias: attentionBias),
      TensorName("attention/output", "self_attn.o_proj", "attn_output", bias: otherBias),
      TensorName("feed-forward-norm", "post_attention_layernorm", "ffn_norm"),
      TensorName("feed-forward/gate", "mlp.gate_proj", "ffn_gate", bias: otherBias),
      TensorName("feed-forward/up", "mlp.up_proj", "ffn_up", bias: otherBias),
      TensorName("feed-forward/down", "mlp.down_proj", "ffn_down", bias: otherBias),
    ]
    // A row given beside these takes the place of the one for the same layer.
    let replaced = Set(more.map(\.layer))
    return TensorNames(
      folderBlock: "model.layers.", folderPrefixes: folderPrefixes,
      single: [
        TensorName("embedding", "model.embed_tokens", "token_embd"),
        TensorName("norm", "model.norm", "output_norm"), TensorName("output", "lm_head", "output"),
      ], block: block.filter { !replaced.contains($0.layer) } + more)
  }
}

extension Architecture {
  /// Llama 1 to 3.
  static let llama = Architecture(
    name: "llama", modelTypes: ["llama"], tensors: .llama(), interleavesInGGUF: true)
}
