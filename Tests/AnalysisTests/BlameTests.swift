import Analysis
import Datasets
import Execution
import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workflows

/// A residual network of 8 × 8 images: convolutions, a sum, depthwise, pooling, a classifier.
private func network() throws -> Graph {
  var random = SplitMix64(seed: 7)
  func weights(_ shape: Shape, _ scale: Float) -> Tensor {
    Tensor((0..<shape.elementCount).map { _ in Float(random.unit() * 2 - 1) * scale }, shape: shape)
  }
  var builder = GraphBuilder(Graph(), infos: [:])
  let image = builder.input("image", shape: [1, 3, 8, 8])
  let window = WindowAttributes(pads: [1, 1, 1, 1])
  func conv(_ name: String, _ x: ValueName, _ shape: Shape, groups: Int = 1) throws -> ValueName {
    try builder.add(
      Conv(window: window, groups: groups), x, builder.constant(weights(shape, 0.4), named: "w"),
      builder.constant(weights([shape[0]], 0.2), named: "b"), named: name)
  }
  let stem = try builder.add(Relu(), conv("stem", image, [16, 3, 3, 3]))
  let branch = try conv("branch", stem, [16, 16, 3, 3])
  let joined = try builder.add(Relu(), builder.add(Add(), branch, stem, named: "sum"))
  let depth = try builder.add(Relu(), conv("depthwise", joined, [16, 1, 3, 3], groups: 16))
  let pooled = try builder.add(Flatten(), builder.add(GlobalAveragePool(), depth, named: "pool"))
  let logits = try builder.add(
    Gemm(transposesB: true), pooled, builder.constant(weights([5, 16], 1), named: "w"),
    builder.constant(weights([5], 0.2), named: "b"), named: "fc")
  builder.output(logits)
  var graph = builder.graph
  graph.inputs[0].dimensions = [.free("batch"), .fixed(3), .fixed(8), .fixed(8)]
  graph.outputs[0].dimensions = nil
  return graph
}

private func project(_ graph: Graph, threads: Int = 1, data: BoundDataset? = nil) throws -> Project {
  try Project(model: try Model(source: graph, path: "m.onnx", format: "ONNX"), data: data, threads: threads)
}

private func candidate(_ project: Project, _ preset: String) throws -> Candidate {
  try project.prepare(try #require(Presets[preset]).recipe, name: preset, reporter: .silent)
}

private let modes = ["static-int8", "dynamic-int8", "weight-int4"]

@Suite struct BlameTests {
  /// f(x), f(x̂), f(Qx̂), f_q(Qx̂) and f_q(Qx) of one layer, by reference computation.
  private struct Answers {
    var values: [[Double]]

    /// No layer here holds a subgraph.
    private static let context = EvaluationContext(run: { _, _, _ in [] })

    init(_ layer: String, _ project: Project, _ candidate: Candidate, _ inputs: [ValueName: Tensor]) throws {
      let simulation = try simulated(candidate.encoded)
      let graph = project.model.graph
      func all(_ graph: Graph) throws -> [ValueName: Tensor] {
        var seen = inputs.merging(graph.constants) { $1 }
        _ = try graph.evaluate(inputs) { seen[$0] = $1 }
        return seen
      }
      let (float, theirs) = (try all(graph), try all(simulation))
      func node(_ graph: Graph) throws -> Node { try #require(graph.nodes.first { $0.name == layer }) }
      let (f, plain, q) = (try node(graph), try node(candidate.encoded.graph), try node(simulation))
      func run(_ operands: [Tensor?]) throws -> [Double] {
        try f.op.evaluate(operands, outputs: 1, context: Self.context)[0].array(of: Float.self)
          .map { Double($0) }
      }
      func operands(_ activation: (Int) throws -> Tensor?, _ constant: (Int) -> Tensor?) throws -> [Tensor?] {
        try f.inputs.indices.map {
          let name = try #require(f.inputs[$0])
          return graph.constants[name] == nil ? try activation($0) : constant($0)
        }
      }
      let own = { (index: Int) in f.inputs[index].flatMap { float[$0] } }
      let quantized = { (index: Int) in q.inputs[index].flatMap { theirs[$0] } }
      // What the encoding of the candidate's input makes of the float one.
      let encoded = { (index: Int) throws -> Tensor? in
        guard q.inputs[index] != plain.inputs[index] else { return own(index) }
        let encoder = try #require(simulation.nodes.first { $0.outputs[0] == q.inputs[index] })
        return try encoder.op.evaluate([own(index)], outputs: 1, context: Self.context)[0]
      }
      values = [
        try run(operands(own, own)),
        try run(operands({ plain.inputs[$0].flatMap { theirs[$0] } }, own)),
        try run(operands(quantized, own)), try run(operands(quantized, quantized)),
        try run(operands(encoded, quantized)),
      ]
    }

    /// Σ (a − b) · (c − d).
    func product(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Double {
      values[0].indices.reduce(0.0) {
        $0 + (values[a][$1] - values[b][$1]) * (values[c][$1] - values[d][$1])
      }
    }

    func energy(_ a: Int, _ b: Int) -> Double { product(a, b, a, b) }
  }

  /// Every energy is what the definition says, for every kind of layer, and the parts add up with their products.
  @Test(arguments: modes) func energiesAreThoseOfTheDefinition(_ preset: String) throws {
    let project = try project(try network())
    let candidate = try candidate(project, preset)
    let samples = 12
    let blame = try project.blame(candidate, samples: Array(0..<samples), reporter: .silent)
    let inputs = try project.data.batch(0..<samples)
    #expect(
      blame.layers.map(\.name).filter { !$0.contains("relu") } == [
        "stem", "branch", "sum", "depthwise", "pool", "flatten", "fc",
      ])
    for layer in blame.layers {
      let answers = try Answers(layer.name, project, candidate, inputs)
      let found = layer.energies
      // Kernels and reference differ by float32's rounding, which may move single values by a step.
      let size = answers.values[0].reduce(0.0) { $0 + $1 * $1 }
      func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 0.01 * abs(b) + 1e-9 * size }
      #expect(isClose(found.reference, size), "\(layer.name)")
      #expect(isClose(found.inherited, answers.energy(1, 0)), "\(layer.name)")
      #expect(isClose(found.activations, answers.energy(2, 1)), "\(layer.name)")
      #expect(isClose(found.weights, answers.energy(3, 2)), "\(layer.name)")
      #expect(isClose(found.total, answers.energy(3, 0)), "\(layer.name)")
      #expect(isClose(found.alone, answers.energy(4, 0)), "\(layer.name)")
      let cross =
        2 * (answers.product(1, 0, 2, 1) + answers.product(1, 0, 3, 2) + answers.product(2, 1, 3, 2))
      #expect(abs(found.cross - cross) <= 0.02 * found.total + 1e-9 * size, "\(layer.name)")
      let channels = layer.channels.reduce(0.0) { $0 + $1.total }
      #expect(abs(channels - found.total) <= 1e-9 * found.total, "\(layer.name)")
    }
    // A sum and a pool have no weights to blame; under weight-only nothing has activations to.
    for name in ["sum", "pool"] { #expect(blame[layer: name]?.energies.weights == 0) }
    let activations = blame.layers.reduce(0.0) { $0 + $1.energies.activations }
    #expect((activations == 0) == (preset == "weight-int4"))
    #expect(preset != "static-int8" || blame[layer: "sum"].map { $0.energies.activations > 0 } ?? false)
    #expect(blame.layers[0].energies.inherited == 0 && blame.layers[0].energies.total > 0)
  }

  /// 2 samples, 2 outputs, weights rounded to halves, inputs to whole numbers.
  @Test func oneLayerByHand() throws {
    var builder = GraphBuilder(Graph(), infos: [:])
    let x = builder.input("x", shape: [1, 2])
    let w = builder.constant(Tensor([0.6, 0.4, 1, 0] as [Float], shape: [2, 2]), named: "w")
    let y = try builder.add(Gemm(transposesB: true), x, w, named: "fc")
    builder.output(y)
    var graph = builder.graph
    graph.inputs[0].dimensions = [.free("batch"), .fixed(2)]
    graph.outputs[0].dimensions = nil
    let path = NSTemporaryDirectory() + "lathe-blame-\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Npy.encode(Tensor([1.25, 2, 3, -1.5] as [Float], shape: [2, 2]))).write(
      to: URL(fileURLWithPath: path))
    let data = try Dataset.open(path).bound(
      to: [InputSpec(name: "x", type: .float32, dimensions: [nil, 2])])
    let project = try project(graph, data: data)
    let scheme = Scheme(bits: 4, symmetry: .symmetric, granularity: .tensor)
    var encoded = EncodedGraph(graph: project.model.graph, layers: ["fc": LayerEncoding(mode: .static)])
    encoded.activations["x"] = Encoding(scheme: scheme, scales: [1], zeroPoints: [0])
    encoded.weights[w] = EncodedTensor(
      codes: Tensor([1, 1, 2, 0] as [Int8], shape: [2, 2]),
      encoding: Encoding(scheme: scheme, scales: [0.5], zeroPoints: [0]))
    let candidate = Candidate(
      recipe: Recipe(name: "r"), encoded: encoded, resolution: Resolution(), warnings: [], observed: [:],
      quantizeSeconds: 0)
    let blame = try project.blame(candidate, samples: [0, 1], reporter: .silent)
    let layer = try #require(blame[layer: "fc"])
    func expect(_ energies: Blame.Energies, _ expected: [Double]) {
      let found = [
        energies.reference, energies.inherited, energies.activations, energies.weights, energies.cross,
        energies.total, energies.alone,
      ]
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5, "\(found)") }
    }
    // f(x): 1.55 1.25, 1.2 3; f(Qx): 1.4 1, 1 3; f_q(Qx): 1.5 1, 0.5 3.
    expect(layer.energies, [14.405, 0, 0.125, 0.26, 0.17, 0.555, 0.555])
    expect(layer.channels[0], [3.8425, 0, 0.0625, 0.26, 0.17, 0.4925, 0.4925])
    expect(layer.channels[1], [10.5625, 0, 0.0625, 0, 0, 0.0625, 0.0625])
    #expect(layer.worst.map(\.index) == [1, 0])
    expect(layer.worst[0].energies, [10.44, 0, 0.04, 0.25, 0.2, 0.49, 0.49])
    #expect(layer.channelsByAdded.map(\.channel) == [0, 1])
    #expect(abs(layer.channelsByAdded[0].share - 0.3225 / 0.385) < 1e-5)
    let sqnr = try #require(layer.energies.sqnrDb(layer.energies.total))
    #expect(abs(sqnr - 10 * log10(14.405 / 0.555)) < 1e-4)
  }

  @Test(arguments: ["stem", "branch", "depthwise", "fc"]) func aDamagedLayerIsFirst(_ name: String) throws {
    let project = try project(try network())
    var candidate = try candidate(project, "static-int8")
    let node = try #require(candidate.encoded.graph.nodes.first { $0.name == name })
    let weight = try #require(node.inputs[1])
    let old = try #require(candidate.encoded.weights[weight])
    candidate.encoded.weights[weight] = EncodedTensor(
      codes: Tensor(
        old.codes.array(of: Int8.self).enumerated().map { index, code in
          Int8(max(-127, min(127, Int(code) + (index % 3 == 0 ? 16 : -8))))
        }, shape: old.codes.shape), encoding: old.encoding)
    let ranked = try project.blame(candidate, limit: 32, reporter: .silent).blame.sorted(by: .added)
    let added = ranked.map { $0.energies.ratio($0.energies.added) ?? .infinity }
    #expect(ranked[0].name == name && added[0] > 10 * added[1], "\(ranked.map(\.name)) \(added)")
    // It is what those behind it inherit.
    #expect(ranked[0].energies.inherited < 0.1 * ranked[0].energies.added)
  }

  @Test func floatHasNoError() throws {
    let project = try project(try network())
    let blame = try project.blame(
      try candidate(project, "float"), limit: 16, reporter: .silent
    ).blame
    #expect(blame.samples == 16 && blame.layers.contains { $0.name == "fc" && $0.mode == .float })
    for layer in blame.layers {
      let energies = layer.energies
      #expect(energies.reference > 0 && energies.total == 0 && energies.added == 0, "\(layer.name)")
      #expect(energies.inherited == 0 && energies.alone == 0 && energies.cross == 0)
      #expect(energies.ratio(energies.total) == 0 && energies.sqnrDb(energies.total) == nil)
      #expect(layer.worst.isEmpty)
    }
  }

  @Test(arguments: modes) func batchesAndThreadsDoNotMatter(_ preset: String) throws {
    let graph = try network()
    let candidate = try candidate(try project(graph), preset)
    let results = try [(1, 1), (8, 1), (5, 2), (13, 2)].map { batch, threads in
      try project(graph, threads: threads).blame(
        candidate, samples: Array(0..<13), batch: batch, reporter: .silent)
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  /// The last layer's total is the error of the network's output.
  @Test func theLastLayerErrsAsTheNetworkDoes() throws {
    let project = try project(try network())
    let candidate = try candidate(project, "static-int8")
    let layer = try #require(
      try project.blame(candidate, samples: Array(0..<16), reporter: .silent)[layer: "fc"])
    let inputs = try project.data.batch(0..<16)
    let outputs = try [project.model.graph, simulated(candidate.encoded)].map { graph in
      let options = CompileOptions(inputShapes: project.model.inputShapes(batch: 16), threads: 1)
      return try #require(try compile(EncodedGraph(graph: graph), options).run(inputs).values.first)
        .array(of: Float.self)
    }
    let error = zip(outputs[0], outputs[1]).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    // Float32 may round a value to the next code where steps are fused otherwise.
    #expect(abs(layer.energies.total - error) <= 0.01 * error)
  }

  @Test func cancellationEndsIt() throws {
    let project = try project(try network())
    let candidate = try candidate(project, "static-int8")
    #expect(throws: JobCancelled.self) {
      try project.blame(
        candidate, limit: 32,
        reporter: Reporter(report: { fraction, _ in if (fraction ?? 0) > 0.4 { throw JobCancelled() } }))
    }
  }

  @Test func anUnknownLayerIsAnError() throws {
    let project = try project(try network())
    let report = try project.blame(try candidate(project, "float"), limit: 1, reporter: .silent)
    #expect(throws: WorkflowError.self) {
      try BlameSummary(report, project: project, recipe: "float", layer: "nowhere")
    }
  }
}

private let shared =
  ProcessInfo.processInfo.environment["LATHE_SHARED"]
  ?? URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("shared").path

@Suite(
  .enabled(if: FileManager.default.fileExists(atPath: shared + "/models"), "the shared models are not here"))
struct SharedBlameTests {
  /// Real networks: convolutions, depthwise, attention; what is static, dynamic or weight-only there.
  @Test(
    arguments: [
      ("vision/resnet20_cifar10-akamaster", nil), ("vision/mobilenet_v1_0.25_224-tf", nil),
      ("text/all-MiniLM-L6-v2/minilm_sst2_fp16w", "text/sst2_dev_tokens64.npz"),
    ] as [(String, String?)], modes)
  func partsAddUp(_ model: (String, String?), _ preset: String) throws {
    let (path, data) = model
    let project = try Project.open(
      model: "\(shared)/models/\(path).onnx", data: data.map { "\(shared)/data/\($0)" }, threads: 2)
    var recipe = try #require(Presets[preset]).recipe
    recipe.calibration.samples = 4
    let candidate = try project.prepare(recipe, name: preset, reporter: .silent)
    let blame = try project.blame(candidate, samples: Array(0..<3), reporter: .silent)
    let quantized = blame.layers.filter { $0.mode != .float }
    #expect(quantized.count > 10)
    // The masks that attention adds are the lowest numbers there are: their squares are no float32.
    #expect(blame.notFinite.allSatisfy { $0.hasSuffix("attention/self/Add") })
    for layer in blame.layers {
      let energies = layer.energies
      // Three vectors: their sum is no longer than they are together.
      let longest = [energies.inherited, energies.activations, energies.weights].map { $0.squareRoot() }
        .reduce(0, +)
      #expect(energies.total.squareRoot() <= longest * (1 + 1e-4) + 1e-9, "\(layer.name)")
      #expect(layer.mode != .float || energies.added == 0, "\(layer.name)")
      #expect(layer.mode != .weightOnly || energies.activations == 0, "\(layer.name)")
      #expect(layer.worst.allSatisfy { (0..<3).contains($0.index) })
    }
    for layer in quantized where layer.operatorName == "Conv" || layer.operatorName == "Gemm" {
      #expect(layer.energies.weights > 0, "\(layer.name)")
    }
  }
}
