import Execution
import Graph
import Operators
import Quantization
import Tensors
import Testing

@Suite struct AdaRoundTests {
  /// On what the quantized network gives a layer, its output is nearer to the float network's than with weights rounded
  /// to nearest.
  @Test(arguments: [Mode.weightOnly, .static]) func everyLayerIsNearer(_ mode: Mode) throws {
    let plain = try RoundingNetwork.candidate(mode, .nearest)
    let found = try RoundingNetwork.candidate(mode, .adaRound)
    for layer in RoundingNetwork.layers {
      let nearest = try RoundingNetwork.error(layer, of: plain, onInputsOf: found, fromFloatNetwork: true)
      let learned = try RoundingNetwork.error(layer, of: found, onInputsOf: found, fromFloatNetwork: true)
      // Nine taps of a channel have little to make up for each other with.
      #expect(learned < (layer == "depthwise" ? 0.99 : 0.8) * nearest, "\(layer): \(learned) of \(nearest)")
    }
  }

  /// Every weight becomes one of its two neighbours, under the scales of rounding to nearest.
  @Test func weightsGoUpOrDown() throws {
    let plain = try RoundingNetwork.candidate(.weightOnly, .nearest)
    let found = try RoundingNetwork.candidate(.weightOnly, .adaRound)
    var differ = 0
    for (name, weight) in found.encoded.weights {
      let before = try #require(plain.encoded.weights[name])
      #expect(weight.encoding == before.encoding)
      for (a, b) in zip(weight.codes.array(of: Int8.self), before.codes.array(of: Int8.self)) {
        #expect(abs(Int(a) - Int(b)) <= 1)
        if a != b { differ += 1 }
      }
    }
    #expect(differ > 0)
  }

  @Test func resultsDependOnNothingButTheSeed() throws {
    let results = try [1, 2].map {
      try RoundingNetwork.candidate(.static, .adaRound, threads: $0).encoded.weights.mapValues {
        $0.codes.array(of: Int8.self)
      }
    }
    #expect(results[0] == results[1])
  }

  @Test func withoutSamplesItSaysSo() throws {
    #expect(throws: QuantizationError.self) {
      try RoundingNetwork.candidate(.weightOnly, .adaRound, source: nil)
    }
  }
}
