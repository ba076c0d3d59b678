import Tensors

/// How one layer computes (DESIGN "mode").
package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
  case float
  case `static`
  case dynamic
  case weightOnly = "weight-only"
  case qat

  /// Whether activations have encodings that are fixed before a run: calibrated, or learned from there.
  package var isStatic: Bool { self == .static || self == .qat }
}

/// What one node does with integers.
package struct LayerEncoding: Sendable {
  package var mode: Mode
  /// Mode `dynamic`: how activations are encoded at run time (8 bits affine; per tensor and sample, or per row).
  package var dynamicActivation: DynamicActivation?

  package enum DynamicActivation: String, Sendable, Hashable, Codable, CaseIterable {
    /// One range per sample (Conv).
    case sample
    /// One range per row of features (MatMul, Gemm).
    case token
    /// One range over the whole tensor, batch included, as ONNX Runtime does.
    case tensor
  }

  /// Mode `dynamic`: activation codes are 0…2^bits − 1; 8, or 7 where a toolkit keeps products from saturating.
  package var dynamicBits: Int

  package init(mode: Mode, dynamicActivation: DynamicActivation? = nil, dynamicBits: Int = 8) {
    self.mode = mode
    self.dynamicActivation = dynamicActivation
    self.dynamicBits = dynamicBits
  }
}

/// A graph and its encodings: what a candidate runs and what exporters of formats write.
///
/// Three facts are separate: which values have an encoding, which constants are held as codes, and how each node
/// computes. A node in mode `static` or `qat` reads every activation input that has an entry in `activations` as codes, and its
/// output is encoded when its output value (after a fused clamp) has an entry; nodes in other modes read the
/// unencoded value. A node without an entry in `layers` computes in float.
package struct EncodedGraph: Sendable {
  package var graph: Graph
  /// Encoding of a value, per tensor.
  ///
  /// One value has at most one.
  package var activations: [ValueName: Encoding]
  /// Quantized constants by value name; the float original stays in `graph.constants` for simulation.
  package var weights: [ValueName: EncodedTensor]
  /// int32 biases (scale = input scale · weight scale of the channel, zero point 0) by value name.
  package var biases: [ValueName: EncodedBias]
  /// By node name.
  package var layers: [String: LayerEncoding]

  package init(
    graph: Graph, activations: [ValueName: Encoding] = [:], weights: [ValueName: EncodedTensor] = [:],
    biases: [ValueName: EncodedBias] = [:], layers: [String: LayerEncoding] = [:]
  ) {
    self.graph = graph
    self.activations = activations
    self.weights = weights
    self.biases = biases
    self.layers = layers
  }
}

/// A bias as int32 codes with one scale per channel.
package struct EncodedBias: Sendable {
  /// int32 `[channels]`.
  package var codes: Tensor
  package var scales: [Float]

  package init(codes: Tensor, scales: [Float]) {
    self.codes = codes
    self.scales = scales
  }
}
