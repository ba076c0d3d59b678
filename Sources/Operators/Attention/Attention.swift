import Graph
import Tensors

/// Scaled dot-product attention with a cache of keys and values.
///
/// - Inputs: q `[batch, heads, length, size]` or `[batch, length, heads · size]`; k and v alike with `kvHeads`, of which
///   every one serves heads / kvHeads query heads; optional mask that broadcasts to `[batch, heads, length, total]`
///   (false or −∞ hides; a shorter last axis hides the rest), past keys and values `[batch, kvHeads, past, size]`, and
///   how many keys of each sample count, int64 `[batch]`.
/// - Outputs: y like q; present keys and values `[batch, kvHeads, total, size]`; scores `[batch, heads, length, total]`.
/// - Formula: softmax(softcap(q · kᵀ · scale) + mask) · v, softcap(x) = c · tanh(x / c).
/// - Source: ONNX Attention-24; `window` is an attribute of our own.
package struct Attention: Operator {
  package static let name = OperatorName("Attention", since: 24)

  /// What the fourth output shows.
  package enum Scores: Int, Sendable, CaseIterable { case raw, capped, masked, softmax }

  package var isCausal: Bool
  package var heads: Int?
  package var kvHeads: Int?
  package var scale: Float?
  package var softcap: Float
  /// Keys that a query sees at most, its own position and those before it; 0 for all.
  ///
  /// Only where attention is causal.
  package var window: Int
  package var scores: Scores
  package var softmaxType: ElementType?

  package init(
    isCausal: Bool = false, heads: Int? = nil, kvHeads: Int? = nil, scale: Float? = nil, softcap: Float = 0,
    window: Int = 0
  ) {
    precondition(window == 0 || isCausal && window > 0, "a window needs causal attention")
    self.isCausal = isCausal
    self.heads = heads
    self.kvHeads = kvHeads
    self.scale = scale
    self.softcap = softcap
    self.window = window
    scores = .raw
    softmaxType = nil
  }

  package init(attributes: Attributes) throws {
    isCausal = try attributes.isSet("is_causal")
    heads = try attributes.integerIfPresent("q_num_heads")
    kvHeads = try attributes.integerIfPresent("kv_num_heads")
    scale = try attributes.realIfPresent("scale")
    softcap = try attributes.real("softcap", default: 0)
    window = try attributes.integer("window", default: 0)
    softmaxType = try attributes.elementTypeIfSet("softmax_precision")
    let mode = try attributes.integer("qk_matmul_output_mode", default: 0)
    guard let scores = Scores(rawValue: mode) else {
      throw OperatorError("attribute \"qk_matmul_output_mode\" is \(mode) (expected 0 to 3).")
    }
    self.scores = scores
    for (name, count) in [("q_num_heads", heads), ("kv_num_heads", kvHeads)] {
      if let count, count < 1 {
        throw OperatorError("attribute \"\(name)\" is \(count) (expected at least 1).")
      }
    }
    if let scale, scale < 0 {
      throw OperatorError("attribute \"scale\" is \(scale) (expected no negative number).")
    }
    guard window == 0 || window > 0 && isCausal else {
      throw OperatorError(
        "attribute \"window\" is \(window) (expected 0, or at least 1 where attention is causal).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("is_causal", isCausal)
    writer.addIfPresent("q_num_heads", heads)
    writer.addIfPresent("kv_num_heads", kvHeads)
    writer.addIfPresent("scale", scale)
    writer.add("softcap", softcap, unless: 0)
    writer.add("window", window, unless: 0)
    writer.add("qk_matmul_output_mode", scores.rawValue, unless: 0)
    writer.addIfPresent("softmax_precision", softmaxType)
    return writer.attributes
  }

  /// The sizes that the operands agree on.
  package struct Sizes: Sendable, Hashable {
    package var batch = 0
    package var heads = 0
    package var kvHeads = 0
    /// Queries; keys that come with this call; keys before it.
    package var length = 0
    package var added = 0
    package var past = 0
    /// Features of a query and key, and of a value.
    package var size = 0
    package var valueSize = 0
    /// Whether heads are folded into the features.
    package var isFolded = false
    package var total: Int { past + added }

    package var output: Shape {
      isFolded ? [batch, length, heads * valueSize] : [batch, heads, length, valueSize]
    }
  }

  package func sizes(q: Shape, k: Shape, v: Shape, past: Shape?) throws -> Sizes {
    guard q.count == k.count, k.count == v.count, q.count == 3 || q.count == 4 else {
      throw OperatorError(
        "q, k and v have shapes \(q.shapeText), \(k.shapeText) and \(v.shapeText) (expected rank 3 or 4 for all)."
      )
    }
    var result = Sizes()
    result.batch = q[0]
    result.isFolded = q.count == 3
    result.past = past.flatMap { $0.count == 4 ? $0[2] : nil } ?? 0
    if result.isFolded {
      guard let heads, let kvHeads, q[2] % heads == 0, k[2] % kvHeads == 0, v[2] % kvHeads == 0 else {
        throw OperatorError(
          "operands of rank 3 need q_num_heads and kv_num_heads that divide their last axes.")
      }
      (result.heads, result.kvHeads) = (heads, kvHeads)
      (result.length, result.added) = (q[1], k[1])
      (result.size, result.valueSize) = (q[2] / heads, v[2] / kvHeads)
    } else {
      (result.heads, result.kvHeads) = (q[1], k[1])
      (result.length, result.added) = (q[2], k[2])
      (result.size, result.valueSize) = (q[3], v[3])
    }
    let keySize = result.isFolded ? k[2] / result.kvHeads : k[3]
    let values = result.isFolded ? v[1] : v[2]
    guard k[0] == q[0], v[0] == q[0], keySize == result.size, values == result.added, result.kvHeads > 0,
      result.heads % result.kvHeads == 0, result.isFolded || v[1] == result.kvHeads,
      past == nil || past == [result.batch, result.kvHeads, result.past, result.size]
    else {
      throw OperatorError(
        "q, k and v have shapes \(q.shapeText), \(k.shapeText) and \(v.shapeText), past keys "
          + "\(past?.shapeText ?? "none"), which do not fit each other.")
    }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let q = try inputs.required(0, "q")
    let k = try inputs.required(1, "k")
    let v = try inputs.required(2, "v")
    try expect(q.type, in: realTypes, "q")
    let past = inputs.optional(4)
    guard let qShape = q.shape, let kShape = k.shape, let vShape = v.shape, past == nil || past?.shape != nil
    else {
      let types = [q.type, k.type, v.type, q.type]
      return types.prefix(outputs).map { OperandInfo(type: $0, shape: nil) }
    }
    let s = try sizes(q: qShape, k: kShape, v: vShape, past: past?.shape)
    let all = [
      OperandInfo(type: q.type, shape: s.output),
      OperandInfo(type: k.type, shape: [s.batch, s.kvHeads, s.total, s.size]),
      OperandInfo(type: v.type, shape: [s.batch, s.kvHeads, s.total, s.valueSize]),
      OperandInfo(type: q.type, shape: [s.batch, s.heads, s.length, s.total]),
    ]
    return Array(all.prefix(outputs))
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let q = try inputs.required(0, "q")
    let k = try inputs.required(1, "k")
    let v = try inputs.required(2, "v")
    let (pastKeys, pastValues) = (inputs.optional(4), inputs.optional(5))
    guard (pastKeys == nil) == (pastValues == nil) else {
      throw OperatorError("past keys and past values go together.")
    }
    let s = try sizes(q: q.shape, k: k.shape, v: v.shape, past: pastKeys?.shape)
    if let pastValues, pastValues.shape != [s.batch, s.kvHeads, s.past, s.valueSize] {
      throw OperatorError("past values have shape \(pastValues.shape.shapeText), which does not fit v.")
    }
    let keys = try present(k, heads: s.kvHeads, past: pastKeys)
    let values = try present(v, heads: s.kvHeads, past: pastValues)
    let counts = inputs.optional(6)?.integers
    if let counts, counts.count != s.batch {
      throw OperatorError("nonpad_kv_seqlen has \(counts.count) elements (expected \(s.batch), the batch).")
    }
    let mask = try inputs.optional(3).map { try AttentionMask($0, s) }
    let run = AttentionRun(
      op: self, q: unfolded(q, heads: s.heads), k: keys, v: values, mask: mask, counts: counts, sizes: s,
      wantsScores: outputs > 3)
    let precise = q.type == .float64 || softmaxType == .float64
    let (y, scores) = try precise ? run.visit(Double.self) : run.visit(Float.self)
    let folded = s.isFolded ? y.permuted([0, 2, 1, 3]).reshaped(s.output) : y
    let all =
      [folded.converted(to: q.type), keys, values] + (scores.map { [$0.converted(to: q.type)] } ?? [])
    return Array(all.prefix(outputs))
  }

  /// `[batch, heads, length, size]`, whatever the operand's form.
  private func unfolded(_ x: Tensor, heads: Int) -> Tensor {
    guard x.rank == 3 else { return x }
    return x.reshaped([x.shape[0], x.shape[1], heads, x.shape[2] / heads]).permuted([0, 2, 1, 3])
  }

  /// The cache followed by what is new.
  private func present(_ x: Tensor, heads: Int, past: Tensor?) throws -> Tensor {
    let new = unfolded(x, heads: heads)
    guard let past else { return new }
    guard past.type == new.type else {
      throw OperatorError("the past is \(past.type.name), what follows it \(new.type.name).")
    }
    var shape = new.shape
    shape[2] += past.shape[2]
    return Tensor.joined([past, new], shape: shape, axis: 2)
  }
}

/// A mask as numbers added to the scores, read as if it had their shape.
struct AttentionMask {
  /// −∞ hides.
  let values: [Double]
  /// For batch, head, query and key.
  let strides: [Int]
  /// Keys the mask speaks of; those after them are hidden.
  let keys: Int

  init(_ mask: Tensor, _ sizes: Attention.Sizes) throws {
    keys = Swift.min(mask.shape.last ?? 1, sizes.total)
    let target = [sizes.batch, sizes.heads, sizes.length, mask.shape.last == 1 ? sizes.total : keys]
    guard broadcastShape(mask.shape, target) == target else {
      throw OperatorError(
        "the mask has shape \(mask.shape.shapeText), which does not fit scores of "
          + "\([sizes.batch, sizes.heads, sizes.length, sizes.total].shapeText).")
    }
    strides = mask.shape.broadcastStrides(to: target)
    values = mask.type == .bool ? mask.doubles.map { $0 != 0 ? 0 : -.infinity } : mask.doubles
  }
}
