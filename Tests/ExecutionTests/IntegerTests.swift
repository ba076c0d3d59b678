import CKernels
import Execution
import Graph
import Quantization
import Tensors
import Testing

/// Integer programs against the simulation that says what they mean.
struct IntegerTests {
  /// On the same input codes: at most one step apart, on at most 0.1 % of the elements.
  @Test(arguments: LayerCase.all, SchemeCase.all)
  func staticLayersEqualTheSimulation(_ layer: LayerCase, _ scheme: SchemeCase) throws {
    let quantized = try QuantizedLayer(layer, scheme, .static)
    let scale = try #require(quantized.outputEncoding?.scales[0])
    let (integer, simulation) = (try quantized.run().floats, try quantized.simulate().floats)
    #expect(integer.count == simulation.count)
    let steps = zip(integer, simulation).map { abs(($0 / scale).rounded() - ($1 / scale).rounded()) }
    #expect(steps.allSatisfy { $0 <= 1 })
    #expect(steps.filter { $0 > 0 }.count <= steps.count / 1000)
    // A test that compares constants would show nothing.
    #expect(Set(integer).count > 2)
  }

  @Test(arguments: LayerCase.all)
  func staticLayersUseIntegerKernels(_ layer: LayerCase) throws {
    let quantized = try QuantizedLayer(layer, SchemeCase.all[0], .static)
    let program = try compile(quantized.encoded, CompileOptions(inputShapes: quantized.draft.shapes))
    let name = try #require(quantized.encoded.graph.nodes.first?.name)
    let step = try #require(program.steps.first { $0.name == name })
    #expect(step.kernel.contains("u8s8"))
    #expect(step.mode == .static)
    #expect(step.nodes.count == [.nothing: 1, .relu: 2, .clip: 2, .residual: 3][layer.after])
    // Only the input is quantized on the way, and only the output dequantized.
    let conversions = program.steps.filter { $0.nodes.isEmpty }.map(\.kernel)
    #expect(conversions.filter { $0 == "quantize" }.count == (layer.after == .residual ? 2 : 1))
    #expect(conversions.filter { $0 == "dequantize" }.count == 1)
  }

  /// No mode falls back to a reference, whatever the scheme.
  @Test(arguments: LayerCase.all, [Mode.static, .dynamic, .weightOnly])
  func everyLayerHasKernels(_ layer: LayerCase, _ mode: Mode) throws {
    for scheme in SchemeCase.all where !(layer.weights[1] == 1 && mode == .dynamic && scheme.isGrouped) {
      let quantized = try QuantizedLayer(layer, scheme, mode)
      let program = try compile(quantized.encoded, CompileOptions(inputShapes: quantized.draft.shapes))
      #expect(program.steps.filter { $0.kernel.hasPrefix("reference") }.map(\.kernel) == [], "\(scheme)")
    }
  }

  @Test(arguments: LayerCase.all, [0, 2, 5, 7] as [Int])
  func levelsGiveTheSameCodes(_ layer: LayerCase, _ scheme: Int) throws {
    let quantized = try QuantizedLayer(layer, SchemeCase.all[scheme], .static)
    let scalar = bytes(try quantized.run(level: CK_SCALAR))
    for level in levels { #expect(bytes(try quantized.run(level: level)) == scalar) }
  }

  @Test(arguments: LayerCase.all, SchemeCase.all)
  func weightOnlyLayersEqualTheSimulation(_ layer: LayerCase, _ scheme: SchemeCase) throws {
    let quantized = try QuantizedLayer(layer, scheme, .weightOnly)
    #expect(relativeDifference(try quantized.run(), try quantized.simulate()) <= 2e-5)
  }

  @Test(arguments: LayerCase.all, SchemeCase.all)
  func dynamicLayersEqualTheSimulation(_ layer: LayerCase, _ scheme: SchemeCase) throws {
    for sharing in [nil, .tensor, .sample] as [LayerEncoding.DynamicActivation?] {
      let quantized = try QuantizedLayer(layer, scheme, .dynamic, sharing: sharing)
      #expect(relativeDifference(try quantized.run(), try quantized.simulate()) <= 1e-4)
    }
  }

  @Test(arguments: [Mode.static, .dynamic, .weightOnly])
  func threadsDoNotChangeResults(_ mode: Mode) throws {
    for layer in LayerCase.all {
      for scheme in [SchemeCase.all[0], SchemeCase.all[7]] {
        let quantized = try QuantizedLayer(layer, scheme, mode)
        #expect(bytes(try quantized.run(threads: 1)) == bytes(try quantized.run(threads: 2)))
      }
    }
  }

  /// Rows of a looked-up table as the codes say them.
  @Test(arguments: SchemeCase.all)
  func looksUpEncodedRows(_ scheme: SchemeCase) throws {
    var draft = Draft(4)
    let picks = draft.input("i", Tensor([Int64(3), 0, -1, 7, 3], shape: [5]))
    let table = draft.weights([9, 40])
    let rows = try draft.node("Gather", [table, picks])
    draft.output(rows)
    var encoded = EncodedGraph(graph: draft.graph)
    encoded.weights[table] = .nearest(
      try #require(draft.graph.constants[table]), scheme.weights, channelAxis: 0, featureAxis: 1)
    encoded.layers[rows] = LayerEncoding(mode: .weightOnly)
    let found = try #require(try Program.outputs(encoded, draft)[rows])
    let expected = try #require(try simulated(encoded).evaluate(draft.inputs)[rows])
    #expect(relativeDifference(found, expected) <= 1e-6)
  }

  /// Two readers of one value: one takes codes, the other the value itself.
  @Test func floatReadersTakeTheUnencodedValue() throws {
    var draft = Draft(6)
    let x = draft.input("x", [1, 6, 8, 8])
    let y = try draft.node("Conv", [x, draft.weights([6, 6, 1, 1]), draft.weights([6])])
    let pooled = try draft.node("MaxPool", [y], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    draft.output(pooled)
    draft.output(y)
    var encoded = EncodedGraph(graph: draft.graph)
    let values = try draft.graph.evaluate(draft.inputs)
    let encoding = Encoding.covering(try #require(values[y]), bits: 3, symmetry: .affine)
    encoded.activations[y] = encoding
    encoded.activations[pooled] = encoding
    encoded.layers[pooled] = LayerEncoding(mode: .static)
    let found = try Program.outputs(encoded, draft)
    let expected = try simulated(encoded).evaluate(draft.inputs)
    #expect(relativeDifference(try #require(found[y]), try #require(values[y])) <= 2e-5)
    #expect(relativeDifference(try #require(found[pooled]), try #require(expected[pooled])) <= 1e-6)
    #expect(Set(try #require(found[pooled]).floats).count <= 8)
  }

  /// A function of one encoded element is a table, exact.
  @Test(arguments: ["Sigmoid", "HardSwish", "Relu", "Tanh", "scaled"])
  func functionsOfCodesAreTables(_ type: String) throws {
    var draft = Draft(6)
    let x = draft.input("x", [2, 300], scale: 4)
    let factor = draft.constant(Tensor(scalar: Float(-0.7)))
    let y = type == "scaled" ? try draft.node("Mul", [x, factor]) : try draft.node(type, [x])
    let output = try draft.node("Reshape", [y, draft.integers([600])])
    draft.output(output)
    var encoded = EncodedGraph(graph: draft.graph)
    let values = try draft.graph.evaluate(draft.inputs, keeping: [y])
    encoded.activations["x"] = .covering(try #require(draft.inputs["x"]), bits: 8, symmetry: .affine)
    encoded.activations[y] = .covering(try #require(values[y]), bits: 8, symmetry: .symmetric)
    encoded.layers[y] = LayerEncoding(mode: .static)
    encoded.layers[output] = LayerEncoding(mode: .static)
    let program = try compile(encoded, CompileOptions(inputShapes: draft.shapes))
    #expect(program.steps.contains { $0.name == y && $0.kernel.hasSuffix("table") })
    let found = try #require(try program.run(draft.inputs)[output])
    #expect(bytes(found) == bytes(try #require(try simulated(encoded).evaluate(draft.inputs)[output])))
  }

  @Test func wideActivationsAreOnlySimulated() throws {
    var draft = Draft(6)
    let x = draft.input("x", [1, 6])
    let y = try draft.node("Gemm", [x, draft.weights([6, 4])])
    draft.output(y)
    var encoded = EncodedGraph(graph: draft.graph)
    encoded.activations["x"] = .covering(try #require(draft.inputs["x"]), bits: 16, symmetry: .affine)
    encoded.layers[y] = LayerEncoding(mode: .static)
    #expect(encoded.simulationReasons == ["activation \"x\" has 16 bits"])
    #expect(throws: ExecutionError.needsSimulation(encoded.simulationReasons)) {
      try Program.outputs(encoded, draft)
    }
    let found = try Program.outputs(EncodedGraph(graph: try simulated(encoded)), draft)
    #expect(
      relativeDifference(try #require(found[y]), try #require(try draft.graph.evaluate(draft.inputs)[y]))
        <= 1e-3)
  }
}
