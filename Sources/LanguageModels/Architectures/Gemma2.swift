import Formats

extension TensorNames {
  /// The four norms of a block of Gemma 2 and 3, in the places of Llama's two.
  static let gemmaNorms = [
    TensorName("attention-post-norm", "post_attention_layernorm", "post_attention_norm"),
    TensorName("feed-forward-norm", "pre_feedforward_layernorm", "ffn_norm"),
    TensorName("feed-forward-post-norm", "post_feedforward_layernorm", "post_ffw_norm"),
  ]
}

extension Architecture {
  /// Norms before and after each part, soft caps, and a window in every other block.
  static let gemma2 = Architecture(
    name: "gemma2", modelTypes: ["gemma2"],
    style: .with {
      $0.activation = .geluTanh
      $0.hasPostNorms = true
      $0.scalesEmbedding = true
    },
    tensors: .llama(otherBias: .never, with: TensorNames.gemmaNorms),
    defaults: [
      "tie_word_embeddings": .bool(true), "head_dim": .integer(256), "sliding_window": .integer(4096),
      "query_pre_attn_scalar": .integer(256), "attn_logit_softcapping": .number(50),
      "final_logit_softcapping": .number(30), "hidden_activation": .string("gelu_pytorch_tanh"),
      "rms_norm_eps": .number(1e-6),
    ],
    storesNormsLessOne: true
  ) { configuration, file in
    try configuration.readGemma(file, period: 2)
    configuration.attentionCap = try file.number("attn_logit_softcapping").map { Float($0) }
    configuration.outputCap = try file.number("final_logit_softcapping").map { Float($0) }
  } readGGUF: { configuration, file in
    configuration.window = configuration.window ?? 4096
    try configuration.setLocals(file, period: 2)
    configuration.setGemmaScale(largestBlocks: DecoderConfiguration.largestGemma2)
    configuration.attentionCap = Float(try file.number("attn_logit_softcapping") ?? 50)
    configuration.outputCap = Float(try file.number("final_logit_softcapping") ?? 30)
  }
}

extension DecoderConfiguration {
  /// Scores are scaled by 1 / √`query_pre_attn_scalar`; of each `period` blocks all but the last have a window.
  mutating func readGemma(_ file: FolderConfiguration, period: Int) throws(ImportError) {
    let scalar = try file.number("query_pre_attn_scalar") ?? Double(headSize)
    guard scalar > 0 else {
      throw file.failure("query_pre_attn_scalar", .malformed("\(scalar) is not above 0"))
    }
    attentionScale = Float(1 / scalar.squareRoot())
    if file.value("layer_types") == nil { setPeriod(period) }
  }

  mutating func setPeriod(_ period: Int) {
    isLocal = isLocal.indices.map { ($0 + 1) % period != 0 }
  }

  /// Blocks of the models of 27 B parameters.
  static let largestGemma2 = 46
  static let largestGemma3 = 62

  /// GGUF has no key for the scale: the 27 B models, known by their blocks, take the width for all heads.
  mutating func setGemmaScale(largestBlocks: Int) {
    guard attentionScale == nil, blocks == largestBlocks else { return }
    attentionScale = 1 / (Float(width) / Float(heads)).squareRoot()
  }
}
