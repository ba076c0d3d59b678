import Formats
import Tensors

extension DecoderConfiguration {
  /// The keys by which GGUF describes this decoder, with what it cannot say.
  ///
  /// - Source: ggml, `docs/gguf.md`; llama.cpp, `LLM_KV_NAMES`.
  func describe(architecture: String, into metadata: inout GGUFMetadata) -> [String] {
    func key(_ name: String) -> String { "\(architecture).\(name)" }
    func set(_ name: String, _ value: Int) { metadata[key(name)] = .uint32(UInt32(value)) }
    func set(_ name: String, real value: Double) { metadata[key(name)] = .float32(Float(value)) }
    set("vocab_size", vocabulary)
    set("context_length", contextLength)
    set("embedding_length", width)
    set("block_count", blocks)
    set("feed_forward_length", feedForward)
    set("attention.head_count", heads)
    set("attention.head_count_kv", kvHeads)
    if headSize * heads != width {
      set("attention.key_length", headSize)
      set("attention.value_length", headSize)
    }
    let norm = style.norm == .layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"
    metadata[key(norm)] = .float32(epsilon)
    if architecture == Architecture.gptNeoX.name {
      metadata[key("use_parallel_residual")] = .bool(style.isParallel)
    }
    if let attentionCap { set("attn_logit_softcapping", real: Double(attentionCap)) }
    if let outputCap { set("final_logit_softcapping", real: Double(outputCap)) }
    var notes = describeScale(architecture, &metadata) + describeWindow(architecture, &metadata)
    if let rope { notes += rope.describe(architecture: architecture, into: &metadata) }
    if let localRope { set("rope.freq_base_swa", real: localRope.base) }
    return notes
  }

  private func describeScale(_ architecture: String, _ metadata: inout GGUFMetadata) -> [String] {
    // What a reader takes where nothing is said.
    var usual = self
    usual.attentionScale = nil
    if architecture == Architecture.gemma2.name { usual.setGemmaScale(largestBlocks: Self.largestGemma2) }
    if architecture == Architecture.gemma3.name { usual.setGemmaScale(largestBlocks: Self.largestGemma3) }
    let plain = 1 / Float(headSize).squareRoot()
    let (own, taken) = (attentionScale ?? plain, usual.attentionScale ?? plain)
    guard abs(own - taken) > 1e-6 * own else { return [] }
    metadata["\(architecture).attention.scale"] = .float32(own)
    return ["the scale \(own) of scores is written as attention.scale, which llama.cpp may not read."]
  }

  private func describeWindow(_ architecture: String, _ metadata: inout GGUFMetadata) -> [String] {
    guard let window, isLocal.contains(true) else { return [] }
    metadata["\(architecture).attention.sliding_window"] = .uint32(UInt32(window))
    let period: Int? =
      switch architecture {
      case Architecture.gemma2.name: 2
      case Architecture.gemma3.name: 6
      default: nil
      }
    var usual = self
    if let period { usual.setPeriod(period) } else { usual.isLocal = isLocal.map { _ in true } }
    if usual.isLocal != isLocal {
      metadata["\(architecture).attention.sliding_window_pattern"] = .array(.bool(isLocal))
      return ["the blocks with a window are written as a list, which llama.cpp may not read."]
    }
    return period == nil && contextLength > window
      ? ["llama.cpp may not use the window of \(window) tokens for \(architecture)."] : []
  }
}

extension Rope {
  fileprivate func describe(architecture: String, into metadata: inout GGUFMetadata) -> [String] {
    func set(_ name: String, _ value: GGUFValue) { metadata["\(architecture).rope.\(name)"] = value }
    func original(_ count: Int) { set("scaling.original_context_length", .uint32(UInt32(count))) }
    set("dimension_count", .uint32(UInt32(rotated)))
    set("freq_base", .float32(Float(base)))
    switch scaling {
    case .none, .llama3, .factors: return []
    case .linear(let factor):
      set("scaling.type", .string("linear"))
      set("scaling.factor", .float32(Float(factor)))
    case .dynamic(_, let positions):
      return ["rotations that change with the length beyond \(positions) tokens are not written."]
    case .yarn(let yarn):
      set("scaling.type", .string("yarn"))
      set("scaling.factor", .float32(Float(yarn.factor)))
      original(yarn.original)
      set("scaling.yarn_beta_fast", .float32(Float(yarn.fast)))
      set("scaling.yarn_beta_slow", .float32(Float(yarn.slow)))
      if let magnitude = yarn.magnitude {
        set("scaling.attn_factor", .float32(Float(magnitude / (0.1 * Self.logarithm(yarn.factor) + 1))))
      }
    case .long(_, _, let magnitude, let count):
      set("scaling.type", .string("longrope"))
      original(count)
      set("scaling.attn_factor", .float32(Float(magnitude)))
    }
    return []
  }
}
