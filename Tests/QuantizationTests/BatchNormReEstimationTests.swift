import Execution
import Graph
import Quantization
import Tensors
import Testing

@Suite struct BatchNormReEstimationTests {
  /// Every normalised layer of the quantized network gives β ± γ again; rounding alone moves both.
  @Test(arguments: [Mode.static, .dynamic, .weightOnly]) func meanAndVarianceComeBack(_ mode: Mode) throws {
    let graph = try NormedNetwork.network()
    let plain = try NormedNetwork.candidate(graph, mode, corrections: [])
    let found = try NormedNetwork.candidate(graph, mode, corrections: [.batchNormReEstimation])
    var before = (mean: 0.0, deviation: 0.0)
    for layer in NormedNetwork.layers {
      let norm = try #require(graph.foldedNorms["\(layer)_w"])
      func distances(_ candidate: Candidate) throws -> (mean: Double, deviation: Double) {
        let seen = try NormedNetwork.moments(try simulated(candidate.encoded), of: "\(layer)_out")
        let places = norm.gain.indices
        return (
          places.map { abs(seen[$0].mean - Double(norm.shift[$0])) }.max() ?? 0,
          places.map { abs(seen[$0].variance.squareRoot() / Double(norm.gain[$0]) - 1) }.max() ?? 0
        )
      }
      let (old, new) = (try distances(plain), try distances(found))
      before = (max(before.mean, old.mean), max(before.deviation, old.deviation))
      #expect(try new.mean < Self.biasStep(found, layer) / 2 + 1e-4, "\(layer): \(new)")
      #expect(new.deviation < 1e-3, "\(layer): \(new)")
    }
    #expect(before.mean > 0.03 && before.deviation > 0.03, "\(before)")
    // Codes stay; scales and biases change.
    for (name, weight) in found.encoded.weights {
      let old = try #require(plain.encoded.weights[name])
      #expect(weight.codes.array(of: Int8.self) == old.codes.array(of: Int8.self))
      #expect((weight.encoding.scales == old.encoding.scales) == (name == "fc_w"))
    }
    for (name, bias) in found.encoded.biases {
      let float = try #require(found.encoded.graph.constants[name]).array(of: Float.self)
      for (index, code) in bias.codes.array(of: Int32.self).enumerated() {
        #expect(abs(Float(code) * bias.scales[index] - float[index]) <= 0.51 * bias.scales[index])
      }
    }
    #expect(found.encoded.biases.count == (mode == .static ? 4 : 0))
  }

  /// The largest step of a layer's bias; 0 where it is float.
  static func biasStep(_ candidate: Candidate, _ layer: String) throws -> Double {
    let node = try #require(candidate.encoded.graph.nodes.first { $0.name == layer })
    return Double(candidate.encoded.biases[node.inputs[2] ?? ""]?.scales.max() ?? 0)
  }

  @Test func groupsScaleWithTheirChannel() throws {
    let graph = try NormedNetwork.network()
    let grouped = Scheme.Granularity.group(2)
    let plain = try NormedNetwork.candidate(graph, .weightOnly, granularity: grouped, corrections: [])
    let found = try NormedNetwork.candidate(
      graph, .weightOnly, granularity: grouped, corrections: [.batchNormReEstimation])
    let (old, new) = (
      try #require(plain.encoded.weights["second_w"]).encoding.scales,
      try #require(found.encoded.weights["second_w"]).encoding.scales
    )
    let perChannel = old.count / 8
    for channel in 0..<8 {
      let ratios = (0..<perChannel).map { new[channel * perChannel + $0] / old[channel * perChannel + $0] }
      #expect(ratios.allSatisfy { abs($0 - ratios[0]) < 1e-5 })
    }
    #expect(zip(old, new).contains { abs($0 / $1 - 1) > 1e-3 })
  }

  /// One scale for all channels has no place for a factor of each: only means come back.
  @Test func oneScaleKeepsItself() throws {
    let graph = try NormedNetwork.network()
    let plain = try NormedNetwork.candidate(graph, .static, granularity: .tensor, corrections: [])
    let found = try NormedNetwork.candidate(
      graph, .static, granularity: .tensor, corrections: [.batchNormReEstimation])
    for layer in NormedNetwork.layers {
      #expect(
        found.encoded.weights["\(layer)_w"]?.encoding == plain.encoded.weights["\(layer)_w"]?.encoding)
      let norm = try #require(graph.foldedNorms["\(layer)_w"])
      let seen = try NormedNetwork.moments(try simulated(found.encoded), of: "\(layer)_out")
      let slack = try Self.biasStep(found, layer) / 2 + 1e-4
      for channel in norm.gain.indices {
        #expect(abs(seen[channel].mean - Double(norm.shift[channel])) < slack)
      }
    }
  }

  /// Bias correction finds nothing more to do in these layers, and the others get theirs.
  @Test func biasCorrectionLeavesThemAlone() throws {
    let graph = try NormedNetwork.network()
    let alone = try NormedNetwork.candidate(graph, .static, corrections: [.batchNormReEstimation])
    let both = try NormedNetwork.candidate(
      graph, .static, corrections: [.batchNormReEstimation, .biasCorrection])
    func bias(_ candidate: Candidate, _ layer: String) throws -> [Float] {
      let node = try #require(candidate.encoded.graph.nodes.first { $0.name == layer })
      return try #require(candidate.encoded.graph.constants[node.inputs[2] ?? ""]).array(
        of: Float.self)
    }
    for layer in NormedNetwork.layers { #expect(try bias(alone, layer) == bias(both, layer)) }
    #expect(try bias(alone, "fc") != bias(both, "fc"))
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let graph = try NormedNetwork.network()
    let results = try [1, 2].map {
      try NormedNetwork.candidate(graph, .static, corrections: [.batchNormReEstimation], threads: $0).encoded
        .weights.mapValues(\.encoding)
    }
    #expect(results[0] == results[1])
  }

  @Test func itNeedsSamples() throws {
    let graph = try NormedNetwork.network()
    let error = #expect(throws: QuantizationError.self) {
      try NormedNetwork.candidate(
        graph, .weightOnly, corrections: [.batchNormReEstimation], source: nil)
    }
    #expect(error?.description.contains("batch-norm-re-estimation needs samples") == true)
  }
}
