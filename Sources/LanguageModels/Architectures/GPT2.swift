import Formats

extension Architecture {
  /// Learned positions, layer norms, biases everywhere; a folder holds the weights of blocks `[inputs, outputs]`.
  static let gpt2 = Architecture(
    name: "gpt2", modelTypes: ["gpt2"],
    style: .with {
      $0.norm = .layer
      $0.activation = .geluTanh
      $0.isGated = false
      $0.learnsPositions = true
    },
    tensors: TensorNames(
      folderBlock: "h.", folderPrefixes: ["transformer.", ""],
      single: [
        TensorName("embedding", "wte", "token_embd"),
        TensorName("position-embedding", "wpe", "position_embd"),
        TensorName("norm", "ln_f", "output_norm", bias: .always), TensorName("output", "lm_head", "output"),
      ],
      block: [
        TensorName("attention-norm", "ln_1", "attn_norm", bias: .always),
        TensorName(
          "attention/q", "attn.c_attn", "attn_qkv", part: .queryKeyValue(0), bias: .always, isTransposed: true
        ),
        TensorName(
          "attention/k", "attn.c_attn", "attn_qkv", part: .queryKeyValue(1), bias: .always, isTransposed: true
        ),
        TensorName(
          "attention/v", "attn.c_attn", "attn_qkv", part: .queryKeyValue(2), bias: .always, isTransposed: true
        ),
        TensorName("attention/output", "attn.c_proj", "attn_output", bias: .always, isTransposed: true),
        TensorName("feed-forward-norm", "ln_2", "ffn_norm", bias: .always),
        TensorName("feed-forward/up", "mlp.c_fc", "ffn_up", bias: .always, isTransposed: true),
        TensorName("feed-forward/down", "mlp.c_proj", "ffn_down", bias: .always, isTransposed: true),
      ]),
    defaults: ["tie_word_embeddings": .bool(true), "activation_function": .string("gelu_new")]
  ) { _, file in
    let key = "scale_attn_by_inverse_layer_idx"
    guard try file.bool(key) != true else {
      throw file.failure(key, .unsupported(what: "a scale of scores for each block", found: ""))
    }
  }
}
