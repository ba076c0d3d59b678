import Formats

extension Architecture {
  /// Gemma 2 with norms of heads in the place of soft caps, five blocks in six with a window and rotations of their own.
  static let gemma3 = Architecture(
    name: "gemma3", modelTypes: ["gemma3_text", "gemma3"],
    style: .with {
      $0.activation = .geluTanh
      $0.hasPostNorms = true
      $0.hasHeadNorms = true
      $0.scalesEmbedding = true
    },
    tensors: .llama(
      otherBias: .never, folderPrefixes: ["", "language_model."],
      with: TensorNames.gemmaNorms + [
        TensorName("attention/q-norm", "self_attn.q_norm", "attn_q_norm"),
        TensorName("attention/k-norm", "self_attn.k_norm", "attn_k_norm"),
      ]),
    defaults: [
      "vocab_size": .integer(262_208), "hidden_size": .integer(2304), "intermediate_size": .integer(9216),
      "num_hidden_layers": .integer(26), "num_attention_heads": .integer(8),
      "num_key_value_heads": .integer(4),
      "head_dim": .integer(256), "max_position_embeddings": .integer(131_072), "rms_norm_eps": .number(1e-6),
      "tie_word_embeddings": .bool(true), "query_pre_attn_scalar": .integer(256),
      "sliding_window": .integer(4096),
      "rope_theta": .number(1e6), "rope_local_base_freq": .number(1e4), "sliding_window_pattern": .integer(6),
      "hidden_activation": .string("gelu_pytorch_tanh"),
    ],
    storesNormsLessOne: true
  ) { configuration, file in
    try configuration.readGemma(
      file, period: try file.size("sliding_window_pattern", "_sliding_window_pattern"))
    configuration.outputCap = try file.number("final_logit_softcapping").map { Float($0) }
    configuration.attentionCap = try file.number("attn_logit_softcapping").map { Float($0) }
    var local = try Rope(file, kind: "sliding_attention", headSize: configuration.headSize)
    if file.value("rope_parameters")?.value["sliding_attention"] == nil {
      local.base = try file.number("rope_local_base_freq") ?? 10_000
      local.scaling = .none
    }
    configuration.localRope = local
  } readGGUF: { configuration, file in
    try configuration.setLocals(file, period: 6)
    configuration.setGemmaScale(largestBlocks: DecoderConfiguration.largestGemma3)
    configuration.outputCap = try file.number("final_logit_softcapping").map { Float($0) }
    configuration.localRope = configuration.rope
    configuration.localRope?.base = try file.number("rope.freq_base_swa") ?? 10_000
    configuration.localRope?.scaling = .none
    if configuration.window == nil { configuration.isLocal = configuration.isLocal.map { _ in false } }
  }
}
