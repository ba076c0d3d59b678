import Execution
import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing

/// Corrections that reshape the float network.
@Suite struct ReshapingTests {
  static let shape: Shape = [4, 6, 6]

  /// Samples whose channels differ in size by a factor of up to 30.
  struct Uneven: CalibrationSource {
    let count = 24
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
      let plain = try #require(RandomSource(shapes: ["x": shape], count: count).batch(range)["x"])
      let elements = plain.array(of: Float.self).enumerated().map { index, x in
        x * [0.2, 1, 6, 0.5][index / 36 % 4]
      }
      return ["x": Tensor(elements, shape: plain.shape)]
    }
  }

  /// Convolutions with ReLU6 and ReLU between them, a depthwise one, one with groups, a pool, rows, and a value with two
  /// readers; rows of weights differ in size.
  static func network() throws -> Graph {
    var w = GraphWriter()
    w.input("x", [1] + shape)
    w.graph.inputs[0].dimensions?[0] = .free("N")
    w.graph.constants["zero"] = Tensor(scalar: Float(0))
    w.graph.constants["six"] = Tensor(scalar: Float(6))
    try w.conv("first", "x", 4, 8)
    try w.node("Clip", "clip", ["first_out", "zero", "six"])
    try w.conv("depthwise", "clip_out", 8, 8, group: 8)
    try w.node("Clip", "clip2", ["depthwise_out", "zero", "six"])
    w.graph.constants["point_w"] = w.random([8, 8, 1, 1])
    w.graph.constants["point_b"] = Tensor([Float](repeating: 30, count: 8), shape: [8])
    try w.node("Conv", "point", ["clip2_out", "point_w", "point_b"])
    try w.node("Relu", "relu", ["point_out"])
    w.graph.constants["mix_w"] = w.random([8, 4, 1, 1])
    w.graph.constants["mix_b"] = w.random([8])
    try w.node("Conv", "mix", ["relu_out", "mix_w", "mix_b"], attributes: ["group": .int(2)])
    try w.node("GlobalAveragePool", "pool", ["mix_out"])
    try w.node("Flatten", "flat", ["pool_out"])
    try w.gemm("left", "flat_out", 8, 5)
    w.graph.constants["right_w"] = w.random([8, 5])
    try w.node("MatMul", "right", ["flat_out", "right_w"])
    try w.node("Add", "sum", ["left_out", "right_out"])
    w.output("sum_out")
    for name in ["first_w", "depthwise_w", "point_w", "mix_w"] {
      let tensor = try #require(w.graph.constants[name])
      let row = tensor.count / tensor.shape[0]
      w.graph.constants[name] = Tensor(
        tensor.array(of: Float.self).enumerated().map { $1 * pow(1.7, Float($0 / row % 5)) },
        shape: tensor.shape)
    }
    return w.graph
  }

  static func infos(_ graph: Graph) throws -> [ValueName: OperandInfo] {
    try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + shape)])
  }

  static func recipe(_ corrections: [Correction], _ mode: Mode = .static, bits: Int = 8) -> Recipe {
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: 24))
    recipe.defaults.weights.bits = bits
    recipe.corrections = corrections
    return recipe
  }

  static func reshaped(_ graph: Graph, _ recipe: Recipe, threads: Int = 1) throws -> ReshapedGraph {
    try Quantization.reshaped(
      graph, infos: infos(graph), recipe: recipe, calibration: Uneven(), threads: threads, report: { _, _ in }
    )
  }

  static func answers(_ encoded: EncodedGraph) throws -> [Float] {
    let options = CompileOptions(inputShapes: ["x": [24] + shape], threads: 1)
    let outputs = try compile(encoded, options).run(Uneven().batch(0..<24))
    return try #require(outputs.values.first).array(of: Float.self)
  }

  static func distance(_ a: [Float], _ b: [Float]) -> Double {
    let (signal, noise) = zip(a, b).reduce(into: (0.0, 0.0)) { sums, pair in
      sums.0 += Double(pair.0) * Double(pair.0)
      sums.1 += Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
    }
    return noise / signal
  }

  static let reshaping = Correction.allCases.filter(\.reshapesGraph)

  /// The function stays, though the weights do not; every correction finds something here.
  @Test(arguments: reshaping) func functionStays(_ correction: Correction) throws {
    let graph = try Self.network()
    let mode: Mode = correction == .awq ? .weightOnly : .static
    let found = try Self.reshaped(graph, Self.recipe([correction], mode, bits: 4))
    let (before, after) = (
      try Self.answers(EncodedGraph(graph: graph)), try Self.answers(EncodedGraph(graph: found.graph))
    )
    let largest = before.map(abs).max() ?? 0
    for (x, y) in zip(before, after) { #expect(abs(x - y) <= 1e-4 * largest) }
    let changed = graph.constants.filter { name, tensor in
      found.graph.constants[name]?.array(of: Float.self) != tensor.array(of: Float.self)
    }
    #expect(!changed.isEmpty)
    #expect(found.notes.count == 1)
  }

  /// Any order of corrections keeps the function, and threads do not count.
  @Test func allOfThemTogether() throws {
    let graph = try Self.network()
    let recipe = Self.recipe(Self.reshaping.reversed())
    let (one, four) = (try Self.reshaped(graph, recipe), try Self.reshaped(graph, recipe, threads: 4))
    let before = try Self.answers(EncodedGraph(graph: graph))
    #expect(Self.distance(before, try Self.answers(EncodedGraph(graph: one.graph))) < 1e-9)
    for (name, tensor) in one.graph.constants {
      #expect(four.graph.constants[name]?.array(of: Float.self) == tensor.array(of: Float.self))
    }
  }

  @Test func equalizationMakesRangesEqual() throws {
    let graph = try Self.network()
    let found = try Self.reshaped(graph, Self.recipe([.crossLayerEqualization])).graph
    func largest(_ name: String, byRow: Bool) throws -> [Float] {
      let tensor = try #require(found.constants[name])
      let (rows, row) = (tensor.shape[0], tensor.count / tensor.shape[0])
      let values = tensor.array(of: Float.self)
      var result = [Float](repeating: 0, count: byRow ? rows : row)
      for (index, x) in values.enumerated() {
        let place = byRow ? index / row : index % row
        result[place] = max(result[place], abs(x))
      }
      return result
    }
    for (given, read) in zip(try largest("depthwise_w", byRow: true), try largest("point_w", byRow: false)) {
      #expect(abs(given / read - 1) < 0.01)
    }
    // ReLU6 has become a bound of each channel.
    let clip = try #require(found.nodes.first { $0.name == "clip" })
    #expect(clip.op is Relu)
    let bounds = try #require(found.nodes.first { $0.outputs[0] == clip.inputs[0] }?.inputs[1])
    #expect(Set(try #require(found.constants[bounds]).array(of: Float.self)).count == 8)
  }

  /// The bounds of channels are kept in integers, and they do bind.
  @Test func channelBoundsInIntegers() throws {
    let graph = try Self.network()
    let candidate = try quantize(
      graph, infos: Self.infos(graph), recipe: Self.recipe([.crossLayerEqualization]), calibration: Uneven(),
      threads: 1, report: { _, _ in })
    let program = try compile(
      candidate.encoded, CompileOptions(inputShapes: ["x": [24] + Self.shape], threads: 1))
    #expect(!program.steps.contains { $0.kernel.contains("Min") || $0.kernel.contains("Relu") })
    let integer = try Self.answers(candidate.encoded)
    let simulation = try Self.answers(EncodedGraph(graph: simulated(candidate.encoded)))
    #expect(Self.distance(simulation, integer) < 1e-4)
    var unbounded = candidate.encoded
    for (name, tensor) in unbounded.graph.constants where name.contains("bounds") {
      unbounded.graph.constants[name] = Tensor(
        [Float](repeating: 1e30, count: tensor.count), shape: tensor.shape)
    }
    #expect(Self.distance(simulation, try Self.answers(unbounded)) > 1e-3)
  }

  /// Channels that differ in size have codes of their own size after SmoothQuant, with the α of the paper and with one
  /// that is searched.
  @Test func smoothingTakesNoiseAway() throws {
    let graph = try Self.network()
    let float = try Self.answers(EncodedGraph(graph: graph))
    func noise(_ recipe: Recipe) throws -> Double {
      let candidate = try quantize(
        graph, infos: Self.infos(graph), recipe: recipe, calibration: Uneven(), threads: 1,
        report: { _, _ in })
      return Self.distance(float, try Self.answers(EncodedGraph(graph: simulated(candidate.encoded))))
    }
    var coarse = Self.recipe([])
    coarse.defaults.activations = ActivationSettings(bits: 5, observer: .minMax)
    let plain = try noise(coarse)
    coarse.corrections = [.smoothQuant]
    #expect(try noise(coarse) < 0.7 * plain)
    coarse.smoothing = 0.5
    #expect(try noise(coarse) < plain)
  }

  @Test func activationAwareWeights() throws {
    let graph = try Self.network()
    let float = try Self.answers(EncodedGraph(graph: graph))
    func noise(_ corrections: [Correction]) throws -> Double {
      let candidate = try quantize(
        graph, infos: Self.infos(graph), recipe: Self.recipe(corrections, .weightOnly, bits: 3),
        calibration: Uneven(), threads: 1, report: { _, _ in })
      return Self.distance(float, try Self.answers(candidate.encoded))
    }
    #expect(try noise([.awq]) < 0.8 * noise([]))
  }

  /// What training takes out of a weight again is what it was.
  @Test func foldedNormsStay() throws {
    var graph = try Self.network()
    let random = (0..<8).map { 0.5 + Float($0) / 8 }
    let norm = FoldedNorm(
      bias: "point_b", gain: random, shift: random, mean: random, variance: random, epsilon: 1e-3)
    graph.foldedNorms["point_w"] = norm
    let found = try Self.reshaped(graph, Self.recipe([.crossLayerEqualization])).graph
    let changed = try #require(found.foldedNorms["point_w"])
    #expect(changed.gain != norm.gain)
    for row in 0..<8 {
      let factor = changed.gain[row] / norm.gain[row]
      #expect(abs(changed.shift[row] / norm.shift[row] / factor - 1) < 1e-5)
      let bias = try #require(found.constants["point_b"]).array(of: Float.self)[row]
      #expect(abs(bias / 30 / factor - 1) < 1e-5)
    }
  }

  @Test func samplesAreAskedFor() throws {
    let graph = try Self.network()
    #expect(throws: QuantizationError.self) {
      try quantize(
        graph, infos: Self.infos(graph), recipe: Self.recipe([.awq], .weightOnly), calibration: nil,
        threads: 1,
        report: { _, _ in })
    }
  }
}
