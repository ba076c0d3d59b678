import Execution
import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing

/// Block formats in recipes, and in what runs.
@Suite struct BlockFormatTests {
  // MARK: recipes

  private func recipe(_ weights: String, rules: String = "") throws -> Recipe {
    try Recipe(
      yaml: "lathe: 1\nname: x\ndefaults: {mode: weight-only, weights: {\(weights)}}\n\(rules)",
      file: "r.yaml")
  }

  @Test(arguments: BlockFormats.all.map(\.name)) func recipesNameFormats(_ name: String) throws {
    let read = try recipe("format: \(name.lowercased()), method: imatrix")
    #expect(read.defaults.weights.format == name)
    #expect(read.defaults.weights.method == .imatrix)
    #expect(try Recipe(yaml: read.yaml, file: "again") == read)
  }

  @Test func unknownFormatsAreErrors() throws {
    let error = try #require(throws: RecipeError.self) { try recipe("format: Q4_X") }
    #expect(error.place.line == 3 && error.place.column > 40)
    #expect(error.message.contains("defaults.weights.format is Q4_X, expected Q4_0, Q4_1"))
    #expect(error.message.hasSuffix("none."))
  }

  /// A rule that asks for plain codes does not keep the format of the defaults, and `none` takes it away alone.
  @Test(arguments: ["bits: 8", "granularity: channel", "symmetric: false", "format: none"])
  func rulesTakeFormatsAway(_ change: String) throws {
    let rules = "rules:\n  - {match: {name: block}, weights: {\(change)}}"
    let read = try recipe("format: Q4_K", rules: rules)
    #expect(try Recipe(yaml: read.yaml, file: "again") == read)
    func format(_ name: String) -> String? {
      read.settings(for: LayerIdentity(name: name, operatorName: "Gemm")).settings.weights.format
    }
    #expect(format("block") == nil)
    #expect(format("other") == "Q4_K")
  }

  @Test func editsSayFormats() throws {
    let layer = LayerIdentity(name: "block", operatorName: "Gemm")
    var edited = try recipe("bits: 4")
    func change(_ format: String?, bits: Int? = nil) -> SettingsChange {
      var change = SettingsChange()
      (change.weights.format, change.weights.bits) = (format, bits)
      return change
    }
    edited.set(change("Q6_K"), for: [layer])
    #expect(edited.settings(for: layer).settings.weights.format == "Q6_K")
    edited.set(change(nil, bits: 3), for: [layer])
    #expect(edited.settings(for: layer).settings.weights.format == nil)
    #expect(edited.settings(for: layer).settings.weights.bits == 3)
    edited.set(change(nil, bits: 4), for: [layer])
    #expect(edited.rules.isEmpty)
    // Of two changes in turn the later counts.
    let both = change("Q6_K").followed(by: change(nil, bits: 3))
    #expect(
      edited.defaults.applying(both)
        == edited.defaults.applying(change("Q6_K")).applying(change(nil, bits: 3)))
  }

  // MARK: resolution

  private func resolved(_ format: String, features: Int, mode: Mode = .weightOnly) throws -> ResolvedLayer {
    let graph = try TiedNetwork(features: features).graph
    let recipe = TiedNetwork.recipe(format, mode: mode)
    return try #require(recipe.resolve(graph, infos: TiedNetwork.infos(graph))["block"])
  }

  @Test(arguments: [
    ("Q4_K", 256, "Q4_K"), ("Q2_K", 32, "Q4_0"), ("Q3_K", 96, "Q4_0"), ("Q4_K", 128, "Q5_0"),
    ("Q5_K", 64, "Q5_1"), ("Q6_K", 288, "Q8_0"), ("Q8_0", 48, nil), ("Q4_K", 40, nil),
  ])
  func rowsThatAreNoWholeBlocks(_ asked: String, _ features: Int, _ expected: String?) throws {
    let layer = try resolved(asked, features: features)
    #expect(layer.requested.weights.format == asked)
    #expect(layer.effective.mode == (expected == nil ? .float : .weightOnly))
    #expect(layer.reasons.isEmpty == (asked == expected))
    guard let expected else {
      #expect(
        layer.reasons[0].contains("\(features) input features are no whole number of blocks of \(asked)"))
      return
    }
    let format = try #require(BlockFormats.named(expected))
    #expect(layer.effective.weights.format == expected)
    #expect(layer.effective.weights.scheme == Scheme(format))
    #expect(layer.effective.weights.bits == format.uniform?.bits)
    if asked != expected { #expect(layer.reasons[0].hasSuffix("the block of \(asked): \(expected)")) }
  }

  @Test func formatsHoldWeightsOnly() throws {
    let layer = try resolved("Q8_0", features: 32, mode: .static)
    #expect(layer.effective.mode == .weightOnly)
    #expect(layer.reasons == ["Q8_0 holds weights only: weight-only"])
  }

  /// Rows of a weight whose features do not run along the last axis are none, and say so.
  @Test func otherLayersStayFloat() throws {
    let graph = try RoundingNetwork.network()
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1] + RoundingNetwork.shape)]
    )
    let resolution = TiedNetwork.recipe("Q8_0").resolve(graph, infos: infos)
    let conv = try #require(resolution["first"]), product = try #require(resolution["columns"])
    #expect(conv.effective.mode == .float && product.effective.mode == .float)
    #expect(product.reasons[0].contains("the input features along axis 0"))
    #expect(conv.reasons.count == 1)
  }

  @Test func imatrixNeedsAFormat() throws {
    let graph = try TiedNetwork(features: 32).graph
    var recipe = TiedNetwork.recipe(nil)
    recipe.defaults.weights.method = .imatrix
    let layer = try #require(recipe.resolve(graph, infos: TiedNetwork.infos(graph))["block"])
    #expect(layer.effective.weights.method == .nearest)
    #expect(layer.reasons == ["imatrix is for block formats: rounded to nearest"])
  }

  // MARK: what runs

  @Test(arguments: BlockFormats.all.map(\.name)) func integersEqualTheSimulation(_ name: String) throws {
    let network = try TiedNetwork(features: 256)
    let candidate = try network.candidate(TiedNetwork.recipe(name))
    let format = try #require(BlockFormats.named(name))
    // The embedding that the output layer reads too is encoded once.
    #expect(candidate.encoded.weights.count == 2)
    #expect(candidate.encoded.graph.constants.keys.filter { $0.contains("@") }.isEmpty)
    let weight = try #require(candidate.encoded.weights["block.weight"])
    #expect(weight.encoding.scheme.format == name)
    #expect(weight.blocks?.byteCount == 256 * 256 / format.elements * format.bytes)
    // Reals by the format itself are those by codes, scales and minimums.
    if format.uniform != nil {
      let byCodes = decodedFloats(EncodedTensor(codes: weight.codes, encoding: weight.encoding))
      #expect(byCodes == decodedFloats(weight))
    }
    for rows in [1, 3, 9] {
      let options = CompileOptions(inputShapes: ["tokens": [rows]])
      let tokens = Tensor((0..<rows).map { Int64(7 * $0 % 48) }, shape: [rows])
      let program = try compile(candidate.encoded, options)
      let kernels = program.steps.map(\.kernel)
      #expect(!kernels.contains { $0.hasPrefix("reference Gemm") }, "\(kernels)")
      let integer = try #require(try program.run(["tokens": tokens])["logits"]).array(of: Float.self)
      let simulation = try compile(EncodedGraph(graph: simulated(candidate.encoded)), options)
      let real = try #require(try simulation.run(["tokens": tokens])["logits"]).array(of: Float.self)
      let largest = real.reduce(0) { max($0, abs($1)) }
      #expect(largest > 1)
      #expect(zip(integer, real).allSatisfy { abs($0 - $1) <= 2e-5 * largest }, "\(rows) rows")
    }
  }

  @Test(arguments: BlockFormats.all.map(\.name)) func sizesAreThoseOfBlocks(_ name: String) throws {
    let network = try TiedNetwork(features: 256)
    let recipe = TiedNetwork.recipe(name)
    let candidate = try network.candidate(recipe)
    let format = try #require(BlockFormats.named(name))
    let infos = TiedNetwork.infos(network.graph)
    let sizes = Sizes(candidate.encoded, infos: infos)
    #expect(sizes.bitsPerWeight == format.bitsPerWeight)
    #expect(sizes.weightBytes == (48 + 256) * 256 / format.elements * format.bytes)
    #expect(sizes.packedBytes == sizes.weightBytes)
    // What is foretold without encoding anything.
    #expect(try recipe.sizes(network.graph, infos: infos, threads: 1) == sizes)
  }

  @Test(arguments: ["Q4_1", "Q6_K", "NF4"]) func previewsShowTheErrorsOfBlocks(_ name: String) throws {
    let network = try TiedNetwork(features: 256)
    let tensor = try #require(network.graph.constants["block.weight"])
    let candidate = try network.candidate(TiedNetwork.recipe(name))
    let settings = try #require(candidate.resolution["block"]).effective.weights
    let role = WeightRole(input: 1, activation: 0, channelAxis: 0, featureAxis: 1)
    let preview = try #require(WeightPreview(tensor, settings: settings, role: role))
    let weight = try #require(candidate.encoded.weights["block.weight"])
    let errors = WeightErrors(tensor, weight, axis: 0)
    let distances = zip(tensor.array(of: Float.self), decodedFloats(weight)).map { $0 - $1 }
    #expect(errors.errors == (distances.min() ?? 0)...(distances.max() ?? 0))
    #expect(preview.levels == (name == "Q6_K" ? 64 : 16))
    #expect(preview.step > 0 && preview.lower < preview.upper)
    let signal = tensor.array(of: Float.self).reduce(0.0) { $0 + Double($1) * Double($1) }
    let noise = distances.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs((preview.sqnrDb ?? 0) - 10 * log10(signal / noise)) < 1e-6)
  }

  /// Weighted by what the layer reads, the error is smaller than that of the plain encoder.
  @Test(arguments: ["Q2_K", "Q3_K", "Q4_K"]) func importanceCounts(_ name: String) throws {
    let network = try TiedNetwork(features: 256)
    var recipe = TiedNetwork.recipe(name)
    let plain = try network.candidate(recipe)
    recipe.defaults.weights.method = .imatrix
    let weighted = try network.candidate(recipe)
    #expect(weighted.warnings.contains { $0.contains("Gather has no imatrix here; \(name) as it comes") })
    #expect(throws: QuantizationError.self) { try network.candidate(recipe, samples: false) }
    // What `block` reads are rows of the embedding as encoded.
    let rows = decodedFloats(try #require(weighted.encoded.weights["embedding.weight"]))
    var squares = [Double](repeating: 0, count: 256)
    for (index, x) in rows.enumerated() { squares[index % 256] += Double(x) * Double(x) }
    func error(_ candidate: Candidate) throws -> Double {
      let tensor = try #require(network.graph.constants["block.weight"]).array(of: Float.self)
      let reals = decodedFloats(try #require(candidate.encoded.weights["block.weight"]))
      return tensor.indices.reduce(0) { sum, index in
        let distance = Double(tensor[index] - reals[index])
        return sum + distance * distance * squares[index % 256]
      }
    }
    #expect(try error(weighted) < 0.97 * error(plain))
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let network = try TiedNetwork(features: 256)
    var recipe = TiedNetwork.recipe("Q4_K")
    recipe.defaults.weights.method = .imatrix
    let results = try [1, 2].map { threads in
      try network.candidate(recipe, threads: threads).encoded.weights.compactMapValues {
        $0.blocks?.array(of: UInt8.self)
      }
    }
    #expect(results[0] == results[1])
  }
}

/// An embedding that the output layer shares, and a layer between; features of very different sizes.
struct TiedNetwork {
  let graph: Graph

  init(features: Int) throws {
    var w = GraphWriter()
    w.graph.inputs = [ValueInfo(name: "tokens", type: .int64, dimensions: [.free("N")])]
    var table = w.random([48, features]).array(of: Float.self)
    for index in table.indices { table[index] *= index % features % 7 == 0 ? 8 : 0.5 }
    w.graph.constants["embedding.weight"] = Tensor(table, shape: [48, features])
    var weights = w.random([features, features]).array(of: Float.self)
    // A run of equal weights, whose scale is 0 where there are minimums.
    for index in 0..<min(64, features) { weights[index] = 0.375 }
    w.graph.constants["block.weight"] = Tensor(weights, shape: [features, features])
    try w.node("Gather", "embedding", ["embedding.weight", "tokens"])
    try w.node("Gemm", "block", ["embedding_out", "block.weight"], attributes: ["transB": .int(1)])
    try w.node("Relu", "relu", ["block_out"])
    try w.node(
      "Gemm", "output", ["relu_out", "embedding.weight"], attributes: ["transB": .int(1)], outputs: ["logits"]
    )
    w.output("logits")
    graph = w.graph
  }

  static func infos(_ graph: Graph) -> [ValueName: OperandInfo] {
    (try? graph.infer(inputs: ["tokens": OperandInfo(type: .int64, shape: [1])])) ?? [:]
  }

  static func recipe(_ format: String?, mode: Mode = .weightOnly) -> Recipe {
    var recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: mode), calibration: CalibrationSettings(samples: 48))
    recipe.defaults.weights.format = format
    return recipe
  }

  private struct Tokens: CalibrationSource {
    let count = 48
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
      ["tokens": Tensor(range.map { Int64($0) }, shape: [range.count])]
    }
  }

  func candidate(_ recipe: Recipe, samples: Bool = true, threads: Int = 1) throws -> Candidate {
    try quantize(
      graph, infos: Self.infos(graph), recipe: recipe, calibration: samples ? Tokens() : nil,
      threads: threads,
      report: { _, _ in })
  }
}
