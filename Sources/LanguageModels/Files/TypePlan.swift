import Formats
import Tensors

/// Which type each tensor of a file gets, and what was asked for where that is another one.
package struct TypePlan: Sendable {
  package struct Choice: Sendable {
    package let name: String
    package let requested: GGMLType
    package let effective: GGMLType
    /// Whether the rows' length forced another type than was asked for.
    package var isFallback: Bool { requested.id != effective.id }
  }

  package let choices: [Choice]

  package var fallbacks: [Choice] { choices.filter(\.isFallback) }

  /// What decides about types besides names and shapes.
  package struct Context: Sendable {
    package var blocks: Int
    /// Heads that share one key–value head.
    package var headsPerKey: Int
    package var experts: Int
    /// Whether llama.cpp takes it for a model of 70 billion weights.
    package var is70B: Bool
    package var hasImportance: Bool

    package init(blocks: Int, headsPerKey: Int, experts: Int = 0, is70B: Bool = false, hasImportance: Bool) {
      self.blocks = blocks
      self.headsPerKey = headsPerKey
      self.experts = experts
      self.is70B = is70B
      self.hasImportance = hasImportance
    }

    /// - Errors: `ImportError` where a value has the wrong type.
    package init(_ metadata: GGUFMetadata, hasImportance: Bool) throws(ImportError) {
      let architecture = try metadata.string("general.architecture") ?? ""
      func first(_ key: String) throws(ImportError) -> Int {
        let key = "\(architecture).\(key)"
        // One number, or one for each block.
        if let list = metadata[key]?.array { return list.integers?.first ?? 0 }
        return try metadata.integer(key) ?? 0
      }
      let blocks = try first("block_count")
      let heads = try first("attention.head_count")
      let keys = try first("attention.head_count_kv")
      self.init(
        blocks: blocks, headsPerKey: keys > 0 ? heads / keys : 1, experts: try first("expert_count"),
        is70B: blocks == 80 && (architecture == "llama" ? heads != keys : architecture == "qwen2"),
        hasImportance: hasImportance)
    }
  }

  /// The types llama.cpp gives the tensors of a model.
  ///
  /// - Parameter named: types of single tensors, which go before the mixture's rules.
  package init(
    _ mixture: Mixture, tensors: [WeightRows], context: Context, named: [String: GGMLType] = [:]
  ) {
    guard let base = GGMLType.named(mixture.base) else {
      preconditionFailure("\(mixture.base) is in the table of types")
    }
    let isTied = !tensors.contains { $0.name == "output.weight" }
    let ranks = Self.ranks(tensors)
    let values = tensors.count { Mixture.Part(name: $0.name) == .value }
    choices = tensors.map { tensor in
      let kept = GGMLType.named(tensor.plainType) ?? base
      func choice(_ requested: GGMLType, _ effective: GGMLType) -> Choice {
        Choice(name: tensor.name, requested: requested, effective: effective)
      }
      if let type = named[tensor.name] { return choice(type, Self.fitting(type, tensor.rowLength)) }
      guard Self.allows(tensor) else { return choice(kept, kept) }
      guard base.elementType == nil else { return choice(base, base) }
      let part = Mixture.Part(name: tensor.name)
      if part == .output || (isTied && part == .embedding) {
        let asked = base.name == "Q8_0" ? "Q8_0" : "Q6_K"
        let fits = tensor.rowLength % base.elements == 0
        guard let requested = GGMLType.named(asked), let q8 = GGMLType.named("Q8_0") else {
          return choice(base, base)
        }
        return choice(requested, Self.fitting(fits ? requested : q8, tensor.rowLength))
      }
      let name = Self.typeName(mixture, part, ranks[tensor.name] ?? 0, tensor.name, context, values)
      let requested = name.flatMap(GGMLType.named) ?? base
      return choice(requested, Self.fitting(requested, tensor.rowLength))
    }
  }
}

extension TypePlan {
  /// The type a mixture asks for; `nil` for its base.
  private static func typeName(
    _ mixture: Mixture, _ part: Mixture.Part, _ rank: Int, _ name: String, _ context: Context, _ values: Int
  ) -> String? {
    if context.experts == 8, part == .value || part == .key { return "Q8_0" }
    let layer = context.experts > 1 && part == .down ? block(of: name) ?? rank : rank
    let layers = part == .value ? values : context.blocks
    let rule = mixture.rules.first { rule in
      guard rule.part == part else { return false }
      return switch rule.layers {
      case .all: true
      case .first(let count): layer < count
      case .share(let share): layer < layers / share
      case .shareWithImportance(let share): context.hasImportance && layer < layers / share
      case .shareWithoutImportance(let share): !context.hasImportance && layer < layers / share
      case .moreBits: hasMoreBits(layer, of: layers)
      case .grouped(let heads): context.headsPerKey >= heads
      case .eightExperts: context.experts == 8
      case .notEightExperts: context.experts != 8
      }
    }
    let type = rule?.type
    if context.is70B, part == .value, ["Q3_K", "Q4_K"].contains(type ?? mixture.base) { return "Q5_K" }
    return type
  }

  /// Which of the tensors of its part each one is, in the order of the blocks.
  private static func ranks(_ tensors: [WeightRows]) -> [String: Int] {
    var counts: [Mixture.Part: Int] = [:]
    var result: [String: Int] = [:]
    let ordered = tensors.filter(allows).map { (block: block(of: $0.name) ?? -1, name: $0.name) }.sorted {
      $0 < $1
    }
    for tensor in ordered {
      let part = Mixture.Part(name: tensor.name)
      result[tensor.name] = counts[part, default: 0]
      counts[part, default: 0] += 1
    }
    return result
  }

  static func hasMoreBits(_ layer: Int, of layers: Int) -> Bool {
    layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
  }

  /// Number of the block in a name.
  static func block(of name: String) -> Int? {
    let parts = name.split(separator: ".")
    return parts.count > 2 && parts[0] == "blk" ? Int(parts[1]) : nil
  }

  /// The type for rows of this length: llama.cpp's substitutes where they are no whole number of blocks.
  package static func fitting(_ type: GGMLType, _ length: Int) -> GGMLType {
    guard length % type.elements != 0 else { return type }
    let substitutes = [
      "Q2_K": "Q4_0", "Q3_K": "Q4_0", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0", "Q2_0": "Q4_0", "Q4_K": "Q5_0",
      "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "IQ2_XXS": "IQ4_NL",
      "IQ2_XS": "IQ4_NL", "IQ2_S": "IQ4_NL", "IQ3_XXS": "IQ4_NL", "IQ3_S": "IQ4_NL", "IQ4_XS": "IQ4_NL",
    ]
    let other = substitutes[type.name].flatMap(GGMLType.named)
    if let other, length % other.elements == 0 { return other }
    return GGMLType.named("F16") ?? type
  }

  /// Whether llama.cpp quantizes a tensor of this name and shape.
  package static func allows(_ tensor: WeightRows) -> Bool {
    let axes = tensor.shape.drop { $0 == 1 }
    guard axes.count >= 2, tensor.name.hasSuffix("weight") else { return false }
    return !keptWhole.contains(tensor.name) && !kept.contains(where: tensor.name.contains)
  }

  private static let keptWhole: Set<String> = ["position_embd.weight", "token_types.weight"]
  /// Parts of the names of tensors that are small or delicate.
  private static let kept = [
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel",
    "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight",
    "time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight",
    "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight",
    "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
    "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight", "attn_rel_b.weight",
    ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd", ".patch_merger",
    "a.rvq.codebook", "mm.a.code_embd",
  ]
}
