import CKernels
import Execution
import Graph
import Tensors
import Testing

/// One layer, what follows it, and how its axes lie.
struct LayerCase: Sendable, CustomTestStringConvertible {
  enum After: String, Sendable { case nothing, relu, clip, residual }

  let name: String
  let type: String
  let input: Shape
  let weights: Shape
  var attributes: Attributes = [:]
  var channelAxis = 0
  var featureAxis = 1
  var outputs: Int
  var after = After.nothing
  var testDescription: String { "\(name), \(after.rawValue)" }

  static let all: [LayerCase] = [
    .init(
      name: "conv 3x3", type: "Conv", input: [1, 8, 18, 18], weights: [16, 8, 3, 3],
      attributes: ["pads": .ints([1, 1, 1, 1])], outputs: 16, after: .relu),
    .init(
      name: "conv 3x3 of small images", type: "Conv", input: [3, 24, 9, 7], weights: [20, 24, 3, 3],
      attributes: ["pads": .ints([1, 0, 0, 2])], outputs: 20),
    .init(
      name: "conv 1x1", type: "Conv", input: [2, 12, 16, 16], weights: [19, 12, 1, 1], outputs: 19,
      after: .clip),
    .init(
      name: "conv of one pixel", type: "Conv", input: [40, 30, 1, 1], weights: [60, 30, 1, 1], outputs: 60),
    .init(
      name: "conv 3x3 of 3 channels, stride 2", type: "Conv", input: [2, 3, 33, 33], weights: [18, 3, 3, 3],
      attributes: ["strides": .ints([2, 2])], outputs: 18, after: .relu),
    .init(
      name: "conv groups", type: "Conv", input: [1, 8, 24, 24], weights: [16, 4, 3, 3],
      attributes: ["group": .int(2), "pads": .ints([1, 1, 1, 1])], outputs: 16),
    .init(
      name: "depthwise", type: "Conv", input: [1, 20, 18, 18], weights: [20, 1, 3, 3],
      attributes: ["group": .int(20), "pads": .ints([1, 1, 1, 1])], outputs: 20, after: .clip),
    .init(
      name: "conv with sum", type: "Conv", input: [1, 16, 18, 18], weights: [16, 16, 3, 3],
      attributes: ["pads": .ints([1, 1, 1, 1])], outputs: 16, after: .residual),
    .init(
      name: "depthwise with sum", type: "Conv", input: [1, 20, 18, 18], weights: [20, 1, 3, 3],
      attributes: ["group": .int(20), "pads": .ints([1, 1, 1, 1])], outputs: 20, after: .residual),
    .init(
      name: "transposed conv", type: "ConvTranspose", input: [1, 12, 9, 9], weights: [12, 16, 3, 3],
      attributes: ["strides": .ints([2, 2])], channelAxis: 1, featureAxis: 0, outputs: 16, after: .relu),
    .init(
      name: "gemm", type: "Gemm", input: [50, 40], weights: [90, 40], attributes: ["transB": .int(1)],
      outputs: 90, after: .relu),
    .init(
      name: "gemm, features first", type: "Gemm", input: [50, 40], weights: [40, 90], channelAxis: 1,
      featureAxis: 0, outputs: 90),
    .init(
      name: "matmul", type: "MatMul", input: [2, 25, 64], weights: [64, 90], channelAxis: 1, featureAxis: 0,
      outputs: 90, after: .relu),
    .init(
      name: "matmul with sum", type: "MatMul", input: [2, 40, 60], weights: [60, 60], channelAxis: 1,
      featureAxis: 0, outputs: 60, after: .residual),
  ]
}

/// How weights and activations become integers in a test.
struct SchemeCase: Sendable, CustomTestStringConvertible {
  var weights: Scheme
  var activationBits = 8
  var activationSymmetry = Scheme.Symmetry.affine
  var testDescription: String {
    "w\(weights.bits) \(weights.symmetry.rawValue) \(weights.granularity), a\(activationBits) \(activationSymmetry.rawValue)"
  }

  var isGrouped: Bool { if case .group = weights.granularity { true } else { false } }

  static let all: [SchemeCase] = [
    .init(weights: Scheme(bits: 8, symmetry: .symmetric, granularity: .channel)),
    .init(
      weights: Scheme(bits: 8, symmetry: .symmetric, granularity: .tensor), activationSymmetry: .symmetric),
    .init(weights: Scheme(bits: 8, symmetry: .affine, granularity: .channel), activationBits: 7),
    .init(weights: Scheme(bits: 8, symmetry: .affine, granularity: .tensor)),
    .init(weights: Scheme(bits: 4, symmetry: .symmetric, granularity: .channel), activationBits: 4),
    .init(
      weights: Scheme(bits: 3, symmetry: .symmetric, granularity: .channel), activationBits: 6,
      activationSymmetry: .symmetric),
    .init(weights: Scheme(bits: 8, symmetry: .symmetric, granularity: .group(4))),
    .init(weights: Scheme(bits: 4, symmetry: .symmetric, granularity: .group(8))),
    .init(weights: Scheme(bits: 4, symmetry: .affine, granularity: .group(4))),
    .init(weights: Scheme(bits: 2, symmetry: .affine, granularity: .group(32))),
    .init(weights: Scheme(bits: 5, symmetry: .affine, granularity: .channel)),
  ]
}

/// A layer quantized by a scheme in one mode.
struct QuantizedLayer {
  var draft: Draft
  var encoded: EncodedGraph
  var output: ValueName
  /// Encoding of what the output holds; `nil` where it is float.
  var outputEncoding: Encoding?

  init(
    _ layer: LayerCase, _ scheme: SchemeCase, _ mode: Mode, sharing: LayerEncoding.DynamicActivation? = nil
  ) throws {
    draft = Draft(11)
    let x = draft.input("x", layer.input, scale: 1.5, offset: 0.3)
    let w = draft.weights(layer.weights)
    let b = layer.type == "MatMul" ? nil : draft.weights([layer.outputs])
    var y = try draft.node(layer.type, b == nil ? [x, w] : [x, w, b], layer.attributes)
    let name = y
    var branch: ValueName?
    var sum: ValueName?
    var residual: ValueName?
    switch layer.after {
    case .nothing: break
    case .relu: y = try draft.node("Relu", [y])
    case .clip:
      y = try draft.node(
        "Clip", [y, draft.constant(Tensor(scalar: Float(-0.3))), draft.constant(Tensor(scalar: Float(1.1)))])
    case .residual:
      branch = y
      let shape = try #require(draft.graph.infer()[y]?.shape)
      residual = draft.input("r", shape)
      sum = try draft.node("Add", [y, residual])
      y = try draft.node("Relu", [sum])
    }
    let infos = try draft.graph.infer()
    let shape = try #require(infos[y]?.shape)
    // A static reader, so that the layer's output stays encoded.
    output = mode == .static ? try draft.node("Reshape", [y, draft.integers(shape)]) : y
    draft.output(output)
    encoded = EncodedGraph(graph: draft.graph)
    let weights = EncodedTensor.nearest(
      try #require(draft.graph.constants[w]), scheme.weights, channelAxis: layer.channelAxis,
      featureAxis: layer.featureAxis)
    encoded.weights[w] = weights
    encoded.layers[name] = LayerEncoding(mode: mode, dynamicActivation: sharing)
    guard mode == .static else { return }
    let values = try draft.graph.evaluate(draft.inputs, keeping: Set([y, branch].compactMap { $0 }))
    func encoding(_ tensor: Tensor?) throws -> Encoding {
      .covering(try #require(tensor), bits: scheme.activationBits, symmetry: scheme.activationSymmetry)
    }
    let input = try encoding(draft.inputs["x"])
    encoded.activations["x"] = input
    if let b {
      encoded.biases[b] = .nearest(
        try #require(draft.graph.constants[b]), input: input, weights: weights.encoding)
    }
    if let branch, let sum, let residual {
      encoded.activations[branch] = try encoding(values[branch])
      encoded.activations[residual] = try encoding(draft.inputs["r"])
      encoded.layers[sum] = LayerEncoding(mode: .static)
    }
    outputEncoding = try encoding(values[y])
    encoded.activations[y] = outputEncoding
    encoded.activations[output] = outputEncoding
    encoded.layers[output] = LayerEncoding(mode: .static)
  }

  func run(threads: Int = 1, level: ck_level? = nil) throws -> Tensor {
    try #require(try Program.outputs(encoded, draft, threads: threads, level: level)[output])
  }

  func simulate() throws -> Tensor { try #require(try simulated(encoded).evaluate(draft.inputs)[output]) }
}
