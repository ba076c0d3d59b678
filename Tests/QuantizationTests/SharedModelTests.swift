import Execution
import Formats
import Graph
import Operators
import Quantization
import Tensors
import Testing

/// Inputs of a model for as many samples as wanted: random floats, and ones for whole numbers.
struct AnySource: CalibrationSource {
  var inputs: [ValueName: (type: ElementType, shape: Shape)]
  var count = 2

  /// Free sizes become 1 for the batch and `size` elsewhere.
  init(_ graph: Graph, size: Int) throws {
    inputs = [:]
    for input in graph.inputs where graph.constants[input.name] == nil {
      let dimensions = try #require(input.dimensions)
      let shape = dimensions.enumerated().map { index, dimension in
        if case .fixed(let size) = dimension { size } else { index == 0 ? 1 : size }
      }
      inputs[input.name] = (try #require(input.type), shape)
    }
  }

  func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
    inputs.mapValues { type, shape in
      let shape = [range.count] + shape.dropFirst()
      var writer = GraphWriter(seed: UInt64(range.lowerBound) + 11)
      switch type {
      case .int32: return Tensor([Int32](repeating: 1, count: shape.elementCount), shape: shape)
      case .int64: return Tensor([Int64](repeating: 1, count: shape.elementCount), shape: shape)
      default: return writer.random(shape)
      }
    }
  }
}

@Suite(.enabled(if: Shared.path != nil, "the shared models are not there")) struct SharedModelTests {
  static let models: [(path: String, size: Int)] = [
    ("vision/resnet8_cifar10-mlperftiny", 1), ("vision/resnet20_cifar10-akamaster", 1),
    ("vision/squeezenet1.1-onnxzoo", 1), ("vision/mobilenet_v1_0.25_224-tf", 1),
    ("vision/mobilenet_v2_1.0_224-tf2-ptq-w8dq", 1), ("vision/mnist-12-ort", 1),
    ("vision/super-resolution-10-onnxzoo", 24), ("audio/dscnn_kws-mlperftiny", 1),
    ("magika/standard_v3_3", 2048),
    ("text/all-MiniLM-L6-v2/minilm_sst2_fp16w", 16),
  ]
  static let small = [models[0], models[5], models[7]]

  func prepare(_ model: (path: String, size: Int)) throws -> (Graph, [ValueName: OperandInfo], AnySource) {
    let graph = try ONNX.read(path: "\(try #require(Shared.path))/models/\(model.path).onnx")
    let source = try AnySource(graph, size: model.size)
    let plain = try simplified(graph, inputShapes: source.inputs.mapValues(\.shape))
    let infos = try plain.infer(
      inputs: source.inputs.mapValues { OperandInfo(type: $0.type, shape: $0.shape) })
    return (plain, infos, source)
  }

  @Test(arguments: models) func encodingsSitWhereTheyMay(_ model: (path: String, size: Int)) throws {
    let (graph, infos, source) = try prepare(model)
    for name in ["static-int8", "weight-int4", "qat-w3a3"] {
      let recipe = try #require(Presets[name]).recipe
      let candidate = try quantize(
        graph, infos: infos, recipe: recipe, calibration: source, threads: 2, report: { _, _ in })
      let encoded = try check(candidate)
      let weighted = candidate.resolution.layers.filter {
        $0.kind == .weighted && $0.effective.mode != .float
      }
      #expect(!weighted.isEmpty)
      for layer in weighted {
        #expect(encoded.layers[layer.node]?.mode == layer.effective.mode)
        let node = try #require(encoded.graph.nodes.first { $0.name == layer.node })
        for weight in layer.weights {
          let value = try #require(node.inputs[weight.role.input])
          let tensor = try #require(encoded.weights[value])
          #expect(tensor.codes.shape == weight.shape)
          #expect(tensor.encoding.scales.allSatisfy { $0 > 0 && $0.isFinite })
        }
        if layer.effective.mode.isStatic, let read = layer.weights.first?.role.activation {
          #expect(try encoded.activations[#require(node.inputs[read])] != nil, "\(layer.node)")
        }
      }
      let sizes = Sizes(encoded, infos: infos)
      let float = Sizes(graph, infos: infos)
      #expect(sizes.weightBytes < float.weightBytes && sizes.packedBytes <= sizes.weightBytes)
    }
  }

  /// What the contract with execution says of every encoded graph.
  private func check(_ candidate: Candidate) throws -> EncodedGraph {
    let encoded = try EncodedGraph(
      graph: candidate.encoded.graph.checked(after: "quantize"), activations: candidate.encoded.activations,
      weights: candidate.encoded.weights, biases: candidate.encoded.biases, layers: candidate.encoded.layers)
    var read: Set<ValueName> = []
    for node in encoded.graph.nodes where encoded.layers[node.name]?.mode.isStatic == true {
      read.formUnion(node.inputs.compactMap { $0 })
      let operands = node.inputs.map {
        $0.map { OperandInfo(type: .float32, shape: nil, constant: encoded.graph.constants[$0]) }
      }
      guard let rule = (node.op as? any ActivationOperator)?.encodingRule(operands),
        case .keepsInput(let input) = rule,
        let output = node.outputs.first.flatMap({ $0 }), let source = node.inputs[input]
      else { continue }
      // One that moves elements has the same encoding on both sides, where someone reads it as codes.
      #expect(encoded.activations[source] != nil, "\(node.name)")
      if let after = encoded.activations[output] {
        #expect(after == encoded.activations[source], "\(node.name)")
      }
    }
    for (value, encoding) in encoded.activations {
      #expect(read.contains(value), "\(value) is encoded, but nobody reads codes")
      #expect(
        encoding.scales.count == 1 && encoding.scales[0] > 0
          && encoding.codes.contains(encoding.zeroPoints[0]))
    }
    return encoded
  }

  @Test(arguments: small, Presets.all)
  func everyPresetRuns(_ model: (path: String, size: Int), _ preset: Preset) throws {
    let (graph, infos, source) = try prepare(model)
    let candidate = try quantize(
      graph, infos: infos, recipe: preset.recipe, calibration: source, threads: 2, report: { _, _ in })
    let program = try compile(
      candidate.encoded, CompileOptions(inputShapes: source.inputs.mapValues(\.shape), threads: 1))
    let outputs = try program.run(try source.batch(0..<1))
    for tensor in outputs.values {
      #expect(tensor.array(of: Float.self).allSatisfy { $0.isFinite })
    }
  }
}
