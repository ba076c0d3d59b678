import Execution
import Graph
import Quantization
import Tensors
import Testing

/// What methods that go by samples are tried on.
enum RoundingNetwork {
  static let shape: Shape = [4, 6, 6]

  /// Samples whose channels go together, so that errors of one can be made up for by others.
  struct Correlated: CalibrationSource {
    let count = 24
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
      var elements: [Float] = []
      for sample in range {
        var writer = GraphWriter(seed: UInt64(sample) &* 7919 &+ 17)
        let common = writer.random([36]).array(of: Float.self)
        for _ in 0..<4 {
          elements += zip(common, writer.random([36]).array(of: Float.self)).map { $0 + 0.3 * $1 }
        }
      }
      return ["x": Tensor(elements, shape: [range.count] + RoundingNetwork.shape)]
    }
  }

  /// A convolution with groups between two without, and products whose weights lie both ways.
  static func network() throws -> Graph {
    var w = GraphWriter()
    w.input("x", [1] + shape)
    w.graph.inputs[0].dimensions?[0] = .free("N")
    try w.conv("first", "x", 4, 8)
    try w.node("Relu", "relu", ["first_out"])
    try w.conv("grouped", "relu_out", 8, 8, group: 2)
    try w.conv("depthwise", "grouped_out", 8, 8, group: 8)
    try w.node("GlobalAveragePool", "pool", ["depthwise_out"])
    try w.node("Flatten", "flat", ["pool_out"])
    try w.gemm("fc", "flat_out", 8, 12)
    w.graph.constants["columns_w"] = w.random([12, 5])
    try w.node("MatMul", "columns", ["fc_out", "columns_w"])
    w.output("columns_out")
    return w.graph
  }

  static func candidate(
    _ mode: Mode, _ method: Quantization.Method, granularity: Scheme.Granularity = .channel,
    scale: WeightSettings.Scale? = nil, threads: Int = 1,
    source: (any CalibrationSource)? = Correlated()
  ) throws -> Candidate {
    let graph = try network()
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + shape)])
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: 24))
    recipe.defaults.weights.bits = 3
    recipe.defaults.weights.granularity = granularity
    recipe.defaults.weights.scale = scale
    recipe.defaults.weights.method = method
    return try quantize(
      graph, infos: infos, recipe: recipe, calibration: source, threads: threads, report: { _, _ in })
  }

  /// The layers, in order.
  static let layers = ["first", "grouped", "depthwise", "fc", "columns"]

  /// The squared distance of a layer's output, behind the clamp that follows, with the weights of one candidate on
  /// what another gives it: from float weights there, or from the float network.
  static func error(
    _ layer: String, of candidate: Candidate, onInputsOf other: Candidate, fromFloatNetwork: Bool = false
  ) throws -> Float {
    let simulation = try simulated(other.encoded)
    let node = try #require(simulation.nodes.first { $0.name == layer })
    let weight = try #require(node.inputs[1])
    func output(_ tensor: Tensor, _ graph: Graph) throws -> [Float] {
      var graph = graph
      let read = try #require(graph.nodes.first { $0.name == layer }).inputs[0]
      graph.constants["probe_w"] = tensor
      graph.nodes.append(
        Node(
          name: "probe", op: node.op, inputs: [read, "probe_w"] + node.inputs.dropFirst(2), outputs: ["probe"]
        ))
      graph.outputs = [ValueInfo(name: "probe", type: .float32, dimensions: nil)]
      let options = CompileOptions(inputShapes: ["x": [24] + shape], threads: 1)
      let found = try compile(EncodedGraph(graph: graph), options).run(Correlated().batch(0..<24))["probe"]
      return try #require(found).array(of: Float.self).map { layer == "first" ? max($0, 0) : $0 }
    }
    let expected = try output(
      #require(candidate.encoded.graph.constants[weight]),
      fromFloatNetwork ? candidate.encoded.graph : simulation)
    let rounded = try output(#require(candidate.encoded.decodedConstant(weight, [:])), simulation)
    return zip(rounded, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
