import Formats
import Tensors

/// The metadata of a GGUF file, read by keys that begin with the architecture's name.
package struct GGUFConfiguration: Sendable {
  let architecture: String
  let metadata: GGUFMetadata
  let weights: WeightTable

  init(_ file: GGUFFile, architecture: String) {
    self.architecture = architecture
    metadata = file.metadata
    weights = file.weights
  }

  func key(_ name: String) -> String { "\(architecture).\(name)" }
  func integer(_ name: String) throws(ImportError) -> Int? { try metadata.integer(key(name)) }
  func number(_ name: String) throws(ImportError) -> Double? { try metadata.number(key(name)) }
  func string(_ name: String) throws(ImportError) -> String? { try metadata.string(key(name)) }
  func bool(_ name: String) throws(ImportError) -> Bool? { try metadata.bool(key(name)) }

  func failure(_ name: String, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: metadata.file, place: .metadata(key(name)), reason: reason)
  }

  /// A size or count that must be there, at least 1.
  func size(_ name: String) throws(ImportError) -> Int {
    try metadata.required(key(name), sizeIfPresent(name))
  }

  /// A size or count of at least 1, `nil` where it is not there.
  func sizeIfPresent(_ name: String) throws(ImportError) -> Int? {
    guard let value = try integer(name) else { return nil }
    guard (1...DecoderConfiguration.largestSize).contains(value) else {
      throw failure(name, .malformed("\(value) stands where a number from 1 must"))
    }
    return value
  }

  /// A small tensor of numbers, such as factors of frequencies; `nil` where there is none.
  func numbers(tensor name: String, count: Int) throws(ImportError) -> [Double]? {
    guard let tensor = weights[name] else { return nil }
    guard tensor.count == count else {
      throw ImportError(
        file: metadata.file, place: .tensor(name),
        reason: .count(what: "factors", found: tensor.count, expected: count))
    }
    let numbers = try tensor.floats(threads: 1).doubles
    guard numbers.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw ImportError(
        file: metadata.file, place: .tensor(name), reason: .malformed("a factor is not above 0"))
    }
    return numbers
  }
}

extension DecoderConfiguration {
  /// What the keys common to all architectures say.
  init(_ file: GGUFConfiguration, style: DecoderStyle, interleaves: Bool) throws(ImportError) {
    self.style = style
    let width = try file.size("embedding_length")
    let heads = try file.size("attention.head_count")
    self.width = width
    self.heads = heads
    blocks = try file.size("block_count")
    kvHeads = try file.sizeIfPresent("attention.head_count_kv") ?? heads
    contextLength = try file.size("context_length")
    feedForward = try file.size("feed_forward_length")
    guard try file.sizeIfPresent("attention.key_length") != nil || width % heads == 0 else {
      throw file.failure(
        "attention.head_count", .malformed("\(heads) heads do not divide the \(width) features of a token"))
    }
    let size = try file.sizeIfPresent("attention.key_length") ?? width / heads
    headSize = size
    let values = try file.sizeIfPresent("attention.value_length") ?? size
    guard values == size else {
      throw file.failure(
        "attention.value_length",
        .unsupported(what: "a size of values other than of keys,", found: "\(values)"))
    }
    guard let embedding = file.weights["token_embd.weight"], let rows = embedding.shape.first else {
      throw ImportError(
        file: file.metadata.file, place: .file, reason: .missing("tensor \"token_embd.weight\""))
    }
    vocabulary = rows
    let norm = style.norm == .layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"
    epsilon = Float(try file.number(norm) ?? 1e-5)
    isTied = file.weights["output.weight"] == nil
    bos = try file.metadata.integer("tokenizer.ggml.bos_token_id").map { Int32(clamping: $0) }
    eos = []
    for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
      if let id = try file.metadata.integer("tokenizer.ggml.\(key)"), !eos.contains(Int32(clamping: id)) {
        eos.append(Int32(clamping: id))
      }
    }
    isLocal = Array(repeating: false, count: min(blocks, 1 << 16))
    window = try file.integer("attention.sliding_window").flatMap { $0 > 0 ? $0 : nil }
    if window != nil { try setLocals(file, period: nil) }
    attentionScale = try file.number("attention.scale").map { Float($0) }
    if !style.learnsPositions { rope = try Rope(file, headSize: headSize, isInterleaved: interleaves) }
  }
}

extension DecoderConfiguration {
  /// Which blocks have the window: as the file lists them, else of each period all but the last, else all.
  mutating func setLocals(_ file: GGUFConfiguration, period: Int?) throws(ImportError) {
    let name = "attention.sliding_window_pattern"
    switch file.metadata[file.key(name)] {
    case .array(.bool(let list))?:
      guard list.count == blocks else {
        throw file.failure(name, .count(what: "blocks", found: list.count, expected: blocks))
      }
      isLocal = list
    case let value?:
      guard let period = value.integer, period > 0 else {
        throw file.failure(name, .malformed("it is no period"))
      }
      setPeriod(period)
    case nil: if let period { setPeriod(period) } else { isLocal = isLocal.map { _ in true } }
    }
  }
}

extension Rope {
  init(_ file: GGUFConfiguration, headSize: Int, isInterleaved: Bool) throws(ImportError) {
    base = try file.number("rope.freq_base") ?? 10_000
    rotated = try file.sizeIfPresent("rope.dimension_count") ?? headSize
    guard base > 1, rotated > 0, rotated <= headSize, rotated % 2 == 0 else {
      throw file.failure(
        "rope.dimension_count",
        .malformed("\(rotated) features are turned by base \(base) in heads of \(headSize)"))
    }
    self.isInterleaved = isInterleaved
    scaling = try Self.scaling(file, rotated: rotated)
  }

  private static func scaling(
    _ file: GGUFConfiguration, rotated: Int
  ) throws(ImportError) -> Scaling {
    if let factors = try file.numbers(tensor: "rope_freqs.weight", count: rotated / 2) {
      return factors.allSatisfy { $0 == 1 } ? .none : .factors(factors)
    }
    let context = try file.size("context_length")
    let original = try file.sizeIfPresent("rope.scaling.original_context_length") ?? context
    if let short = try file.numbers(tensor: "rope_factors_short.weight", count: rotated / 2),
      let long = try file.numbers(tensor: "rope_factors_long.weight", count: rotated / 2)
    {
      let magnitude = try file.number("rope.scaling.attn_factor") ?? 1
      return .long(short: short, long: long, magnitude: magnitude, original: original)
    }
    // Older files have the factor alone.
    let older = try file.number("rope.scale_linear")
    let factor = try file.number("rope.scaling.factor") ?? older ?? 1
    let kind = try file.string("rope.scaling.type") ?? (factor == 1 ? "none" : "linear")
    guard factor > 0, factor.isFinite else {
      throw file.failure("rope.scaling.factor", .malformed("the factor is \(factor)"))
    }
    switch kind {
    case "none": return .none
    case "linear": return factor == 1 ? .none : .linear(factor)
    case "yarn":
      var yarn = Yarn(factor: factor, original: original)
      yarn.fast = try file.number("rope.scaling.yarn_beta_fast") ?? yarn.fast
      yarn.slow = try file.number("rope.scaling.yarn_beta_slow") ?? yarn.slow
      if let share = try file.number("rope.scaling.attn_factor") {
        yarn.magnitude = share * (0.1 * logarithm(factor) + 1)
      }
      return .yarn(yarn)
    default: throw file.failure("rope.scaling.type", .unsupported(what: "scaling of rotations", found: kind))
    }
  }
}
