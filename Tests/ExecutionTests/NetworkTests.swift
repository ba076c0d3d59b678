import CKernels
import Execution
import Graph
import Quantization
import Tensors
import Testing

/// Whole networks, quantized as presets say.
struct NetworkTests {
  private struct Samples: CalibrationSource {
    let batches: [[ValueName: Tensor]]
    var count: Int { batches.count }
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] { batches[range.lowerBound] }
  }

  /// Convolutions, depthwise, a residual, pooling, concatenation and a classifier.
  private static func network() throws -> Draft {
    var draft = Draft(21)
    let x = draft.input("x", [1, 3, 24, 24])
    let pads: Attributes = ["pads": .ints([1, 1, 1, 1])]
    func conv(_ x: ValueName, _ n: Int, _ k: Int, _ size: Int, _ more: Attributes = [:]) throws -> ValueName {
      let w = draft.weights([n, k, size, size], scale: 1.7 / Float(k * size * size).squareRoot())
      let attributes = (size == 3 ? pads : [:]).merging(more) { $1 }
      return try draft.node("Conv", [x, w, draft.weights([n], scale: 0.1)], attributes)
    }
    var y = try draft.node("Relu", [try conv(x, 16, 3, 3)])
    let skip = y
    y = try draft.node("Relu", [try conv(y, 16, 16, 3)])
    y = try draft.node("Add", [try conv(y, 16, 16, 3), skip])
    y = try draft.node("Relu", [y])
    y = try draft.node("MaxPool", [y], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    y = try draft.node("Relu", [try conv(y, 16, 1, 3, ["group": .int(16)])])
    let a = try draft.node("Relu", [try conv(y, 12, 16, 1)])
    let b = try draft.node("Relu", [try conv(y, 20, 16, 1)])
    y = try draft.node("Concat", [a, b], ["axis": .int(1)])
    y = try draft.node("AveragePool", [y], ["kernel_shape": .ints([3, 3]), "strides": .ints([3, 3])])
    y = try draft.node("Flatten", [y])
    y = try draft.node("Gemm", [y, draft.weights([32 * 16, 10], scale: 0.08), draft.weights([10])])
    draft.output(y)
    return draft
  }

  private static func candidate(_ draft: Draft, _ preset: String) throws -> EncodedGraph {
    let recipe = try #require(Presets[preset]).recipe
    return try quantize(
      draft.graph, infos: try draft.graph.infer(), recipe: recipe,
      calibration: Samples(batches: [draft.inputs]),
      threads: 1, report: { _, _ in }
    ).encoded
  }

  private static let presets = [
    "static-int8", "dynamic-int8", "weight-int8", "weight-int4", "pytorch-fbgemm-static",
    "onnxruntime-default",
  ]

  @Test(arguments: presets)
  func followsItsSimulation(_ preset: String) throws {
    let draft = try Self.network()
    let encoded = try Self.candidate(draft, preset)
    let name = draft.graph.outputs[0].name
    let integer = try #require(try Program.outputs(encoded, draft)[name])
    let simulation = try simulated(encoded)
    let slow = try #require(try simulation.evaluate(draft.inputs)[name])
    let fast = try #require(try Program.outputs(EncodedGraph(graph: simulation), draft)[name])
    // A code that rounds the other way somewhere inside moves the outputs a little.
    #expect(relativeDifference(integer, slow) <= 0.02)
    #expect(relativeDifference(fast, slow) <= 0.02)
    #expect(Set(simulation.nodes.map(\.name)).isSuperset(of: draft.graph.nodes.map(\.name)))
  }

  @Test(arguments: presets)
  func isTheSameOnEveryLevelAndThread(_ preset: String) throws {
    let draft = try Self.network()
    let encoded = try Self.candidate(draft, preset)
    let name = draft.graph.outputs[0].name
    let one = try #require(try Program.outputs(encoded, draft)[name])
    let two = try #require(try Program.outputs(encoded, draft, threads: 2)[name])
    #expect(bytes(one) == bytes(two))
    guard preset.contains("static") || preset == "onnxruntime-default" else { return }
    for level in levels {
      #expect(
        relativeDifference(try #require(try Program.outputs(encoded, draft, level: level)[name]), one) <= 1e-5
      )
    }
  }

  /// Ranges found as a value is written are those found by looking at it again: the second network has a step between
  /// each two layers, after which nothing is known.
  @Test(arguments: [1, 3], [LayerEncoding.DynamicActivation.sample, .tensor])
  func rangesAreFoundAsValuesAreWritten(_ batch: Int, _ sharing: LayerEncoding.DynamicActivation) throws {
    func network(apart: Bool) throws -> (Draft, EncodedGraph) {
      var draft = Draft(31)
      var y = draft.input("x", [batch, 16, 13, 11])
      var layers: [(ValueName, ValueName)] = []
      for (n, k, size, group) in [
        (20, 16, 3, 1), (20, 1, 3, 20), (40, 20, 1, 1), (40, 1, 5, 40), (9, 40, 3, 1),
      ] {
        let w = draft.weights([n, k, size, size], scale: 1.7 / Float(k * size * size).squareRoot())
        let pads = [Int](repeating: size / 2, count: 4)
        y = try draft.node(
          "Conv", [y, w, draft.weights([n])], ["pads": .ints(pads), "group": .int(group)])
        layers.append((y, w))
        if apart { y = try draft.node("Max", [y, y]) }
      }
      draft.output(y)
      var encoded = EncodedGraph(graph: draft.graph)
      // The first is float, the last but one too: their outputs are encoded by those that follow.
      for (index, (name, w)) in layers.enumerated() where index != 0 && index != 3 {
        encoded.weights[w] = .nearest(
          try #require(draft.graph.constants[w]),
          Scheme(bits: 8, symmetry: .symmetric, granularity: .channel), channelAxis: 0, featureAxis: 1)
        encoded.layers[name] = LayerEncoding(mode: .dynamic, dynamicActivation: sharing)
      }
      return (draft, encoded)
    }
    let (draft, encoded) = try network(apart: false), (other, otherEncoded) = try network(apart: true)
    for threads in [1, 2] {
      let found = try Program.outputs(encoded, draft, threads: threads)
      let expected = try Program.outputs(otherEncoded, other, threads: threads)
      #expect(
        bytes(try #require(found[draft.graph.outputs[0].name]))
          == bytes(try #require(expected[other.graph.outputs[0].name])))
    }
  }

  /// Between the first quantize and the last dequantize a static network stays in codes.
  @Test func staticNetworksStayInCodes() throws {
    let draft = try Self.network()
    let program = try compile(
      try Self.candidate(draft, "static-int8"), CompileOptions(inputShapes: draft.shapes))
    let kernels = program.steps.map(\.kernel)
    #expect(kernels.filter { $0 == "quantize" }.count == 1)
    #expect(!kernels.contains { $0.hasPrefix("reference") })
    #expect(kernels.contains("maxpool u8") && kernels.contains("avgpool u8") && kernels.contains("concat u8"))
  }
}
