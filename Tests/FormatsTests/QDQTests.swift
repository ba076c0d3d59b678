import Formats
import Graph
import Operators
import Tensors
import Testing

/// The QDQ form computes what the encodings mean: checked by our own reference on the written and re-read file.
@Suite struct QDQTests {
  /// Weight schemes that a file has to say.
  static let schemes: [Scheme] = [2, 3, 4, 5, 8].flatMap { bits in
    [Scheme.Granularity.tensor, .channel, .group(16)].flatMap { granularity in
      Scheme.Symmetry.allCases.map { Scheme(bits: bits, symmetry: $0, granularity: granularity) }
    }
  }

  @Test(arguments: schemes) func weightOnly(_ scheme: Scheme) throws {
    for layer in [SmallLayer.matMul, .gemm, .gemmTransposed, .convolution] {
      let encoded = try layer.encoded(scheme, mode: .weightOnly)
      let x = layer.input(seed: 3)
      let got = try writtenOutput(encoded, x)
      let want = try layer.graph(dequantized: encoded).evaluate(["x": x])["y"]
      #expect(largestDifference(got, try #require(want)) < 1e-5, "\(layer.type)")
    }
  }

  @Test(arguments: schemes) func staticLayer(_ scheme: Scheme) throws {
    for layer in [SmallLayer.matMul, .gemm, .gemmTransposed, .convolution] {
      var encoded = try layer.encoded(scheme, mode: .static)
      let affine = Scheme(bits: 8, symmetry: .affine, granularity: .tensor)
      encoded.activations["x"] = Encoding(scheme: affine, scales: [0.016], zeroPoints: [121])
      let x = layer.input(seed: 4)
      let got = try writtenOutput(encoded, x)
      let rounded = quantizeDequantize(x, try #require(encoded.activations["x"]))
      let want = try layer.graph(dequantized: encoded).evaluate(["x": rounded])["y"]
      #expect(largestDifference(got, try #require(want)) < 1e-5, "\(layer.type)")
    }
  }

  @Test(arguments: [SmallLayer.matMul, .gemm, .gemmTransposed, .scaledGemm, .convolution])
  func dynamicLayer(_ layer: SmallLayer) throws {
    for symmetry in Scheme.Symmetry.allCases {
      for granularity in [Scheme.Granularity.tensor, .channel] {
        if layer.type == "Conv" && symmetry == .affine && granularity == .channel { continue }
        let scheme = Scheme(bits: 8, symmetry: symmetry, granularity: granularity)
        let encoded = try layer.encoded(scheme, mode: .dynamic)
        let (graph, _, warnings) = try ONNX.quantized(encoded)
        let types = graph.nodes.map(\.operatorName.type)
        #expect(types.contains("DynamicQuantizeLinear") && !types.contains("DequantizeLinear"))
        #expect(warnings.isEmpty)
        let x = layer.input(seed: 5)
        let got = try writtenOutput(encoded, x)
        let values = x.floats
        let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
        let scale = (high - low) / 255
        let zero = Int32((-low / scale).rounded(.toNearestOrEven))
        let affine = Scheme(bits: 8, symmetry: .affine, granularity: .tensor)
        let rounded = quantizeDequantize(x, Encoding(scheme: affine, scales: [scale], zeroPoints: [zero]))
        let want = try layer.graph(dequantized: encoded).evaluate(["x": rounded])["y"]
        #expect(largestDifference(got, try #require(want)) < 1e-4, "\(layer.type) \(symmetry) \(granularity)")
      }
    }
  }

  @Test func whatDynamicCannotSayBecomesWeightOnly() throws {
    let group = Scheme(bits: 4, symmetry: .symmetric, granularity: .group(16))
    let (graph, opset, warnings) = try ONNX.quantized(try SmallLayer.matMul.encoded(group, mode: .dynamic))
    #expect(graph.nodes.map(\.operatorName.type) == ["DequantizeLinear", "MatMul"])
    #expect(opset >= 21)
    #expect(
      warnings == [
        "layer: has no dynamic integer form in ONNX; its weights are stored as codes and it computes in float."
      ])
  }

  /// A range for every row is written in elementary operators; affine weights keep one range, and that is said.
  @Test(arguments: Scheme.Symmetry.allCases) func dynamicRows(_ symmetry: Scheme.Symmetry) throws {
    let scheme = Scheme(bits: 8, symmetry: symmetry, granularity: .channel)
    var rows = try SmallLayer.matMul.encoded(scheme, mode: .dynamic)
    rows.layers["layer"]?.dynamicActivation = .token
    let (graph, _, warnings) = try ONNX.quantized(rows)
    let types = graph.nodes.map(\.operatorName.type)
    guard symmetry == .symmetric else {
      #expect(types.contains("DynamicQuantizeLinear"))
      #expect(warnings.first?.contains("per row") == true)
      return
    }
    #expect(types.contains("ReduceMin") && types.contains("MatMulInteger") && warnings.isEmpty)
    let x = SmallLayer.matMul.input(seed: 6)
    let width = x.shape[1]
    var rounded: [Float] = []
    for row in 0..<x.shape[0] {
      let values = Array(x.floats[row * width..<(row + 1) * width])
      let range = AffineRange(lowest: values.min() ?? 0, highest: values.max() ?? 0)
      let affine = Scheme(bits: 8, symmetry: .affine, granularity: .tensor)
      let encoding = Encoding(scheme: affine, scales: [range.scale], zeroPoints: [range.zeroPoint])
      rounded += quantizeDequantize(Tensor(values, shape: [width]), encoding).floats
    }
    let want = try SmallLayer.matMul.graph(dequantized: rows).evaluate(["x": Tensor(rounded, shape: x.shape)]
    )["y"]
    #expect(largestDifference(try writtenOutput(rows, x), try #require(want)) < 1e-4)
  }

  /// Per-channel weights, int32 bias, and both with the zero points that runtimes fuse by.
  @Test func layoutOfAStaticConvolution() throws {
    let channel = Scheme(bits: 8, symmetry: .symmetric, granularity: .channel)
    var encoded = try SmallLayer.convolution.encoded(channel, mode: .static)
    let affine = Scheme(bits: 8, symmetry: .affine, granularity: .tensor)
    encoded.activations["x"] = Encoding(scheme: affine, scales: [0.5], zeroPoints: [3])
    let weightScales = try #require(encoded.weights["w"]).encoding.scales
    let codes = Tensor((0..<weightScales.count).map { Int32($0 * 100 - 50) }, shape: [weightScales.count])
    encoded.biases["b"] = EncodedBias(codes: codes, scales: weightScales.map { $0 * 0.5 })
    let (graph, opset, warnings) = try ONNX.quantized(encoded)
    #expect(
      graph.nodes.map(\.operatorName.type)
        == ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "DequantizeLinear", "Conv"])
    #expect(opset == 13 && warnings.isEmpty)
    #expect(graph.constants["w"] == nil && graph.constants["b"] == nil)
    #expect(graph.constants["w_quantized"]?.type == .int8)
    #expect(graph.constants["w_zero_point"]?.type == .int8)
    #expect(graph.constants["b_quantized"]?.type == .int32)
    #expect(graph.constants["x_zero_point"]?.type == .uint8)
    #expect(graph.nodes[2].op.attributes.int("axis") ?? 0 == 0)
    #expect(try graph.checked(after: "lowering").nodes.count == 5)
  }

  @Test func narrowAndWideActivations() throws {
    let channel = Scheme(bits: 8, symmetry: .symmetric, granularity: .channel)
    let x = Tensor([-10, 0.3, 0.9, 10] + [Float](repeating: 0, count: 92), shape: [2, 48])
    func output(_ encoding: Encoding) throws -> (
      got: Tensor, want: Tensor, types: [ElementType], warnings: Int
    ) {
      var encoded = try SmallLayer.matMul.encoded(channel, mode: .static)
      encoded.activations["x"] = encoding
      let (graph, _, warnings) = try ONNX.quantized(encoded)
      let want = try SmallLayer.matMul.graph(dequantized: encoded)
        .evaluate(["x": quantizeDequantize(x, encoding)])["y"]
      return (
        try writtenOutput(encoded, x), try #require(want),
        [graph.constants["x_zero_point"]?.type].compactMap { $0 },
        warnings.count
      )
    }
    func scheme(_ bits: Int, _ symmetry: Scheme.Symmetry) -> Scheme {
      Scheme(bits: bits, symmetry: symmetry, granularity: .tensor)
    }
    let seven = try output(
      Encoding(scheme: scheme(8, .affine), scales: [0.02], zeroPoints: [60], codes: 0...127))
    #expect(largestDifference(seven.got, seven.want) < 1e-5 && seven.types == [.uint8] && seven.warnings == 1)
    let four = try output(Encoding(scheme: scheme(4, .affine), scales: [0.1], zeroPoints: [7]))
    #expect(largestDifference(four.got, four.want) < 1e-5 && four.types == [.uint8] && four.warnings == 1)
    let signed = try output(Encoding(scheme: scheme(8, .symmetric), scales: [0.1], zeroPoints: [0]))
    #expect(
      largestDifference(signed.got, signed.want) < 1e-5 && signed.types == [.int8] && signed.warnings == 0)
    let wide = try output(Encoding(scheme: scheme(16, .affine), scales: [0.001], zeroPoints: [30_000]))
    #expect(largestDifference(wide.got, wide.want) < 1e-4 && wide.types == [.uint16] && wide.warnings == 0)
  }

  /// Two lookups in one table: 8-bit codes are gathered before they become real, 4-bit ones after.
  @Test(arguments: [
    Scheme(bits: 8, symmetry: .symmetric, granularity: .channel),
    Scheme(bits: 8, symmetry: .affine, granularity: .channel),
    Scheme(bits: 5, symmetry: .affine, granularity: .tensor),
    Scheme(bits: 8, symmetry: .symmetric, granularity: .group(16)),
    Scheme(bits: 4, symmetry: .symmetric, granularity: .channel),
  ])
  func lookup(_ scheme: Scheme) throws {
    let table = SmallLayer(
      type: "Gather", inputShape: [], weightShape: [6, 48], channelAxis: 0, groupAxis: 1, hasBias: false)
    let declaration = try #require(Catalog.find(domain: "", type: "Gather"))
    let op = try declaration.init(attributes: [:])
    let weight = table.encode(table.weight, scheme)
    var encoded = EncodedGraph(graph: Graph(name: "lookups"))
    encoded.graph.inputs = [ValueInfo(name: "i", type: .int64, dimensions: [.fixed(2), .fixed(2)])]
    encoded.graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    encoded.graph.constants = ["w": table.weight, "j": Tensor([Int64(1), 0], shape: [2])]
    encoded.graph.nodes = [
      Node(name: "first", op: op, inputs: ["w", "i"], outputs: ["y"]),
      Node(name: "second", op: op, inputs: ["w", "j"], outputs: ["z"]),
    ]
    encoded.weights["w"] = weight
    encoded.layers = ["first": LayerEncoding(mode: .weightOnly), "second": LayerEncoding(mode: .weightOnly)]
    let (graph, _, _) = try ONNX.quantized(encoded)
    let isGatheredFirst = graph.nodes.first?.operatorName.type == "Gather"
    #expect(isGatheredFirst == (scheme.bits != 4 && scheme.granularity != .group(16)))
    #expect(graph.constants["w"] == nil && graph.constants["w_quantized_2"] == nil)
    let indices = Tensor([Int64(5), 0, 3, 3], shape: [2, 2])
    encoded.graph.constants["w"] = dequantize(weight)
    let want = try #require(try encoded.graph.evaluate(["i": indices])["y"])
    let got = try #require(try graph.evaluate(["i": indices])["y"])
    #expect(largestDifference(got, want) < 1e-6)
  }

  /// A float reader of an encoded value, and a float reader of a quantized weight, take the unencoded ones.
  @Test func floatReadersSeeFloats() throws {
    let scheme = Scheme(bits: 4, symmetry: .symmetric, granularity: .tensor)
    var encoded = try SmallLayer.matMul.encoded(scheme, mode: .static)
    encoded.activations["x"] = Encoding(
      scheme: Scheme(bits: 8, symmetry: .affine, granularity: .tensor), scales: [1], zeroPoints: [8])
    let layer = encoded.graph.nodes[0]
    encoded.graph.nodes.append(Node(name: "twin", op: layer.op, inputs: ["x", "w"], outputs: ["z"]))
    encoded.graph.outputs.append(ValueInfo(name: "z", type: .float32, dimensions: nil))
    let (graph, _, _) = try ONNX.quantized(encoded)
    let twin = try #require(graph.nodes.first { $0.name == "twin" })
    #expect(twin.inputs == ["x", "w"] && graph.constants["w"] != nil)
    let x = SmallLayer.matMul.input(seed: 6)
    let values = try graph.evaluate(["x": x])
    let want = try SmallLayer.matMul.graph(dequantized: nil).evaluate(["x": x])["y"]
    #expect(largestDifference(try #require(values["z"]), try #require(want)) == 0)
  }

  /// Writes, reads and runs.
  private func writtenOutput(_ encoded: EncodedGraph, _ x: Tensor) throws -> Tensor {
    let folder = try TemporaryFolder()
    _ = try ONNX.write(encoded, path: folder.path("q.onnx"))
    let graph = try ONNX.read(path: folder.path("q.onnx"))
    return try #require(try graph.evaluate(["x": x])["y"])
  }
}
