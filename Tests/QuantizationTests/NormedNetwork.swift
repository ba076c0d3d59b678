import Execution
import Graph
import Quantization
import Tensors
import Testing

/// Convolutions whose folded batch norms have the statistics that the samples really give them.
enum NormedNetwork {
  static let shape: Shape = [4, 6, 6]
  static let count = 24
  static let source = RandomSource(shapes: ["x": shape], count: count)
  static let layers = ["first", "second", "third"]
  static let epsilon: Float = 1e-5

  /// Two layers, a sum of their outputs behind clamps, a third and a product without a norm.
  static func network() throws -> Graph {
    var w = GraphWriter(seed: 11)
    w.input("x", [1] + shape)
    w.graph.inputs[0].dimensions?[0] = .free("N")
    try w.conv("first", "x", 4, 8)
    try normalize("first", &w)
    try w.node("Relu", "relu", ["first_out"])
    try w.conv("second", "relu_out", 8, 8)
    try normalize("second", &w)
    try w.node("Add", "sum", ["second_out", "relu_out"])
    w.graph.constants["low"] = Tensor(scalar: Float(0))
    w.graph.constants["high"] = Tensor(scalar: Float(6))
    try w.node("Clip", "relu6", ["sum_out", "low", "high"])
    try w.conv("third", "relu6_out", 8, 6, group: 2)
    try normalize("third", &w)
    try w.node("GlobalAveragePool", "pool", ["third_out"])
    try w.node("Flatten", "flat", ["pool_out"])
    try w.gemm("fc", "flat_out", 6, 5)
    w.output("fc_out")
    return w.graph
  }

  /// Folds a batch norm into the layer last written, with the mean and variance that the layer has on the samples.
  private static func normalize(_ name: String, _ w: inout GraphWriter) throws {
    let channels = try #require(w.graph.constants["\(name)_b"]).count
    w.graph.constants["\(name)_b"] = Tensor([Float](repeating: 0, count: channels), shape: [channels])
    let seen = try moments(w.graph, of: "\(name)_out")
    let gain = w.random([channels]).array(of: Float.self).map { 0.75 + $0 / 2 }
    let shift = w.random([channels]).array(of: Float.self)
    let factors = gain.indices.map { gain[$0] / Float(seen[$0].variance + Double(epsilon)).squareRoot() }
    let weight = try #require(w.graph.constants["\(name)_w"])
    let run = weight.count / channels
    w.graph.constants["\(name)_w"] = Tensor(
      weight.array(of: Float.self).enumerated().map { $1 * factors[$0 / run] }, shape: weight.shape)
    w.graph.constants["\(name)_b"] = Tensor(
      gain.indices.map { shift[$0] - Float(seen[$0].mean) * factors[$0] }, shape: [channels])
    w.graph.foldedNorms["\(name)_w"] = FoldedNorm(
      bias: "\(name)_b", gain: gain, shift: shift, mean: seen.map { Float($0.mean) },
      variance: seen.map { Float($0.variance) }, epsilon: epsilon)
  }

  /// Mean and variance of the channels of a value on the samples.
  static func moments(_ graph: Graph, of value: ValueName) throws -> [(mean: Double, variance: Double)] {
    var graph = graph
    graph.outputs = [ValueInfo(name: value, type: .float32, dimensions: nil)]
    let options = CompileOptions(inputShapes: ["x": [count] + shape], threads: 1)
    let y = try #require(
      compile(EncodedGraph(graph: graph), options).run(source.batch(0..<count))[value])
    let run = y.shape.dropFirst(2).reduce(1, *)
    var channels = [[Double]](repeating: [], count: y.shape[1])
    for (index, element) in y.array(of: Float.self).enumerated() {
      channels[index / run % y.shape[1]].append(Double(element))
    }
    return channels.map { values in
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }
  }

  static func candidate(
    _ graph: Graph, _ mode: Mode, bits: Int = 3, granularity: Scheme.Granularity = .channel,
    corrections: [Correction], threads: Int = 1, source: (any CalibrationSource)? = source
  ) throws -> Candidate {
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + shape)])
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: count))
    recipe.defaults.weights.bits = bits
    recipe.defaults.weights.granularity = granularity
    recipe.corrections = [.foldBatchNorm] + corrections
    return try quantize(
      graph, infos: infos, recipe: recipe, calibration: source, threads: threads, report: { _, _ in })
  }
}
