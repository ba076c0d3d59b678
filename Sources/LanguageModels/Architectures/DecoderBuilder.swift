import Graph
import Operators
import Tensors

/// Builds the graph of a decoder: inputs `tokens` and `positions` int64 `[batch, length]`, output `logits`
/// `[batch, length, vocabulary]`; between them rows of features `[batch · length, width]`.
struct DecoderBuilder {
  private let configuration: DecoderConfiguration
  private let positions: Int
  private let threads: Int
  /// The constant of this name and shape.
  private let weight: (ValueName, Shape) throws -> Tensor
  private let hasBias: (String) -> Bool
  private var graph = Graph()

  /// - Parameters:
  ///   - positions: positions a token may have.
  ///   - weight: reads a constant, or throws why it cannot.
  ///   - hasBias: whether the layer of this name has a bias.
  static func graph(
    _ configuration: DecoderConfiguration, name: String, positions: Int, threads: Int,
    weight: @escaping (ValueName, Shape) throws -> Tensor, hasBias: @escaping (String) -> Bool
  ) throws -> Graph {
    var builder = DecoderBuilder(
      configuration: configuration, positions: positions, threads: threads, weight: weight, hasBias: hasBias)
    try builder.build(name)
    return builder.graph
  }

  private init(
    configuration: DecoderConfiguration, positions: Int, threads: Int,
    weight: @escaping (ValueName, Shape) throws -> Tensor, hasBias: @escaping (String) -> Bool
  ) {
    self.configuration = configuration
    self.positions = positions
    self.threads = threads
    self.weight = weight
    self.hasBias = hasBias
  }

  private mutating func build(_ name: String) throws {
    let c = configuration
    let sequence: [Dimension] = [.free("batch"), .free("length")]
    graph.name = name
    graph.inputs = [
      ValueInfo(name: Names.tokens, type: .int64, dimensions: sequence),
      ValueInfo(name: Names.positions, type: .int64, dimensions: sequence),
    ]
    graph.outputs = [
      ValueInfo(name: Names.logits, type: .float32, dimensions: sequence + [.fixed(c.vocabulary)])
    ]
    graph.constants[Names.flat] = Tensor([Int64(-1)], shape: [1])
    let shape = add("sequence", try ShapeOf(attributes: [:]), Names.tokens)
    _ = add(Names.folded, Concat(axis: 0), shape, Names.flat)
    graph.constants[Names.attended] = Tensor([-1, Int64(c.heads * c.headSize)], shape: [2])
    rotations(c.rope, Names.rotation)
    if c.localRope != nil { rotations(c.localRope, Names.localRotation) }

    var x = try embedding()
    for block in 0..<c.blocks { x = try self.block(block, x) }
    x = try norm("norm", x)
    let table = c.isTied ? "embedding" : "output"
    var logits = try linear("output", x, c.width, c.vocabulary, weight: table + ".weight")
    if let cap = c.outputCap {
      logits = scaled("output/divided", logits, by: 1 / cap)
      logits = scaled("output/capped", add("output/tanh", Tanh(), logits), by: cap)
    }
    _ = add(Names.logits, Reshape(), logits, Names.folded)
  }

  private mutating func embedding() throws -> ValueName {
    let c = configuration
    let tokens = add("embedding/rows", Reshape(), Names.tokens, Names.flat)
    try constant("embedding.weight", [c.vocabulary, c.width])
    var x = add("embedding", Gather(), "embedding.weight", tokens)
    if c.style.scalesEmbedding { x = scaled("embedding/scaled", x, by: Float(c.width).squareRoot()) }
    guard c.style.learnsPositions else { return x }
    try constant("position-embedding.weight", [c.contextLength, c.width])
    let places = add("position-embedding/rows", Reshape(), Names.positions, Names.flat)
    let learned = add("position-embedding", Gather(), "position-embedding.weight", places)
    return add("embedding/placed", Add(), x, learned)
  }

  private mutating func block(_ block: Int, _ x: ValueName) throws -> ValueName {
    let name = "blocks/\(block)/"
    let style = configuration.style
    var attended = try attention(block, name, norm(name + "attention-norm", x))
    if style.hasPostNorms { attended = try norm(name + "attention-post-norm", attended) }
    let middle = add(name + "attention-residual", Add(), x, attended)
    let read = try norm(name + "feed-forward-norm", style.isParallel ? x : middle)
    var forwarded = try feedForward(name + "feed-forward", read)
    if style.hasPostNorms { forwarded = try norm(name + "feed-forward-post-norm", forwarded) }
    return add(name + "feed-forward-residual", Add(), middle, forwarded)
  }

  private mutating func attention(_ block: Int, _ name: String, _ x: ValueName) throws -> ValueName {
    let c = configuration
    let name = name + "attention/"
    let (queries, keys) = (c.heads * c.headSize, c.kvHeads * c.headSize)
    var q = try linear(name + "q", x, c.width, queries)
    var k = try linear(name + "k", x, c.width, keys)
    let v = try linear(name + "v", x, c.width, keys)
    if c.style.hasHeadNorms {
      q = try headNorm(name + "q-norm", q)
      k = try headNorm(name + "k-norm", k)
    }
    q = add(name + "q-heads", Reshape(), q, Names.folded)
    k = add(name + "k-heads", Reshape(), k, Names.folded)
    if let rope = c.rope(block: block) {
      let table = c.isLocal[block] && c.localRope != nil ? Names.localRotation : Names.rotation
      let rotated = rope.rotated == c.headSize ? 0 : rope.rotated
      func turn(_ heads: Int) -> RotaryEmbedding {
        RotaryEmbedding(isInterleaved: rope.isInterleaved, rotated: rotated, heads: heads)
      }
      q = add(name + "rotate-q", turn(c.heads), q, table + ".cosines", table + ".sines", Names.positions)
      k = add(name + "rotate-k", turn(c.kvHeads), k, table + ".cosines", table + ".sines", Names.positions)
    }
    let values = add(name + "v-heads", Reshape(), v, Names.folded)
    let op = Attention(
      isCausal: true, heads: c.heads, kvHeads: c.kvHeads, scale: c.attentionScale,
      softcap: c.attentionCap ?? 0,
      window: c.window(block: block))
    let scores = add(name + "scores", op, q, k, values)
    let rows = add(name + "rows", Reshape(), scores, Names.attended)
    return try linear(name + "output", rows, queries, c.width)
  }

  private mutating func feedForward(_ name: String, _ x: ValueName) throws -> ValueName {
    let c = configuration
    let activation: any Operator =
      switch c.style.activation {
      case .silu: try Swish(attributes: [:])
      case .gelu: try Gelu(attributes: [:])
      case .geluTanh: try Gelu(attributes: ["approximate": .string("tanh")])
      }
    let inner: ValueName
    if c.style.isGated {
      let gate = add(
        name + "/activation", activation, try linear(name + "/gate", x, c.width, c.feedForward))
      inner = add(name + "/product", Mul(), gate, try linear(name + "/up", x, c.width, c.feedForward))
    } else {
      inner = add(name + "/activation", activation, try linear(name + "/up", x, c.width, c.feedForward))
    }
    return try linear(name + "/down", inner, c.feedForward, c.width)
  }

  // MARK: Pieces

  private enum Names {
    static let tokens = "tokens"
    static let positions = "positions"
    static let logits = "logits"
    /// −1: all in one axis.
    static let flat = "shape.flat"
    /// Batch, length and −1.
    static let folded = "sequence/folded"
    /// −1 and the features of all heads.
    static let attended = "shape.attended"
    static let rotation = "rotation"
    static let localRotation = "local-rotation"
  }

  private mutating func add(_ name: String, _ op: any Operator, _ inputs: ValueName...) -> ValueName {
    graph.nodes.append(Node(name: name, op: op, inputs: inputs, outputs: [name]))
    return name
  }

  private mutating func constant(_ name: ValueName, _ shape: Shape) throws {
    if graph.constants[name] == nil { graph.constants[name] = try weight(name, shape) }
  }

  /// x · Wᵀ + b with W `[outputs, inputs]`.
  private mutating func linear(
    _ name: String, _ x: ValueName, _ inputs: Int, _ outputs: Int, weight: ValueName? = nil
  ) throws -> ValueName {
    let weight = weight ?? name + ".weight"
    try constant(weight, [outputs, inputs])
    guard hasBias(name) else { return add(name, Gemm(transposesB: true), x, weight) }
    try constant(name + ".bias", [outputs])
    return add(name, Gemm(transposesB: true), x, weight, name + ".bias")
  }

  private mutating func norm(_ name: String, _ x: ValueName) throws -> ValueName {
    let c = configuration
    try constant(name + ".weight", [c.width])
    switch c.style.norm {
    case .rootMeanSquare: return add(name, RMSNormalization(epsilon: c.epsilon), x, name + ".weight")
    case .layer:
      try constant(name + ".bias", [c.width])
      return add(name, LayerNormalization(epsilon: c.epsilon), x, name + ".weight", name + ".bias")
    }
  }

  /// Normalises each head by itself.
  private mutating func headNorm(_ name: String, _ x: ValueName) throws -> ValueName {
    let size = configuration.headSize
    graph.constants["shape.heads"] = Tensor([-1, Int64(size)], shape: [2])
    try constant(name + ".weight", [size])
    let heads = add(name + "-rows", Reshape(), x, "shape.heads")
    return add(name, RMSNormalization(epsilon: configuration.epsilon), heads, name + ".weight")
  }

  private mutating func scaled(_ name: String, _ x: ValueName, by factor: Float) -> ValueName {
    graph.constants[name + ".factor"] = Tensor(scalar: factor)
    return add(name, Mul(), x, name + ".factor")
  }

  private mutating func rotations(_ rope: Rope?, _ name: String) {
    guard let rope else { return }
    let tables = rope.tables(positions: positions, threads: threads)
    graph.constants[name + ".cosines"] = tables.cosines
    graph.constants[name + ".sines"] = tables.sines
  }
}
