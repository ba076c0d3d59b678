import Graph
import Operators
import Tensors

/// A decoder of two blocks with random weights, built of the operators that real ones have.
struct TinyDecoder {
  static let vocabulary = 61
  static let positions = 400

  var heads = 4
  var kvHeads = 2
  var size = 8
  var window = 0
  var softcap: Float = 0
  var isInterleaved = false

  private static let feedForward = 40
  private var width: Int { heads * size }

  /// Inputs `tokens` and `positions` `[1, length]`, output `logits` `[1, length, vocabulary]`.
  func graph(seed: UInt64 = 1) -> Graph {
    var random = SplitMix64(seed: seed)
    var graph = Graph()
    func weights(_ name: ValueName, _ shape: [Int], scale: Float) {
      graph.constants[name] = Tensor(
        (0..<shape.reduce(1, *)).map { _ in Float(random.unit() * 2 - 1) * scale }, shape: shape)
    }
    func add(_ name: ValueName, _ op: any Operator, _ inputs: ValueName...) -> ValueName {
      graph.nodes.append(Node(name: name, op: op, inputs: inputs, outputs: [name]))
      return name
    }
    func shape(_ name: ValueName, _ sizes: [Int]) -> ValueName {
      graph.constants[name] = Tensor(sizes.map(Int64.init), shape: [sizes.count])
      return name
    }
    func linear(_ name: String, _ x: ValueName, _ inputs: Int, _ outputs: Int) -> ValueName {
      weights(name + ".weight", [outputs, inputs], scale: 1.7 / Float(inputs).squareRoot())
      return add(name, Gemm(transposesB: true), x, name + ".weight")
    }
    func norm(_ name: String, _ x: ValueName) -> ValueName {
      graph.constants[name + ".weight"] = Tensor(
        (0..<width).map { _ in Float(random.unit() + 0.5) }, shape: [width])
      return add(name, RMSNormalization(epsilon: 1e-5), x, name + ".weight")
    }
    for name in ["tokens", "positions"] {
      graph.inputs.append(ValueInfo(name: name, type: .int64, dimensions: [.fixed(1), .free("length")]))
    }
    for name in ["cosines", "sines"] { weights(name, [Self.positions, size / 2], scale: 1) }
    let (flat, folded) = (shape("flat", [-1]), shape("folded", [1, -1, width]))
    let kvFolded = shape("kv-folded", [1, -1, kvHeads * size])
    let rows = shape("rows", [-1, width])
    weights("embedding.weight", [Self.vocabulary, width], scale: 1)
    var x = add("embedding", Gather(), "embedding.weight", add("flat-tokens", Reshape(), "tokens", flat))
    for block in 0..<2 {
      let name = "blocks/\(block)/"
      let a = norm(name + "attention-norm", x)
      let turn = { RotaryEmbedding(isInterleaved: isInterleaved, heads: $0) }
      var q = add(name + "q-heads", Reshape(), linear(name + "attention/q", a, width, width), folded)
      q = add(name + "attention/rotate-q", turn(heads), q, "cosines", "sines", "positions")
      var k = add(
        name + "k-heads", Reshape(), linear(name + "attention/k", a, width, kvHeads * size), kvFolded)
      k = add(name + "attention/rotate-k", turn(kvHeads), k, "cosines", "sines", "positions")
      let v = add(
        name + "v-heads", Reshape(), linear(name + "attention/v", a, width, kvHeads * size), kvFolded)
      let op = Attention(isCausal: true, heads: heads, kvHeads: kvHeads, softcap: softcap, window: window)
      let scores = add(name + "attention/scores", op, q, k, v)
      let attended = add(name + "rows", Reshape(), scores, rows)
      x = add(name + "sum", Add(), x, linear(name + "attention/output", attended, width, width))
      let f = norm(name + "feed-forward-norm", x)
      let gate = linear(name + "feed-forward/gate", f, width, Self.feedForward)
      let up = linear(name + "feed-forward/up", f, width, Self.feedForward)
      let sigmoid = add(name + "sigmoid", Sigmoid(), gate)
      let inner = add(name + "product", Mul(), add(name + "silu", Mul(), gate, sigmoid), up)
      x = add(name + "sum-2", Add(), x, linear(name + "feed-forward/down", inner, Self.feedForward, width))
    }
    let logits = linear("output", norm("norm", x), width, Self.vocabulary)
    _ = add("logits", Reshape(), logits, shape("logits-shape", [1, -1, Self.vocabulary]))
    graph.outputs = [ValueInfo(name: "logits", type: .float32, dimensions: nil)]
    return graph
  }

  static func tokens(_ count: Int, seed: UInt64 = 7) -> [Int] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in random.below(vocabulary) }
  }
}

extension Graph {
  /// Logits of every token by the references of the operators, without any cache.
  func logits(_ tokens: [Int]) throws -> [[Float]] {
    let inputs = [
      "tokens": Tensor(tokens.map(Int64.init), shape: [1, tokens.count]),
      "positions": Tensor((0..<tokens.count).map(Int64.init), shape: [1, tokens.count]),
    ]
    let all = try evaluate(inputs)["logits"]?.floats ?? []
    let size = all.count / tokens.count
    return tokens.indices.map { Array(all[$0 * size..<($0 + 1) * size]) }
  }
}

/// max|a − b| / max|b|.
func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  let worst = zip(a, b).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
  return worst.isNaN ? .infinity : worst / b.reduce(Float(1e-20)) { max($0, abs($1)) }
}
