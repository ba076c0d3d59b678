import Formats

/// A `config.json` read with errors that name the key.
///
/// Of a model with several parts the language model's part is read (`text_config`).
package struct FolderConfiguration: Sendable {
  let file: String
  private let values: JSON
  private let around: JSON
  private let defaults: [String: JSON]

  init(_ root: JSON, file: String, defaults: [String: JSON] = [:]) {
    self.file = file
    around = root
    values = root["text_config"].flatMap { $0.object == nil ? nil : $0 } ?? root
    self.defaults = defaults
  }

  func with(defaults: [String: JSON]) -> FolderConfiguration {
    FolderConfiguration(around, file: file, defaults: defaults)
  }

  /// A value that is there and not null.
  func value(_ keys: String...) -> (key: String, value: JSON)? {
    for source in [values, around, .object(JSONObject(defaults.map { ($0.key, $0.value) }))] {
      for key in keys { if let value = source[key], !value.isNull { return (key, value) } }
    }
    return nil
  }

  func failure(_ key: String, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file, place: .metadata(key), reason: reason)
  }

  func integer(_ keys: String...) throws(ImportError) -> Int? {
    try read(keys, "a whole number") { $0.integer }
  }
  func number(_ keys: String...) throws(ImportError) -> Double? { try read(keys, "a number") { $0.number } }
  func bool(_ keys: String...) throws(ImportError) -> Bool? { try read(keys, "a truth value") { $0.bool } }
  func string(_ keys: String...) throws(ImportError) -> String? { try read(keys, "a text") { $0.string } }

  /// One number or a list of them.
  func integers(_ key: String) throws(ImportError) -> [Int]? {
    try read([key], "whole numbers") { value in
      guard let items = value.array else { return value.integer.map { [$0] } }
      let numbers = items.compactMap(\.integer)
      return numbers.count == items.count ? numbers : nil
    }
  }

  /// A size or count that must be there, at least 1.
  func size(_ keys: String...) throws(ImportError) -> Int {
    guard let value = try sizeIfPresent(keys) else {
      throw ImportError(file: file, place: .file, reason: .missing("\"\(keys[0])\""))
    }
    return value
  }

  /// A size or count of at least 1, `nil` where it is not there.
  func sizeIfPresent(_ keys: String...) throws(ImportError) -> Int? { try sizeIfPresent(keys) }

  private func sizeIfPresent(_ keys: [String]) throws(ImportError) -> Int? {
    guard let value = try read(keys, "a whole number", { $0.integer }) else { return nil }
    guard (1...DecoderConfiguration.largestSize).contains(value) else {
      throw failure(keys[0], .malformed("\(value) stands where a number from 1 must"))
    }
    return value
  }

  private func read<T>(
    _ keys: [String], _ expected: String, _ read: (JSON) -> T?
  ) throws(ImportError) -> T? {
    for key in keys {
      guard let found = value(key) else { continue }
      guard let result = read(found.value) else {
        throw failure(found.key, .malformed("the value is not \(expected)"))
      }
      return result
    }
    return nil
  }
}

extension DecoderConfiguration {
  /// Beyond this no sizes are believed, so that products of two of them cannot overflow.
  static let largestSize = 1 << 28

  /// What the keys common to all architectures say.
  init(_ file: FolderConfiguration, style: DecoderStyle) throws(ImportError) {
    self.style = style
    let width = try file.size("hidden_size", "n_embd")
    let heads = try file.size("num_attention_heads", "n_head")
    self.width = width
    self.heads = heads
    blocks = try file.size("num_hidden_layers", "n_layer")
    kvHeads = try file.sizeIfPresent("num_key_value_heads") ?? heads
    vocabulary = try file.size("vocab_size")
    contextLength = try file.size("max_position_embeddings", "n_positions")
    feedForward = try file.sizeIfPresent("intermediate_size", "n_inner") ?? 4 * width
    if let size = try file.sizeIfPresent("head_dim") {
      headSize = size
    } else {
      guard width % heads == 0 else {
        throw file.failure(
          "num_attention_heads",
          .malformed("\(heads) heads do not divide the \(width) features of \"hidden_size\""))
      }
      headSize = width / heads
    }
    epsilon = Float(try file.number("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon") ?? 1e-5)
    isTied = try file.bool("tie_word_embeddings") ?? false
    bos = try file.integer("bos_token_id").map { Int32(clamping: $0) }
    eos = try file.integers("eos_token_id")?.map { Int32(clamping: $0) } ?? []
    isLocal = try Self.locals(file, blocks: blocks) ?? Array(repeating: false, count: min(blocks, 1 << 16))
    window = try file.sizeIfPresent("sliding_window")
    if let activation = file.value("hidden_activation", "hidden_act", "activation_function") {
      self.style.activation = try Self.activation(activation, file)
    }
    if !style.learnsPositions { rope = try Rope(file, kind: "full_attention", headSize: headSize) }
  }

  private static func activation(
    _ found: (key: String, value: JSON), _ file: FolderConfiguration
  ) throws(ImportError) -> DecoderStyle.Activation {
    switch found.value.string {
    case "silu", "swish": return .silu
    case "gelu": return .gelu
    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": return .geluTanh
    default:
      throw file.failure(
        found.key, .unsupported(what: "activation", found: found.value.string ?? "that is no text"))
    }
  }

  /// Which blocks have a window, where the file lists them.
  private static func locals(
    _ file: FolderConfiguration, blocks: Int
  ) throws(ImportError) -> [Bool]? {
    guard let list = file.value("layer_types")?.value.array else { return nil }
    guard list.count == blocks else {
      throw file.failure("layer_types", .count(what: "blocks", found: list.count, expected: blocks))
    }
    var result: [Bool] = []
    for item in list {
      switch item.string {
      case "full_attention": result.append(false)
      case "sliding_attention": result.append(true)
      default:
        throw file.failure(
          "layer_types", .unsupported(what: "kind of block", found: item.string ?? "\(item)"))
      }
    }
    return result
  }
}

extension Rope {
  /// Rotations as `rope_parameters` says it, or `rope_theta` and `rope_scaling` of older files.
  ///
  /// - Parameter kind: of blocks, where the file tells them apart.
  init(_ file: FolderConfiguration, kind: String, headSize: Int) throws(ImportError) {
    let key = file.value("rope_parameters") != nil ? "rope_parameters" : "rope_scaling"
    var values = file.value(key)?.value
    if let nested = values?[kind] { values = nested.isNull ? nil : nested }
    let parameters = RopeParameters(file: file, key: key, values: values)
    let around = try file.number("rope_theta", "rotary_emb_base")
    base = try parameters.number("rope_theta") ?? around ?? 10_000
    let shareAround = try file.number("partial_rotary_factor", "rotary_pct")
    let share = try parameters.number("partial_rotary_factor") ?? shareAround ?? 1
    guard base > 1, share > 0, share <= 1 else {
      throw file.failure(key, .malformed("base \(base) and rotated share \(share) are impossible"))
    }
    rotated = Int(Double(headSize) * share)
    isInterleaved = false
    scaling = try parameters.scaling(rotated: rotated)
  }
}

/// The part of a configuration that speaks of rotations.
private struct RopeParameters {
  let file: FolderConfiguration
  let key: String
  let values: JSON?

  func number(_ name: String) throws(ImportError) -> Double? {
    guard let value = values?[name], !value.isNull else { return nil }
    guard let number = value.number, number.isFinite else {
      throw file.failure(key, .malformed("\"\(name)\" is no number"))
    }
    return number
  }

  private func positive(_ name: String) throws(ImportError) -> Double {
    guard let value = try number(name) else { throw file.failure(key, .missing("\"\(name)\"")) }
    guard value > 0 else {
      throw file.failure(key, .malformed("\"\(name)\" is \(value), expected more than 0"))
    }
    return value
  }

  private func original() throws(ImportError) -> Int {
    let own = try number("original_max_position_embeddings").flatMap { Int(exactly: $0) }
    if let own, (1...DecoderConfiguration.largestSize).contains(own) { return own }
    if let around = try file.sizeIfPresent("original_max_position_embeddings") { return around }
    return try file.size("max_position_embeddings", "n_positions")
  }

  private func list(_ name: String, count: Int) throws(ImportError) -> [Double] {
    let numbers = values?[name]?.array?.compactMap(\.number) ?? []
    guard numbers.count == count, numbers.allSatisfy({ $0 > 0 }) else {
      throw file.failure(key, .count(what: "factors in \"\(name)\"", found: numbers.count, expected: count))
    }
    return numbers
  }

  func scaling(rotated: Int) throws(ImportError) -> Rope.Scaling {
    guard let values, let kind = (values["rope_type"] ?? values["type"])?.string else { return .none }
    switch kind {
    case "default": return .none
    case "linear": return .linear(try positive("factor"))
    case "dynamic": return .dynamic(factor: try positive("factor"), original: try original())
    case "llama3":
      let (low, high) = (try positive("low_freq_factor"), try positive("high_freq_factor"))
      guard high > low else {
        throw file.failure(
          key, .malformed("\"high_freq_factor\" \(high) is no more than \"low_freq_factor\" \(low)"))
      }
      return .llama3(factor: try positive("factor"), low: low, high: high, original: try original())
    case "yarn": return .yarn(try yarn())
    case "longrope", "su": return try long(rotated: rotated)
    default: throw file.failure(key, .unsupported(what: "scaling of rotations", found: kind))
    }
  }

  private func yarn() throws(ImportError) -> Rope.Yarn {
    var yarn = Rope.Yarn(factor: try positive("factor"), original: try original())
    yarn.fast = try number("beta_fast") ?? yarn.fast
    yarn.slow = try number("beta_slow") ?? yarn.slow
    yarn.isRounded = values?["truncate"]?.bool ?? true
    if let magnitude = try number("attention_factor") {
      yarn.magnitude = magnitude
    } else if let m = try number("mscale"), let all = try number("mscale_all_dim"), m > 0, all > 0 {
      func grown(_ share: Double) -> Double {
        yarn.factor <= 1 ? 1 : 0.1 * share * Rope.logarithm(yarn.factor) + 1
      }
      yarn.magnitude = grown(m) / grown(all)
    }
    return yarn
  }

  private func long(rotated: Int) throws(ImportError) -> Rope.Scaling {
    let original = try original()
    let context = try file.size("max_position_embeddings")
    let factor = try number("factor") ?? Double(context) / Double(original)
    let grown = factor <= 1 ? 1 : (1 + Rope.logarithm(factor) / Rope.logarithm(Double(original))).squareRoot()
    return .long(
      short: try list("short_factor", count: rotated / 2), long: try list("long_factor", count: rotated / 2),
      magnitude: try number("attention_factor") ?? grown, original: original)
  }
}
