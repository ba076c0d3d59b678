import Graph
import Quantization
import Tensors
import Testing

/// Ranges chosen by what they do to the output.
@Suite struct OutputRangeTests {
  /// Inputs of a mean far from zero.
  struct Shifted: CalibrationSource {
    let count = 20
    let features: Int
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
      let plain = try RandomSource(shapes: ["x": [features]], count: count).batch(range)["x"]
      let values = try #require(plain).array(of: Float.self).enumerated().map { place, value in
        1 + value * Float(place % features) / Float(features)
      }
      return ["x": Tensor(values, shape: [range.count, features])]
    }
  }

  /// Each channel has the fraction that brute force finds with the outputs themselves.
  @Test(arguments: [2, 4], [true, false]) func fractionsAreTheBest(_ bits: Int, _ symmetric: Bool) throws {
    let (rows, features) = (3, 24)
    var writer = GraphWriter(seed: 9)
    writer.input("x", [1, features])
    writer.graph.constants["w"] = writer.random([rows, features])
    try writer.node("Gemm", "layer", ["x", "w"], attributes: ["transB": .int(1)])
    writer.output("layer_out")
    let graph = writer.graph
    let source = Shifted(features: features)
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .weightOnly))
    recipe.defaults.weights = WeightSettings(bits: bits, symmetric: symmetric, scale: .outputMSE)
    let found = try quantize(
      graph, infos: try graph.infer(), recipe: recipe, calibration: source, threads: 1, report: { _, _ in })
    let encoding = try #require(found.encoded.weights["w"]).encoding
    let weights = try #require(graph.constants["w"]).array(of: Float.self)
    let inputs = try #require(source.batch(0..<source.count)["x"]).array(of: Float.self)
    for row in 0..<rows {
      let w = Array(weights[row * features..<(row + 1) * features])
      func error(_ scale: Float, _ zero: Int32) -> Double {
        let one = Encoding(
          scheme: Scheme(
            bits: bits, symmetry: symmetric ? .symmetric : .affine, granularity: .tensor), scales: [scale],
          zeroPoints: [zero])
        let lost = w.map { Double(one.real(one.code($0))) - Double($0) }
        return (0..<source.count).reduce(0) { sum, sample in
          let output = (0..<features).reduce(0.0) { $0 + lost[$1] * Double(inputs[sample * features + $1]) }
          return sum + output * output
        }
      }
      var least = Double.infinity
      let (low, high) = (w.min() ?? 0, w.max() ?? 0)
      for step in 30...100 {
        let fraction = Float(step) / 100
        if symmetric {
          let top = Float(1 << (bits - 1)) - 1
          least = min(least, error(max(-low, high) / top * fraction, 0))
        } else {
          let one = Encoding.covering(low * fraction...high * fraction, bits: bits, symmetric: false)
          least = min(least, error(one.scales[0], one.zeroPoints[0]))
        }
      }
      let own = error(encoding.scales[row], encoding.zeroPoints[row])
      #expect(own <= least * 1.001, "row \(row): \(own), at best \(least)")
    }
  }

  /// On the layer's own inputs, no layer is farther from its float output than with whole or least-squares ranges.
  @Test(arguments: [Mode.weightOnly, .static]) func noLayerIsFarther(_ mode: Mode) throws {
    func candidate(_ scale: WeightSettings.Scale?) throws -> Candidate {
      try RoundingNetwork.candidate(mode, .nearest, scale: scale)
    }
    let found = try candidate(.outputMSE)
    for layer in RoundingNetwork.layers {
      let own = try RoundingNetwork.error(layer, of: found, onInputsOf: found)
      // A clamp follows the first, and the search looks in front of it.
      let slack: Float = layer == "first" ? 1.5 : 1.001
      for scale in [.max, .mse] as [WeightSettings.Scale] {
        let other = try RoundingNetwork.error(layer, of: candidate(scale), onInputsOf: found)
        #expect(own <= slack * other, "\(layer): \(own), \(scale.text) \(other)")
      }
    }
  }

  /// The int32 bias follows the scale found.
  @Test func biasesFollow() throws {
    let found = try RoundingNetwork.candidate(.static, .nearest, scale: .outputMSE).encoded
    let (bias, weight) = (try #require(found.biases["grouped_b"]), try #require(found.weights["grouped_w"]))
    let node = try #require(found.graph.nodes.first { $0.name == "grouped" })
    let input = try #require(found.activations[node.inputs[0] ?? ""]?.scales.first)
    #expect(bias.scales == weight.encoding.scales.map { input * $0 })
  }

  @Test(arguments: [Quantization.Method.gptq, .hqq]) func methodsRoundInTheRangesFound(
    _ method: Quantization.Method
  ) throws {
    let plain = try RoundingNetwork.candidate(.static, method)
    let found = try RoundingNetwork.candidate(.static, method, scale: .outputMSE)
    #expect(found.encoded.weights["first_w"]?.encoding != plain.encoded.weights["first_w"]?.encoding)
    if method == .gptq {
      let nearest = try RoundingNetwork.candidate(.static, .nearest, scale: .outputMSE)
      // The first layer reads the same whatever rounds those after it.
      #expect(found.encoded.weights["first_w"]?.encoding == nearest.encoded.weights["first_w"]?.encoding)
    }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2].map {
      try RoundingNetwork.candidate(.static, .nearest, scale: .outputMSE, threads: $0).encoded.weights
        .mapValues(\.encoding)
    }
    #expect(results[0] == results[1])
  }

  @Test func itNeedsSamples() {
    let error = #expect(throws: QuantizationError.self) {
      try RoundingNetwork.candidate(.weightOnly, .nearest, scale: .outputMSE, source: nil)
    }
    #expect(error?.description.contains("scale output-mse needs samples") == true)
  }
}
