import Graph
import Quantization
import Workflows

/// What a search makes as small as its bounds let it.
package enum SearchGoal: String, Sendable, Hashable, Codable, CaseIterable {
  /// Bytes of weights.
  case size
  /// Time of one inference.
  case latency
  /// Distance from float32.
  case loss
}

/// How to search.
package struct SearchSettings: Sendable {
  /// `nil`: the loss where bytes are bounded, else the size.
  package var goal: SearchGoal?
  package var bounds = SearchBounds()
  /// Widths of weights to choose from.
  package var bits = [8, 4]
  /// Modes to choose from, with `float` where layers may stay in float32; empty for what the base recipe says of each
  /// layer, or float.
  package var modes: [Mode] = []
  /// Ways to round that are chosen from; empty for the base recipe's, and nearest at 8 bits, where no other is worth its
  /// time.
  package var methods: [Quantization.Method] = []
  /// Samples that choose, at most.
  package var selectionSamples = 1024
  /// Samples that are reported on, at most.
  package var limit: Int?
  /// Whether sizes count every code at its own width instead of in the container that files use.
  package var countsPacked = false
  /// Points of the front that are measured.
  package var frontPoints = 10
  /// Networks that are measured to improve on the prediction.
  package var refinements = 24

  package init() {}

  /// What is searched where no recipe is given: calibrated 8-bit activations, searched scales, weights rounded by GPTQ.
  package static func base(seed: UInt64? = nil) -> Recipe {
    let defaults = LayerSettings(
      mode: .static, weights: WeightSettings(scale: .mse, method: .gptq), activations: ActivationSettings())
    return Recipe(
      name: "mixed", defaults: defaults, calibration: CalibrationSettings(seed: seed ?? 1))
  }

  package var wanted: SearchGoal { goal ?? (bounds.maxBytes == nil ? .size : .loss) }

  /// Whether layers have to be timed.
  var measuresLatency: Bool { wanted == .latency || bounds.maxLatencyRatio != nil }

  /// What each layer may be, float32 first where it may, then the widest.
  func options(bits: [Int]) -> [LayerOption] {
    let float: [LayerOption] = modes.isEmpty || modes.contains(.float) ? [.float] : []
    let modes: [Mode?] = self.modes.isEmpty ? [nil] : self.modes.filter { $0 != .float }
    let methods: [Quantization.Method?] = self.methods.isEmpty ? [nil] : self.methods
    return float
      + bits.sorted(by: >).flatMap { bits in
        modes.flatMap { mode in
          methods.map { LayerOption(mode: mode, weightBits: bits, method: $0) }
        }
      }
  }

  /// Bytes of a model's weights in float32, as the search counts them.
  package func floatBytes(_ model: Model) -> Int { bytes(EncodedGraph(graph: model.graph), model) }

  func bytes(_ encoded: EncodedGraph, _ model: Model) -> Int {
    let sizes = Sizes(encoded, infos: model.infos)
    return countsPacked ? sizes.packedBytes : sizes.weightBytes
  }
}
