import Execution
import Graph
import Quantization
import Tensors
import Testing

@Suite struct BiasCorrectionTests {
  static let shape: Shape = [4, 6, 6]
  static let source = RandomSource(shapes: ["x": shape], count: 24)

  /// Every kind of layer with a bias, one without, and a bias that two layers share.
  static func network() throws -> Graph {
    var w = GraphWriter()
    w.input("x", [1] + shape)
    w.graph.inputs[0].dimensions?[0] = .free("N")
    try w.conv("plain", "x", 4, 8)
    try w.node("Relu", "relu", ["plain_out"])
    try w.conv("depthwise", "relu_out", 8, 8, group: 8)
    w.graph.nodes[2].inputs[2] = "plain_b"
    w.graph.constants["bare_w"] = w.random([6, 8, 1, 1])
    try w.node("Conv", "bare", ["depthwise_out", "bare_w"])
    w.graph.constants["up_w"] = w.random([6, 2, 2, 2])
    w.graph.constants["up_b"] = w.random([4])
    try w.node(
      "ConvTranspose", "up", ["bare_out", "up_w", "up_b"],
      attributes: ["group": .int(2), "strides": .ints([2, 2])])
    try w.node("GlobalAveragePool", "pool", ["up_out"])
    try w.node("Flatten", "flat", ["pool_out"])
    try w.gemm("fc", "flat_out", 4, 5)
    w.output("fc_out")
    return w.graph
  }

  static func candidate(
    _ graph: Graph, _ mode: Mode, bits: Int = 3, corrections: [Correction], threads: Int = 1
  ) throws -> Candidate {
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + shape)])
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: 24))
    recipe.defaults.weights.bits = bits
    recipe.corrections = corrections
    return try quantize(
      graph, infos: infos, recipe: recipe, calibration: source, threads: threads, report: { _, _ in })
  }

  /// On the inputs the quantized network gives it, each layer answers in the mean as with its float weights; without
  /// the correction it does not.
  @Test(arguments: [Mode.static, .dynamic, .weightOnly]) func meansOfEveryLayerStay(_ mode: Mode) throws {
    let graph = try Self.network()
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [24] + Self.shape)])
    let plain = try Self.candidate(graph, mode, corrections: [.foldBatchNorm])
    let corrected = try Self.candidate(graph, mode, corrections: [.foldBatchNorm, .biasCorrection])
    // The biases in codes are the floats, within half a step.
    #expect(corrected.encoded.biases.count == (mode == .static ? 5 : 0))
    for (name, bias) in corrected.encoded.biases {
      let float = try #require(corrected.encoded.graph.constants[name]).array(of: Float.self)
      for (index, code) in bias.codes.array(of: Int32.self).enumerated() {
        let step = bias.scales[index % bias.scales.count]
        #expect(abs(Float(code) * step - float[index]) <= 0.51 * step)
      }
    }
    let seen = try simulated(plain.encoded)
    for layer in ["plain", "depthwise", "bare", "up", "fc"] {
      let node = try #require(seen.nodes.first { $0.name == layer })
      var means: [[Double]] = []
      for candidate in [nil, plain, corrected] {
        var part = node
        let own = candidate.map { $0.encoded.graph } ?? graph
        let place = try #require(own.nodes.first { $0.name == layer })
        let weight = try #require(place.inputs[1])
        var probe = seen
        let tensor =
          try candidate.flatMap { $0.encoded.decodedConstant(weight, infos) } ?? #require(
            own.constants[weight])
        probe.constants["probe_w"] = tensor
        part.inputs[1] = "probe_w"
        let bias = place.inputs.count > 2 ? place.inputs[2] : nil
        part.inputs = Array(part.inputs.prefix(2)) + [bias.map { _ in "probe_b" }]
        if let bias { probe.constants["probe_b"] = own.constants[bias] }
        part.name = "probe"
        part.outputs = ["probe"]
        probe.nodes.append(part)
        probe.outputs = [ValueInfo(name: "probe", type: .float32, dimensions: nil)]
        means.append(try Self.channelMeans(probe))
      }
      let size = means[0].map(abs).max() ?? 0
      func distance(_ a: Int) -> Double { zip(means[a], means[0]).map { abs($0 - $1) }.max() ?? 0 }
      #expect(distance(1) > 1e-3 * size, "\(layer): rounding moves the mean")
      #expect(distance(2) < 1e-4 * size, "\(layer): \(distance(2)) of \(size)")
    }
  }

  static func channelMeans(_ graph: Graph) throws -> [Double] {
    let inputs = try source.batch(0..<24)
    let options = CompileOptions(inputShapes: ["x": [24] + shape], threads: 1)
    let y = try #require(try compile(EncodedGraph(graph: graph), options).run(inputs)["probe"])
    let channels = y.shape[1]
    let plane = y.shape.dropFirst(2).reduce(1, *)
    var sums = [Double](repeating: 0, count: channels)
    for (index, value) in y.array(of: Float.self).enumerated() {
      sums[index / plane % channels] += Double(value)
    }
    return sums.map { $0 / Double(24 * plane) }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2].map {
      try Self.candidate(
        Self.network(), .static, corrections: [.biasCorrection], threads: $0
      ).encoded.biases.mapValues { $0.codes.array(of: Int32.self) }
    }
    #expect(results[0] == results[1])
  }

  /// A layer may say that it wants none.
  @Test func rulesChooseTheLayers() throws {
    let graph = try Self.network()
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + Self.shape)])
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .dynamic))
    recipe.corrections = [.biasCorrection]
    var change = SettingsChange()
    change.corrections = []
    recipe.rules = [Rule(match: Match(names: ["plain"]), change: change)]
    let found = try quantize(
      graph, infos: infos, recipe: recipe, calibration: Self.source, threads: 1, report: { _, _ in })
    let layer = try #require(found.encoded.graph.nodes.first { $0.name == "plain" })
    #expect(layer.inputs[2] == "plain_b")
    #expect(throws: QuantizationError.self) {
      try quantize(graph, infos: infos, recipe: recipe, calibration: nil, threads: 1, report: { _, _ in })
    }
  }
}
