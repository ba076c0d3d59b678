import Graph
import Quantization
import Tensors
import Testing

@Suite struct GPTQTests {
  /// On the layer's own inputs, rounding so leaves less of an error than rounding to nearest.
  @Test(arguments: [Mode.weightOnly, .static]) func everyLayerIsNearer(_ mode: Mode) throws {
    let plain = try RoundingNetwork.candidate(mode, .nearest)
    let found = try RoundingNetwork.candidate(mode, .gptq)
    for layer in RoundingNetwork.layers {
      let nearest = try RoundingNetwork.error(layer, of: plain, onInputsOf: found)
      let gptq = try RoundingNetwork.error(layer, of: found, onInputsOf: found)
      // Nine taps of a channel have little to make up for each other with.
      #expect(gptq < (layer == "depthwise" ? 0.99 : 0.8) * nearest, "\(layer): \(gptq) of \(nearest)")
    }
    #expect(plain.encoded.weights.mapValues(\.encoding) == found.encoded.weights.mapValues(\.encoding))
  }

  @Test func groupsHaveTheirOwnScales() throws {
    let found = try RoundingNetwork.candidate(.weightOnly, .gptq, granularity: .group(4))
    #expect(try #require(found.encoded.weights["fc_w"]).encoding.scales.count == 24)
  }

  /// A group's scales are chosen from its weights as the features before have moved them.
  @Test(arguments: [WeightSettings.Scale.max, .mse]) func groupsTakeTheScalesOfMovedWeights(
    _ scale: WeightSettings.Scale
  ) throws {
    let plain = try RoundingNetwork.candidate(.weightOnly, .nearest, granularity: .group(4), scale: scale)
    let found = try RoundingNetwork.candidate(.weightOnly, .gptq, granularity: .group(4), scale: scale)
    let nearest = try #require(plain.encoded.weights["fc_w"]).encoding.scales
    let moved = try #require(found.encoded.weights["fc_w"]).encoding.scales
    // Of each row of 8 features the first group is as it was, and the second has moved.
    let rows = nearest.indices.filter { $0 % 2 == 0 }
    #expect(rows.allSatisfy { nearest[$0] == moved[$0] })
    #expect(rows.count { nearest[$0 + 1] != moved[$0 + 1] } > rows.count / 2)
    for layer in ["fc", "columns"] {
      let before = try RoundingNetwork.error(layer, of: plain, onInputsOf: found)
      let after = try RoundingNetwork.error(layer, of: found, onInputsOf: found)
      #expect(after < 0.9 * before, "\(layer): \(after) of \(before)")
    }
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2].map {
      try RoundingNetwork.candidate(.static, .gptq, threads: $0).encoded.weights.mapValues {
        $0.codes.array(of: Int8.self)
      }
    }
    #expect(results[0] == results[1])
  }
}
