import Execution
import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing

@Suite struct GPTQTests {
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
      return ["x": Tensor(elements, shape: [range.count] + GPTQTests.shape)]
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
    _ mode: Mode, _ method: Quantization.Method, granularity: Scheme.Granularity = .channel, threads: Int = 1
  ) throws -> Candidate {
    let graph = try network()
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + shape)])
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: 24))
    recipe.defaults.weights.bits = 3
    recipe.defaults.weights.granularity = granularity
    recipe.defaults.weights.method = method
    return try quantize(
      graph, infos: infos, recipe: recipe, calibration: Correlated(), threads: threads, report: { _, _ in })
  }

  /// On the layer's own inputs, rounding so leaves less of an error than rounding to nearest.
  @Test(arguments: [Mode.weightOnly, .static]) func everyLayerIsNearer(_ mode: Mode) throws {
    let (plain, found) = (try Self.candidate(mode, .nearest), try Self.candidate(mode, .gptq))
    let inputs = try Correlated().batch(0..<24)
    let options = CompileOptions(inputShapes: ["x": [24] + Self.shape], threads: 1)
    let simulation = try simulated(found.encoded)
    for layer in ["first", "grouped", "depthwise", "fc", "columns"] {
      let node = try #require(simulation.nodes.first { $0.name == layer })
      let weight = try #require(node.inputs[1])
      let original = try #require(found.encoded.graph.constants[weight])
      func output(_ tensor: Tensor) throws -> [Float] {
        var graph = simulation
        graph.constants["probe_w"] = tensor
        graph.nodes.append(
          Node(name: "probe", op: node.op, inputs: [node.inputs[0], "probe_w"], outputs: ["probe"]))
        graph.outputs = [ValueInfo(name: "probe", type: .float32, dimensions: nil)]
        return try #require(compile(EncodedGraph(graph: graph), options).run(inputs)["probe"]).array(
          of: Float.self)
      }
      let expected = try output(original)
      func error(_ candidate: Candidate) throws -> Float {
        let rounded = try #require(candidate.encoded.decodedConstant(weight, [:]))
        return zip(try output(rounded), expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let (nearest, gptq) = (try error(plain), try error(found))
      // Nine taps of a channel have little to make up for each other with.
      #expect(gptq < (layer == "depthwise" ? 0.99 : 0.8) * nearest, "\(layer): \(gptq) of \(nearest)")
      #expect(plain.encoded.weights[weight]?.encoding == found.encoded.weights[weight]?.encoding)
    }
  }

  @Test func groupsHaveTheirOwnScales() throws {
    let found = try Self.candidate(.weightOnly, .gptq, granularity: .group(4))
    #expect(try #require(found.encoded.weights["fc_w"]).encoding.scales.count == 24)
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2].map {
      try Self.candidate(.static, .gptq, threads: $0).encoded.weights.mapValues {
        $0.codes.array(of: Int8.self)
      }
    }
    #expect(results[0] == results[1])
  }
}
