import Datasets
import Execution
import Graph
import Operators
import Quantization
import Tensors
import Testing

@testable import Training

/// A residual network of 8 × 8 images, small enough to train in a moment.
struct TrainerTests {
  static let classes = 5

  static func network() throws -> Graph {
    var random = SplitMix64(seed: 7)
    func weights(_ shape: Shape, _ scale: Float) -> Tensor {
      Tensor((0..<shape.elementCount).map { _ in Float(random.unit() * 2 - 1) * scale }, shape: shape)
    }
    var builder = GraphBuilder(Graph(), infos: [:])
    let image = builder.input("image", shape: [1, 3, 8, 8])
    let window = WindowAttributes(pads: [1, 1, 1, 1])
    func conv(_ x: ValueName, _ shape: Shape, _ window: WindowAttributes, groups: Int = 1) throws -> ValueName
    {
      try builder.add(
        Conv(window: window, groups: groups), x, builder.constant(weights(shape, 0.5), named: "w"),
        builder.constant(weights([shape[0]], 0.2), named: "b"), named: "conv")
    }
    let stem = try builder.add(Relu(), conv(image, [16, 3, 3, 3], window))
    let branch = try conv(stem, [16, 16, 3, 3], window)
    let joined = try builder.add(Relu(), builder.add(Add(), branch, stem))
    let strided = WindowAttributes(strides: [2, 2], pads: [1, 1, 1, 1])
    let depth = try builder.add(Relu(), conv(joined, [16, 1, 3, 3], strided, groups: 16))
    let pooled = try builder.add(Flatten(), builder.add(GlobalAveragePool(), depth))
    let logits = try builder.add(
      Gemm(transposesB: true), pooled, builder.constant(weights([classes, 16], 1), named: "w"),
      builder.constant(weights([classes], 0.2), named: "b"), named: "fc")
    builder.output(logits)
    var graph = builder.graph
    graph.inputs[0].dimensions = [.free("batch"), .fixed(3), .fixed(8), .fixed(8)]
    graph.outputs[0].dimensions = nil
    return try simplified(graph, inputShapes: nil)
  }

  static let data: BoundDataset? = try? BoundDataset.synthetic(
    for: [InputSpec(name: "image", type: .float32, dimensions: [nil, 3, 8, 8])], count: 96, seed: 3)

  struct Calibration: CalibrationSource {
    let data: BoundDataset
    var count: Int { data.count }
    func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] { try data.batch(range) }
  }

  static func candidate(_ preset: String, network: Graph? = nil) throws -> (Candidate, BoundDataset) {
    let data = try #require(data)
    let graph = try network ?? Self.network()
    let infos = try graph.infer(inputs: ["image": OperandInfo(type: .float32, shape: [1, 3, 8, 8])])
    let recipe = try #require(Presets[preset]).recipe
    let candidate = try quantize(
      graph, infos: infos, recipe: recipe, calibration: Calibration(data: data), threads: 1,
      report: { _, _ in })
    return (candidate, data)
  }

  static func trainer(
    _ preset: String = "qat-w4a4", network: Graph? = nil, threads: Int = 1,
    _ change: (inout TrainingSettings) -> Void = { _ in }
  ) throws -> Trainer {
    let (candidate, data) = try candidate(preset, network: network)
    var settings = TrainingSettings(epochs: 3, distill: .init())
    settings.batch = 16
    settings.warmUp = 2
    change(&settings)
    let output = try #require(candidate.encoded.graph.outputs.first?.name)
    return try Trainer(
      candidate, answer: .init(output: output, hasClasses: true),
      source: .init(data: data, samples: Array(0..<data.count), augmentation: .none), settings: settings,
      threads: threads, shapes: { ["image": [$0, 3, 8, 8]] })
  }

  @Test(arguments: [TrainingSettings.Optimizer.sgd, .adam, .adamw])
  func lossFalls(_ optimizer: TrainingSettings.Optimizer) throws {
    let trainer = try Self.trainer("qat-w3a3") {
      $0.optimizer = optimizer
      $0.learningRate = optimizer == .sgd ? 0.01 : 5e-3
      $0.epochs = 6
    }
    let losses = try (0..<6).map { try trainer.epoch($0) }
    #expect(losses[5] < 0.7 * losses[0], "\(losses)")
  }

  @Test(arguments: [TrainingSettings.Scales.lsq, .lsqPlus, .pact, .fixed])
  func everyWayOfLearningScalesTrains(_ scales: TrainingSettings.Scales) throws {
    let trainer = try Self.trainer("qat-w4a4") { $0.scales = scales }
    let losses = try (0..<3).map { try trainer.epoch($0) }
    #expect(losses[2] < losses[0], "\(losses)")
    let learned = Set(trainer.parameters.map(\.role))
    #expect(learned.contains(.scale) == (scales != .fixed))
    #expect(learned.contains(.offset) == (scales == .lsqPlus))
  }

  /// Bit for bit, whatever the number of threads.
  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2, 3].map { threads in
      let trainer = try Self.trainer(threads: threads)
      for epoch in 0..<2 { try trainer.epoch(epoch) }
      return trainer.numbers.mapValues { $0.array(of: Float.self) }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func resumedTrainingEndsTheSame() throws {
    let whole = try Self.trainer()
    for epoch in 0..<3 { try whole.epoch(epoch) }
    let first = try Self.trainer()
    try first.epoch(0)
    let saved = Checkpoint(
      subject: "test", epochs: 3, done: 1, history: [TrainingPoint(loss: 1)], state: first.state,
      best: first.numbers, bestEpoch: 0)
    let read = try Checkpoint(saved.data)
    #expect(read.done == 1 && read.subject == "test" && read.history == saved.history)
    let second = try Self.trainer()
    try second.restore(read.state)
    for epoch in 1..<3 { try second.epoch(epoch) }
    #expect(
      whole.numbers.mapValues { $0.array(of: Float.self) }
        == second.numbers.mapValues { $0.array(of: Float.self) })
  }

  @Test func damagedCheckpointsAreErrors() throws {
    let trainer = try Self.trainer()
    let bytes = Checkpoint(
      subject: "test", epochs: 3, done: 1, history: [], state: trainer.state, best: trainer.numbers,
      bestEpoch: 0
    ).data
    for length in stride(from: 0, to: bytes.count, by: Swift.max(1, bytes.count / 60)) {
      #expect(throws: TrainingError.self) { try Checkpoint(bytes.prefix(length)) }
    }
    #expect(throws: TrainingError.self) { try Checkpoint(bytes + [0]) }
  }

  /// The integer network answers as the fake-quantized one does, layer by layer within a step: at the end that is
  /// little beside the answers.
  @Test(arguments: ["qat-int8", "qat-w4a8", "qat-w4a4"])
  func integersAnswerAsTrained(_ preset: String) throws {
    let trainer = try Self.trainer(preset)
    for epoch in 0..<2 { try trainer.epoch(epoch) }
    let trained = try trainer.candidate(trainer.numbers)
    let data = try #require(Self.data)
    let inputs = try data.batch(0..<16)
    let options = CompileOptions(inputShapes: ["image": [16, 3, 8, 8]], threads: 1)
    let integer = try compile(trained.encoded, options).run(inputs)
    let simulated = try compile(EncodedGraph(graph: simulated(trained.encoded)), options).run(inputs)
    let answer = try trainer.answer(of: inputs)
    let output = try #require(trained.encoded.graph.outputs.first?.name)
    let expected = answer.array(of: Float.self)
    for result in [integer, simulated] {
      let noise = Self.relativeRMS(try #require(result[output]).array(of: Float.self), expected)
      #expect(noise < 0.02, "\(noise)")
    }
  }

  /// Root mean square of the differences, as a share of the largest expected magnitude.
  static func relativeRMS(_ found: [Float], _ expected: [Float]) -> Float {
    let squares = zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (squares / Float(found.count)).squareRoot() / (expected.map(abs).max() ?? 0)
  }

  @Test func aNetworkWithoutTrainedLayersIsRefused() throws {
    #expect(throws: TrainingError.self) {
      try Self.trainer("static-int8") { $0.freezeFloat = true }
    }
  }

  @Test func fewerImagesThanABatchStillTrain() throws {
    let trainer = try Self.trainer { $0.batch = 1000 }
    #expect(trainer.stepsPerEpoch == 1)
    #expect(try trainer.epoch(0).isFinite)
  }
}
