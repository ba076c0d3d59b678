import Datasets
import Execution
import Graph
import Operators
import Quantization
import Tensors
import Testing

@testable import Training

/// A network with batch norms, trained with them taken out of their layers.
struct NormTrainingTests {
  /// Conv, depthwise Conv, ConvTranspose and Gemm, a batch norm behind each.
  static func network() throws -> Graph {
    var random = SplitMix64(seed: 11)
    func numbers(_ shape: Shape, _ range: ClosedRange<Float>) -> Tensor {
      Tensor(
        (0..<shape.elementCount).map { _ in
          range.lowerBound + Float(random.unit()) * (range.upperBound - range.lowerBound)
        }, shape: shape)
    }
    var builder = GraphBuilder(Graph(), infos: [:])
    let image = builder.input("image", shape: [1, 3, 8, 8])
    func normalized(_ x: ValueName, _ channels: Int) throws -> ValueName {
      let parameters: [ClosedRange<Float>] = [0.5...1.5, -0.3...0.3, -0.2...0.2, 0.5...2]
      let names = parameters.map { builder.constant(numbers([channels], $0), named: "bn") }
      return try builder.add(
        Relu(), builder.add(BatchNormalization(), [x] + names.map { $0 }, outputs: 1)[0])
    }
    func weight(_ shape: Shape) -> ValueName { builder.constant(numbers(shape, -0.4...0.4), named: "w") }
    let padded = WindowAttributes(pads: [1, 1, 1, 1])
    let bias = builder.constant(numbers([8], -0.2...0.2), named: "b")
    let stem = try normalized(builder.add(Conv(window: padded), image, weight([8, 3, 3, 3]), bias), 8)
    let depth = try normalized(builder.add(Conv(window: padded, groups: 8), stem, weight([8, 1, 3, 3])), 8)
    let sum = try builder.add(Add(), stem, depth)
    let up = try normalized(builder.add(ConvTranspose(window: padded), sum, weight([8, 6, 3, 3])), 6)
    let pooled = try builder.add(Flatten(), builder.add(GlobalAveragePool(), up))
    let hidden = try normalized(builder.add(Gemm(transposesB: true), pooled, weight([12, 6])), 12)
    builder.output(
      try builder.add(
        Gemm(transposesB: true), hidden, weight([5, 12]), builder.constant(numbers([5], -0.2...0.2)),
        named: "fc"))
    var graph = builder.graph
    graph.inputs[0].dimensions = [.free("batch"), .fixed(3), .fixed(8), .fixed(8)]
    graph.outputs[0].dimensions = nil
    return try simplified(graph, inputShapes: nil)
  }

  static func trainer(
    _ preset: String = "qat-w4a4", threads: Int = 1, _ change: (inout TrainingSettings) -> Void = { _ in }
  ) throws -> Trainer {
    try TrainerTests.trainer(preset, network: network(), threads: threads) {
      $0.batchNorm = .train
      change(&$0)
    }
  }

  @Test func simplificationRemembersTheNorms() throws {
    let graph = try Self.network()
    #expect(!graph.nodes.contains { $0.op is BatchNormalization })
    #expect(graph.foldedNorms.count == 4)
    for (weight, norm) in graph.foldedNorms {
      let bias = try #require(graph.constants[norm.bias]).array(of: Float.self)
      let expected = norm.gain.indices.map {
        norm.shift[$0] - norm.mean[$0] * norm.gain[$0] / (norm.variance[$0] + norm.epsilon).squareRoot()
      }
      #expect(zip(bias, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(weight)")
    }
  }

  /// Gain and shift learn, the running statistics follow the batches, and all four layers take part.
  @Test(arguments: [0, 2]) func everyNormTrains(_ floatEpochs: Int) throws {
    let trainer = try Self.trainer {
      $0.epochs = floatEpochs + 6
      $0.learningRate = 5e-3
      $0.milestones.quantize = floatEpochs
    }
    let before = trainer.numbers
    let losses = try (0..<floatEpochs + 6).map { try trainer.epoch($0) }
    #expect(losses[floatEpochs + 5] < losses[floatEpochs], "\(losses)")
    for role in [Parameter.Role.gain, .shift, .mean, .variance] {
      let moved = trainer.parameters.filter { $0.role == role }
      #expect(moved.count == 4)
      for parameter in moved {
        #expect(
          trainer.numbers[parameter.key]?.array(of: Float.self)
            != before[parameter.key]?.array(of: Float.self), "\(parameter.key)")
      }
    }
  }

  /// Before any step, frozen norms answer as the folded network does.
  @Test(arguments: ["qat-int8", "qat-w4a4"]) func frozenNormsStartAtTheFoldedNetwork(_ preset: String) throws
  {
    let folded = try TrainerTests.trainer(preset, network: Self.network())
    let taken = try Self.trainer(preset) { $0.milestones.freezeBatchNorm = 0 }
    let inputs = try #require(TrainerTests.data).batch(0..<16)
    let (expected, found) = (try folded.answer(of: inputs), try taken.answer(of: inputs))
    // A weight within a rounding of the boundary between two codes may take the other.
    let noise = TrainerTests.relativeRMS(found.array(of: Float.self), expected.array(of: Float.self))
    #expect(noise < 1e-3, "\(noise)")
  }

  /// After its milestone the simulated network is the folded one, and integers answer as it does.
  @Test(arguments: ["qat-int8", "qat-w4a8", "qat-w4a4"]) func frozenNormsEndAsFolded(_ preset: String) throws
  {
    let trainer = try Self.trainer(preset) { $0.milestones.freezeBatchNorm = 1 }
    let statistics = trainer.parameters.filter(\.isStatistic).map(\.key)
    try trainer.epoch(0)
    let frozen = statistics.map { trainer.numbers[$0]?.array(of: Float.self) }
    for epoch in 1..<3 { try trainer.epoch(epoch) }
    #expect(frozen == statistics.map { trainer.numbers[$0]?.array(of: Float.self) })
    let trained = try trainer.candidate(trainer.numbers)
    let inputs = try #require(TrainerTests.data).batch(0..<16)
    let options = CompileOptions(inputShapes: ["image": [16, 3, 8, 8]], threads: 1)
    let output = try #require(trained.encoded.graph.outputs.first?.name)
    let expected = try trainer.answer(of: inputs).array(of: Float.self)
    for encoded in [trained.encoded, EncodedGraph(graph: try simulated(trained.encoded))] {
      let found = try #require(compile(encoded, options).run(inputs)[output]).array(of: Float.self)
      let noise = TrainerTests.relativeRMS(found, expected)
      #expect(noise < 0.02, "\(noise)")
    }
  }

  /// Without fake quantization, the frozen network and the folded one with its numbers are the same function.
  @Test func frozenNormsAreTheFoldedFunction() throws {
    let trainer = try Self.trainer {
      $0.milestones.quantize = 3
      $0.milestones.freezeBatchNorm = 1
      $0.learningRate = 5e-3
    }
    for epoch in 0..<3 { try trainer.epoch(epoch) }
    let trained = try trainer.candidate(trainer.numbers)
    let inputs = try #require(TrainerTests.data).batch(0..<16)
    let options = CompileOptions(inputShapes: ["image": [16, 3, 8, 8]], threads: 1)
    let folded = try compile(EncodedGraph(graph: trained.encoded.graph), options).run(inputs)
    let output = try #require(trained.encoded.graph.outputs.first?.name)
    let noise = TrainerTests.relativeRMS(
      try #require(folded[output]).array(of: Float.self), try trainer.answer(of: inputs).array(of: Float.self)
    )
    #expect(noise < 1e-5, "\(noise)")
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let results = try [1, 2].map { threads in
      let trainer = try Self.trainer(threads: threads) { $0.milestones.freezeBatchNorm = 1 }
      for epoch in 0..<2 { try trainer.epoch(epoch) }
      return trainer.numbers.mapValues { $0.array(of: Float.self) }
    }
    #expect(results[0] == results[1])
  }

  @Test func resumedTrainingEndsTheSame() throws {
    let whole = try Self.trainer { $0.milestones.freezeBatchNorm = 2 }
    for epoch in 0..<3 { try whole.epoch(epoch) }
    let first = try Self.trainer { $0.milestones.freezeBatchNorm = 2 }
    try first.epoch(0)
    let second = try Self.trainer { $0.milestones.freezeBatchNorm = 2 }
    try second.restore(first.state)
    for epoch in 1..<3 { try second.epoch(epoch) }
    #expect(
      whole.numbers.mapValues { $0.array(of: Float.self) }
        == second.numbers.mapValues { $0.array(of: Float.self) })
  }

  /// What the folded layer computes does not depend on a gain of zero; its weight cannot be told from it.
  @Test func aGainOfZeroStaysFolded() throws {
    var graph = try Self.network()
    let weight = try #require(graph.foldedNorms.keys.min())
    graph.foldedNorms[weight]?.gain[0] = 0
    let trainer = try TrainerTests.trainer("qat-w4a4", network: graph) { $0.batchNorm = .train }
    #expect(trainer.parameters.filter { $0.role == .gain }.count == 3)
    #expect(try trainer.epoch(0).isFinite)
  }
}

/// Learning from the float32 network's feature maps.
struct FeatureDistillationTests {
  /// The distance of the maps falls when it is what training lessens.
  @Test func mapsComeNearer() throws {
    let losses = try [0.0, 100].map { weight in
      let trainer = try TrainerTests.trainer("qat-w2a4") {
        $0.features = weight
        $0.epochs = 16
        $0.learningRate = 2e-3
      }
      return try (0..<16).map { try trainer.epoch($0) }
    }
    #expect(losses[1][0] > losses[0][0], "the maps add to the loss")
    #expect(losses[1][15] < 0.8 * losses[1][0], "\(losses[1])")
  }

  @Test func mapsAreSumsOrElseWhatTrainedLayersRead() throws {
    #expect(try TrainerTests.candidate("qat-w4a4").0.featureMaps.count == 1)
    var builder = GraphBuilder(Graph(), infos: [:])
    let image = builder.input("image", shape: [1, 3, 8, 8])
    let weight = builder.constant(Tensor([Float](repeating: 0.5, count: 9), shape: [3, 3, 1, 1]))
    let first = try builder.add(Conv(), image, weight)
    builder.output(try builder.add(Conv(), first, weight))
    let plain = try TrainerTests.candidate("qat-w4a4", network: builder.graph).0
    #expect(try plain.featureMaps == [first])
  }
}
