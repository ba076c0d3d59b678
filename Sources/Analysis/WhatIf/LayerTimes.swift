import Graph
import Quantization
import Tensors
import Workflows

/// What layers take, as steps of whole networks were timed, by the form they were timed in.
package struct LayerTimes: Sendable, Hashable {
  /// What of a layer's settings decides its kernel.
  private struct Form: Sendable, Hashable {
    var mode: Mode
    var codes: Int?
    var granularity: Scheme.Granularity?

    init(_ settings: LayerSettings) {
      mode = settings.mode == .qat ? .static : settings.mode
      guard mode != .float else { return }
      codes = Sizes.containerBits(settings.weights.bits)
      granularity = settings.weights.granularity
    }
  }

  /// Milliseconds by layer.
  private var times: [String: [Form: Double]] = [:]
  /// Milliseconds of float32.
  private var float32: Double?

  package init() {}

  /// Adds a network's steps.
  ///
  /// - Parameters:
  ///   - layers: the network's; `nil` for float32.
  package mutating func add(_ variant: BenchReport.Variant, layers: [ResolvedLayer]?, of model: Model) {
    if layers == nil { float32 = variant.latencyMs }
    let weighted = Set(model.layers.filter(\.hasWeights).map(\.name))
    let settings = Dictionary((layers ?? []).map { ($0.node, $0.effective) }, uniquingKeysWith: { $1 })
    for layer in weighted {
      let form = Form(settings[layer] ?? LayerSettings(mode: .float))
      times[layer, default: [:]][form] = variant.steps.reduce(0) { sum, step in
        guard step.nodes.contains(layer) else { return sum }
        return sum + step.ms / Double(step.nodes.count(where: weighted.contains))
      }
    }
  }

  /// Milliseconds of one inference, from those of float32 and what each layer takes more or less than there.
  ///
  /// Conversions between layers of different kinds are not in it. `nil` where float32, or a layer in its form, was never
  /// timed.
  package func latency(_ layers: [ResolvedLayer]) -> (ms: Double, float32: Double)? {
    guard let float32 else { return nil }
    var ms = float32
    for layer in layers where layer.kind == .weighted {
      guard let float = times[layer.node]?[Form(LayerSettings(mode: .float))],
        let own = times[layer.node]?[Form(layer.effective)]
      else { return nil }
      ms += own - float
    }
    return (Swift.max(ms, 0), float32)
  }
}
