import Formats

extension Architecture {
  /// Attention and feed-forward side by side, a part of each head turned; a folder holds q, k and v head by head.
  static let gptNeoX = Architecture(
    name: "gptneox", modelTypes: ["gpt_neox"],
    style: .with {
      $0.norm = .layer
      $0.activation = .gelu
      $0.isGated = false
      $0.isParallel = true
    },
    tensors: TensorNames(
      folderBlock: "gpt_neox.layers.",
      single: [
        TensorName("embedding", "gpt_neox.embed_in", "token_embd"),
        TensorName("norm", "gpt_neox.final_layer_norm", "output_norm", bias: .always),
        TensorName("output", "embed_out", "output"),
      ],
      block: [
        TensorName("attention-norm", "input_layernorm", "attn_norm", bias: .always),
        TensorName(
          "attention/q", "attention.query_key_value", "attn_qkv", part: .perHead(0),
          ggufPart: .queryKeyValue(0),
          bias: .perhaps),
        TensorName(
          "attention/k", "attention.query_key_value", "attn_qkv", part: .perHead(1),
          ggufPart: .queryKeyValue(1),
          bias: .perhaps),
        TensorName(
          "attention/v", "attention.query_key_value", "attn_qkv", part: .perHead(2),
          ggufPart: .queryKeyValue(2),
          bias: .perhaps),
        TensorName("attention/output", "attention.dense", "attn_output", bias: .perhaps),
        TensorName("feed-forward-norm", "post_attention_layernorm", "ffn_norm", bias: .always),
        TensorName("feed-forward/up", "mlp.dense_h_to_4h", "ffn_up", bias: .always),
        TensorName("feed-forward/down", "mlp.dense_4h_to_h", "ffn_down", bias: .always),
      ]),
    defaults: ["rotary_pct": .number(0.25)]
  ) { configuration, file in
    configuration.kvHeads = configuration.heads
    configuration.style.isParallel = try file.bool("use_parallel_residual") ?? true
  } readGGUF: { configuration, file in
    configuration.style.isParallel = try file.bool("use_parallel_residual") ?? true
  }
}
