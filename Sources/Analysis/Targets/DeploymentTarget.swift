import Graph
import Operators
import Quantization
import Tensors
import Workflows

/// A runtime that a quantized model may be meant for, and what it does not take.
///
/// A new one is one file and one line in `all`.
package struct DeploymentTarget: Sendable {
  /// Name on the command line.
  package var name: String
  package var title: String
  /// Where its rules come from.
  package var source: String
  var rules: [LintRule]

  package static let all: [DeploymentTarget] = [.onnxruntimeCPU, .tensorRT, .tflite, .llamaCpp]

  package static subscript(name: String) -> DeploymentTarget? { all.first { $0.name == name } }

  /// What this target does not take of a candidate, layer by layer in the order of the graph.
  package func lint(
    _ candidate: Candidate, of model: Model, instructions: IntegerInstructions
  ) -> [LintFinding] {
    LintLayer.all(of: candidate, model: model, instructions: instructions).flatMap { layer in
      rules.compactMap { rule in
        rule.check(layer).map { LintFinding(layer: layer.name, rule: rule.name, text: $0) }
      }
    }
  }
}

/// Something of one layer that a target does not take as it is.
package struct LintFinding: Sendable, Hashable, Encodable {
  package var layer: String
  package var rule: String
  /// What is found, what is expected, and what to do.
  package var text: String
}

/// One thing a target asks of a layer: `nil` where the layer meets it.
struct LintRule: Sendable {
  var name: String
  var check: @Sendable (LintLayer) -> String?

  init(_ name: String, _ check: @escaping @Sendable (LintLayer) -> String?) {
    self.name = name
    self.check = check
  }
}

/// A quantized layer as rules look at it.
struct LintLayer: Sendable {
  var name: String
  /// As ONNX spells it.
  var operatorName: String
  var settings: LayerSettings
  var weight: EncodedTensor?
  var role: WeightRole?
  /// Encodings of what a static layer reads and writes, by value.
  var activations: [(value: ValueName, encoding: Encoding)]
  var hasIntegerBias: Bool
  /// Whether each channel of its output has a bound of its own.
  var hasChannelBounds: Bool
  /// Opset of ONNX's own operators in the file the model came from.
  var opset: Int
  var instructions: IntegerInstructions

  /// Layers whose mode is not float.
  static func all(
    of candidate: Candidate, model: Model, instructions: IntegerInstructions
  ) -> [LintLayer] {
    let encoded = candidate.encoded
    let graph = encoded.graph
    let nodes = Dictionary(graph.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let consumers = graph.consumers
    let infos = candidate.reshaped == nil ? model.infos : (try? graph.infer()) ?? model.infos
    let bounded = Set(
      graph.nodes.indices.filter {
        graph.clamp(after: $0, consumers: consumers, infos: infos)?.channelUpper != nil
      }.map { graph.nodes[$0].name })
    return candidate.resolution.layers.compactMap { layer in
      guard layer.effective.mode != .float, let node = nodes[layer.node] else { return nil }
      let values = (node.inputs + node.outputs).compactMap { $0 }
      let weight = layer.weights.first
      return LintLayer(
        name: layer.node, operatorName: layer.operatorName, settings: layer.effective,
        weight: weight.flatMap { encoded.weights[$0.value] }, role: weight?.role,
        activations: layer.effective.mode.isStatic
          ? values.compactMap { value in encoded.activations[value].map { (value, $0) } } : [],
        hasIntegerBias: values.contains { encoded.biases[$0] != nil },
        hasChannelBounds: bounded.contains(layer.node), opset: model.source.opsets[""] ?? 0,
        instructions: instructions)
    }
  }

  /// Neighbours along the features that share a scale; `nil` without groups.
  var group: Int? {
    if case .group(let size)? = weight?.encoding.scheme.granularity { size } else { nil }
  }

  /// The block format of the weight.
  var format: String? { weight?.encoding.scheme.format }

  var weightBits: Int? { weight?.encoding.scheme.bits }

  /// Input features of the weight.
  var features: Int? {
    guard let weight, let role, weight.codes.shape.indices.contains(role.featureAxis) else { return nil }
    return weight.codes.shape[role.featureAxis]
  }

  /// An activation whose zero point is not the middle of its codes.
  var shiftedActivation: (value: ValueName, zeroPoint: Int32)? {
    activations.first { $0.encoding.zeroPoints[0] != $0.encoding.scheme.middle }
      .map { ($0.value, $0.encoding.zeroPoints[0]) }
  }

  /// A symmetric activation whose codes are unsigned.
  var unsignedActivation: (value: ValueName, zeroPoint: Int32)? {
    activations.first {
      $0.encoding.scheme.middle != 0 && $0.encoding.zeroPoints[0] == $0.encoding.scheme.middle
    }
    .map { ($0.value, $0.encoding.zeroPoints[0]) }
  }

  var shiftedWeights: Int { weight?.encoding.zeroPoints.count { $0 != 0 } ?? 0 }

  /// Output channels in which two weights next to each other can drive a 16-bit sum of two products with uint8 codes
  /// over its end, and how many channels there are.
  var saturatingChannels: (count: Int, of: Int)? {
    guard let weight, let role, weight.codes.type == .int8, weight.codes.rank >= 2 else { return nil }
    let shape = weight.codes.shape
    let strides = shape.rowMajorStrides
    let (channels, features) = (shape[role.channelAxis], shape[role.featureAxis])
    guard features >= 2, channels > 0 else { return nil }
    let others = shape.indices.filter { $0 != role.channelAxis && $0 != role.featureAxis }
    let taps = others.reduce([0]) { starts, axis in
      starts.flatMap { start in (0..<shape[axis]).map { start + $0 * strides[axis] } }
    }
    let step = strides[role.featureAxis]
    let count = weight.codes.withElements(of: Int8.self) { codes in
      (0..<channels).count { channel in
        taps.contains { tap in
          stride(from: 0, to: features - 1, by: 2).contains { feature in
            let place = channel * strides[role.channelAxis] + tap + feature * step
            let sum = 255 * (Int(codes[place]) + Int(codes[place + step]))
            return sum > Int(Int16.max) || sum < Int(Int16.min)
          }
        }
      }
    }
    return (count, channels)
  }
}

extension Scheme {
  /// The code of zero in a symmetric range: 0, or 2^(bits − 1) where codes are unsigned.
  fileprivate var middle: Int32 { symmetry == .symmetric ? 0 : Int32(1) << (bits - 1) }
}
