import Graph
import Quantization
import Tensors
import Testing

@Suite struct PlacementTests {
  func candidate(_ writer: GraphWriter, _ recipe: Recipe) throws -> Candidate {
    var shapes: [ValueName: Shape] = [:]
    for input in writer.graph.inputs {
      shapes[input.name] = (input.dimensions ?? []).dropFirst().map {
        if case .fixed(let n) = $0 { n } else { 1 }
      }
    }
    return try quantize(
      writer.graph, infos: try writer.graph.infer(), recipe: recipe,
      calibration: RandomSource(shapes: shapes, count: 5), threads: 2, report: { _, _ in })
  }

  let staticRecipe = Recipe(
    name: "x", defaults: LayerSettings(mode: .static, activations: ActivationSettings(observer: .minMax)))

  /// The graph conv → relu → conv → (+ skip) → relu → pool → flatten → gemm.
  func residual() throws -> GraphWriter {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 8)
    try w.node("Relu", "r1", ["c1_out"])
    try w.conv("c2", "r1_out", 8, 8)
    try w.node("Add", "add", ["c2_out", "r1_out"])
    try w.node("Relu", "r2", ["add_out"])
    try w.node(
      "MaxPool", "pool", ["r2_out"], attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
    try w.node("Flatten", "flat", ["pool_out"])
    try w.gemm("fc", "flat_out", 72, 3)
    w.output("fc_out")
    return w
  }

  @Test func residualBlock() throws {
    let candidate = try candidate(try residual(), staticRecipe)
    let encoded = candidate.encoded
    // Nothing between convolution and ReLU, nothing on the graph's output.
    #expect(
      Set(encoded.activations.keys) == ["x", "r1_out", "c2_out", "r2_out", "pool_out", "flat_out"])
    // MaxPool and Flatten share the encoding of what they move.
    #expect(encoded.activations["pool_out"] == encoded.activations["r2_out"])
    #expect(encoded.activations["flat_out"] == encoded.activations["r2_out"])
    #expect(Set(encoded.layers.keys) == ["c1", "c2", "add", "pool", "flat", "fc"])
    #expect(encoded.layers.values.allSatisfy { $0.mode == .static })
    #expect(Set(encoded.biases.keys) == ["c1_b", "c2_b", "fc_b"])
    #expect(Set(candidate.observed.keys) == ["x", "r1_out", "c2_out", "r2_out"])
    // A ReLU's output has nothing below zero.
    #expect(encoded.activations["r1_out"]?.zeroPoints == [0])
    #expect(candidate.observed["r1_out"]?.lowest == 0)
    #expect(candidate.resolution.layers.map(\.node) == ["c1", "c2", "add", "pool", "flat", "fc"])
  }

  @Test func residualNeverBelowEightBits() throws {
    var recipe = staticRecipe
    recipe.defaults.activations.bits = 4
    let encoded = try candidate(try residual(), recipe).encoded
    for value in ["r1_out", "c2_out", "r2_out", "flat_out"] {
      #expect(encoded.activations[value]?.scheme.bits == 8, "\(value)")
    }
    #expect(encoded.activations["x"]?.scheme.bits == 8)
    recipe.inputs.bits = 5
    #expect(try candidate(try residual(), recipe).encoded.activations["x"]?.scheme.bits == 5)
    recipe.rules = [Rule(match: Match(operators: ["Add"]), change: SettingsChange(mode: .float))]
    let without = try candidate(try residual(), recipe).encoded
    #expect(without.activations["r1_out"]?.scheme.bits == 4)
    // The sum is float: its branch is not encoded for it.
    #expect(without.activations["c2_out"] == nil)
    #expect(without.activations["flat_out"]?.scheme.bits == 4)
  }

  @Test func widestReaderWins() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.conv("c2", "c1_out", 4, 4)
    try w.conv("c3", "c1_out", 4, 4)
    w.output("c2_out")
    w.output("c3_out")
    var recipe = staticRecipe
    recipe.rules = [
      Rule(match: Match(names: ["c2"]), change: SettingsChange(activationBits: 4, observer: .entropy)),
      Rule(match: Match(names: ["c3"]), change: SettingsChange(activationBits: 6, observer: .mse)),
    ]
    let candidate = try candidate(w, recipe)
    #expect(candidate.encoded.activations["c1_out"]?.scheme.bits == 6)
    #expect(candidate.observed["c1_out"]?.observer == .mse)
  }

  @Test func floatReadersTakeNoEncoding() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.conv("c2", "c1_out", 4, 4)
    w.output("c2_out")
    for mode in [Mode.float, .dynamic, .weightOnly] {
      var recipe = staticRecipe
      recipe.rules = [Rule(match: Match(names: ["c2"]), change: SettingsChange(mode: mode))]
      let encoded = try candidate(w, recipe).encoded
      #expect(Set(encoded.activations.keys) == ["x"])
      #expect(encoded.layers["c2"]?.mode == (mode == .float ? nil : mode))
      #expect(encoded.biases["c2_b"] == nil)
    }
  }

  @Test func concatHasItsOwnScale() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.node("Relu", "r1", ["c1_out"])
    try w.conv("c2", "x", 4, 4)
    try w.node("Concat", "cat", ["r1_out", "c2_out"], attributes: ["axis": .int(1)])
    try w.conv("c3", "cat_out", 8, 4)
    w.output("c3_out")
    let encoded = try candidate(w, staticRecipe).encoded
    #expect(Set(encoded.activations.keys) == ["x", "r1_out", "c2_out", "cat_out"])
    #expect(encoded.activations["cat_out"] != encoded.activations["r1_out"])
    #expect(encoded.layers["cat"]?.mode == .static)
  }

  @Test func operatorsWithoutStaticNeighboursStayFloat() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    w.input("z", [1, 4, 6, 6])
    try w.node("Add", "first", ["x", "z"])
    try w.conv("c1", "first_out", 4, 4)
    try w.node("MaxPool", "last", ["c1_out"], attributes: ["kernel_shape": .ints([2, 2])])
    w.output("last_out")
    let candidate = try candidate(w, staticRecipe)
    #expect(Set(candidate.encoded.layers.keys) == ["c1"])
    #expect(Set(candidate.encoded.activations.keys) == ["first_out"])
    let last = try #require(candidate.resolution["last"])
    #expect(last.effective.mode == .float && last.requested.mode == .static)
    #expect(last.reasons == ["its neighbours do not run on codes: float"])
  }

  @Test func clampThatIsNotFusedRunsOnCodes() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.node("Relu", "r1", ["c1_out"])
    try w.conv("c2", "r1_out", 4, 4)
    try w.conv("c3", "c1_out", 4, 4)
    w.output("c2_out")
    w.output("c3_out")
    let encoded = try candidate(w, staticRecipe).encoded
    #expect(Set(encoded.activations.keys) == ["x", "c1_out", "r1_out"])
    #expect(encoded.layers["r1"]?.mode == .static)
  }

  @Test func smoothActivationsStayFloat() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.node("HardSwish", "h", ["c1_out"])
    try w.conv("c2", "h_out", 4, 4)
    w.output("c2_out")
    let encoded = try candidate(w, staticRecipe).encoded
    #expect(Set(encoded.activations.keys) == ["x", "h_out"])
    #expect(encoded.layers["h"] == nil)
  }

  @Test func transposedInputIsMovedAsCodes() throws {
    var w = GraphWriter()
    w.input("x", [1, 6, 6, 4])
    try w.node("Transpose", "t", ["x"], attributes: ["perm": .ints([0, 3, 1, 2])])
    try w.conv("c1", "t_out", 4, 4)
    w.output("c1_out")
    let encoded = try candidate(w, staticRecipe).encoded
    #expect(encoded.activations["x"] == encoded.activations["t_out"])
    #expect(Set(encoded.layers.keys) == ["t", "c1"])
  }

  @Test func depthwiseHasAScalePerFilter() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("dw", "x", 4, 4, group: 4)
    try w.conv("pw", "dw_out", 4, 2)
    w.output("pw_out")
    var recipe = staticRecipe
    recipe.defaults.weights.granularity = .group(2)
    let candidate = try candidate(w, recipe)
    #expect(candidate.encoded.weights["dw_w"]?.encoding.scales.count == 4)
    let layer = try #require(candidate.resolution["dw"])
    #expect(
      layer.effective.weights.granularity == .channel && layer.requested.weights.granularity == .group(2))
    #expect(layer.reasons == ["one input feature per output, nothing to group: one scale per channel"])
    // Weights in groups give float sums, so their layer keeps a float bias.
    #expect(candidate.encoded.biases["pw_b"] == nil && candidate.encoded.biases["dw_b"] != nil)
  }

  @Test func sharedConstantsAreCopiedWhereTheyDiffer() throws {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    try w.conv("c1", "x", 4, 4)
    try w.node("Conv", "c2", ["c1_out", "c1_w", "c1_b"], attributes: ["pads": .ints([1, 1, 1, 1])])
    w.output("c2_out")
    let encoded = try candidate(w, staticRecipe).encoded
    #expect(encoded.biases.count == 2 && encoded.weights.count == 2)
    let node = try #require(encoded.graph.nodes.last)
    #expect(node.inputs == ["c1_out", "c1_w@c2", "c1_b@c2"])
    _ = try encoded.graph.checked(after: "quantize")
    var recipe = staticRecipe
    recipe.defaults.mode = .weightOnly
    #expect(try candidate(w, recipe).encoded.weights.count == 1)
  }

  @Test func symmetricActivationsHaveTheirZeroInTheMiddle() throws {
    var recipe = staticRecipe
    recipe.defaults.activations.symmetric = true
    let encoded = try candidate(try residual(), recipe).encoded
    #expect(encoded.activations.values.allSatisfy { $0.zeroPoints == [128] && $0.codes == 1...255 })
  }

  @Test func reducedRangeKeepsTheUpperHalfFree() throws {
    var recipe = staticRecipe
    recipe.defaults.activations.reducedRange = true
    let encoded = try candidate(try residual(), recipe).encoded
    #expect(encoded.activations.values.allSatisfy { $0.codes == 0...127 && $0.scheme.bits == 8 })
    recipe.defaults.mode = .dynamic
    let layers = try candidate(try residual(), recipe).encoded.layers
    #expect(Set(layers.keys) == ["c1", "c2", "fc"] && layers.values.allSatisfy { $0.dynamicBits == 7 })
  }
}

@Suite struct ResolutionTests {
  func layer(_ settings: LayerSettings, _ type: String, _ shape: Shape, _ attributes: Attributes = [:]) throws
    -> ResolvedLayer
  {
    var w = GraphWriter()
    w.input("x", type == "Conv" ? [1, shape[1], 6, 6] : [1, shape[1]])
    w.graph.constants["w"] = w.random(shape)
    try w.node(type, "layer", ["x", "w"], attributes: attributes)
    w.output("layer_out")
    let resolution = Recipe(name: "r", defaults: settings).resolve(w.graph, infos: try w.graph.infer())
    return try #require(resolution["layer"])
  }

  @Test func groupsThatDoNotDivide() throws {
    let settings = LayerSettings(mode: .weightOnly, weights: WeightSettings(bits: 4, granularity: .group(32)))
    let short = try layer(settings, "Gemm", [8, 100], ["transB": .int(1)])
    #expect(short.effective == short.requested)
    #expect(short.reasons == ["100 input features are not a multiple of 32: the last group has 4"])
    let whole = try layer(settings, "Gemm", [8, 32], ["transB": .int(1)])
    #expect(whole.effective.weights.granularity == .channel)
    #expect(try layer(settings, "Gemm", [8, 64], ["transB": .int(1)]).reasons.isEmpty)
  }

  @Test func smallTensorsAndWideActivations() throws {
    var settings = LayerSettings(mode: .dynamic, weights: WeightSettings(minimumElements: 1024))
    let small = try layer(settings, "Gemm", [8, 100], ["transB": .int(1)])
    #expect(small.effective.mode == .float)
    #expect(small.reasons == ["800 weights, under the 1 024 from which they are quantized"])
    settings.activations.bits = 16
    let wide = try layer(settings, "Gemm", [16, 100], ["transB": .int(1)])
    #expect(wide.effective.activations.bits == 8 && wide.effective.mode == .dynamic)
    settings.mode = .static
    #expect(
      try layer(settings, "Gemm", [16, 100], ["transB": .int(1)]).reasons == [
        "16-bit activations run simulated only"
      ])
  }

  @Test func tablesAreWeightOnly() throws {
    let candidate = try quantizedLayer(
      "Gather", weight: Tensor([Float](repeating: 1, count: 40), shape: [10, 4]),
      settings: LayerSettings(mode: .static),
      input: [3])
    let layer = try #require(candidate.resolution["layer"])
    #expect(layer.effective.mode == .weightOnly)
    #expect(layer.reasons == ["Gather looks rows up and multiplies nothing: weight-only"])
    #expect(candidate.encoded.weights["w"]?.encoding.scales.count == 10)
  }

  @Test func productsOfComputedValuesStayFloat() throws {
    var w = GraphWriter()
    w.input("x", [1, 4])
    w.input("y", [4, 4])
    try w.node("MatMul", "m", ["x", "y"])
    w.output("m_out")
    let resolution = Recipe(name: "r").resolve(w.graph, infos: try w.graph.infer())
    #expect(resolution["m"]?.effective.mode == .float)
    #expect(resolution["m"]?.reasons == ["no constant weight"])
  }

  @Test func ruleThatMatchesNothingWarns() throws {
    let recipe = try Recipe(
      yaml: "lathe: 1\nname: x\nrules:\n  - {match: {name: conv*}, mode: float}\n", file: "r.yaml")
    var w = GraphWriter()
    w.input("x", [1, 4])
    try w.gemm("fc", "x", 4, 2)
    w.output("fc_out")
    let resolution = recipe.resolve(w.graph, infos: try w.graph.infer())
    #expect(
      resolution.warnings == [
        "line 4, column 5: rule 1 matches no layer: {match: {name: \"conv*\"}, mode: float}"
      ])
  }
}
