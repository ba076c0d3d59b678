/// A file type of llama.cpp: a type for most tensors and rules for those that deserve better.
///
/// Source: llama.cpp, `llama_tensor_get_type_impl` in `src/llama-quant.cpp` (without the exceptions for Falcon).
package struct Mixture: Sendable {
  /// What a tensor is for, by its name in GGUF.
  package enum Part: Sendable, CaseIterable {
    case output, embedding, value, key, attentionOutput, down, other

    /// Part of the name; fused queries, keys and values count as values.
    init(name: String) {
      self =
        switch name {
        case "output.weight": .output
        case "token_embd.weight", "per_layer_token_embd.weight": .embedding
        case _ where ["attn_qkv.weight", "attn_kv_b.weight", "attn_v.weight"].contains(where: name.contains):
          .value
        case _ where name.contains("attn_k.weight"): .key
        case _ where name.contains("attn_output.weight"): .attentionOutput
        case _ where name.contains("ffn_down"): .down
        default: .other
        }
    }
  }

  /// Which layers a rule speaks of.
  package enum Layers: Sendable {
    case all
    /// The first so many.
    case first(Int)
    /// The first one in so many.
    case share(Int)
    /// As `share`, only with an importance matrix, or only without one.
    case shareWithImportance(Int)
    case shareWithoutImportance(Int)
    /// The first and last eighth, and of those between every third.
    case moreBits
    /// All, where so many heads or more share keys and values.
    case grouped(Int)
    /// All, of a model with eight experts, or with another number of them.
    case eightExperts
    case notEightExperts
  }

  package struct Rule: Sendable {
    var part: Part
    var layers: Layers
    var type: String

    init(_ part: Part, _ layers: Layers, _ type: String) {
      self.part = part
      self.layers = layers
      self.type = type
    }
  }

  /// As the command line of llama-quantize has it.
  package let name: String
  /// `general.file_type`.
  package let fileType: UInt32
  /// Name of the type that tensors have where no rule says otherwise.
  package let base: String
  /// The first that fits decides.
  let rules: [Rule]
  /// Whether llama.cpp asks for an importance matrix.
  package let needsImportance: Bool

  private init(
    _ name: String, _ fileType: UInt32, _ base: String, needsImportance: Bool = false, _ rules: [Rule] = []
  ) {
    self.name = name
    self.fileType = fileType
    self.base = base
    self.rules = rules
    self.needsImportance = needsImportance
  }

  package static let all: [Mixture] = [
    Mixture("F32", 0, "F32"), Mixture("F16", 1, "F16"), Mixture("BF16", 32, "BF16"),
    Mixture("Q8_0", 7, "Q8_0"), Mixture("Q6_K", 18, "Q6_K"),
    Mixture("Q5_K_M", 17, "Q5_K", [Rule(.value, .moreBits, "Q6_K"), Rule(.down, .moreBits, "Q6_K")]),
    Mixture("Q5_K_S", 16, "Q5_K"),
    Mixture("Q5_1", 9, "Q5_1"),
    Mixture("Q5_0", 8, "Q5_0", [Rule(.down, .shareWithImportance(8), "Q5_1")]),
    Mixture(
      "Q4_K_M", 15, "Q4_K",
      [
        Rule(.value, .moreBits, "Q6_K"), Rule(.down, .moreBits, "Q6_K"),
        Rule(.attentionOutput, .eightExperts, "Q5_K"),
      ]),
    Mixture(
      "Q4_K_S", 14, "Q4_K",
      [
        Rule(.value, .first(4), "Q5_K"), Rule(.down, .share(8), "Q5_K"),
        Rule(.attentionOutput, .eightExperts, "Q5_K"),
      ]),
    Mixture("Q4_1", 3, "Q4_1"),
    Mixture("Q4_0", 2, "Q4_0", [Rule(.down, .shareWithImportance(8), "Q4_1")]),
    Mixture(
      "IQ4_NL", 25, "IQ4_NL",
      [
        Rule(.value, .grouped(4), "Q5_K"), Rule(.down, .shareWithoutImportance(8), "Q5_K"),
        Rule(.attentionOutput, .eightExperts, "Q5_K"),
      ]),
    Mixture(
      "Q3_K_L", 13, "Q3_K",
      [
        Rule(.value, .all, "Q5_K"), Rule(.down, .all, "Q5_K"),
        Rule(.attentionOutput, .notEightExperts, "Q5_K"),
      ]),
    Mixture(
      "Q3_K_M", 12, "Q3_K",
      [
        Rule(.value, .first(2), "Q5_K"), Rule(.value, .all, "Q4_K"),
        Rule(.down, .share(16), "Q5_K"), Rule(.down, .all, "Q4_K"),
        Rule(.attentionOutput, .eightExperts, "Q5_K"), Rule(.attentionOutput, .all, "Q4_K"),
      ]),
    Mixture("Q3_K_S", 11, "Q3_K", [Rule(.attentionOutput, .eightExperts, "Q5_K")]),
    Mixture(
      "Q2_K", 10, "Q2_K",
      [
        Rule(.value, .grouped(4), "Q4_K"), Rule(.value, .all, "Q3_K"), Rule(.down, .all, "Q3_K"),
        Rule(.attentionOutput, .eightExperts, "Q5_K"), Rule(.attentionOutput, .all, "Q3_K"),
      ]),
    Mixture(
      "Q2_K_S", 21, "Q2_K", needsImportance: true,
      [Rule(.value, .grouped(4), "Q4_K"), Rule(.down, .share(8), "Q4_K")]),
  ]

  /// The mixture of that name, in capitals or not; `nil` for an unknown one.
  package static func named(_ name: String) -> Mixture? {
    all.first { $0.name.lowercased() == name.lowercased() }
  }
}
