import CAllocations
import Foundation
import Graph
import Quantization
import Tensors
import Testing

@Suite struct CalibrationTests {
  func writer() throws -> GraphWriter {
    var w = GraphWriter()
    w.input("x", [1, 4, 6, 6])
    w.graph.inputs[0].dimensions?[0] = .free("N")
    try w.conv("c1", "x", 4, 8)
    try w.node("Relu", "r1", ["c1_out"])
    try w.conv("c2", "r1_out", 8, 4)
    w.output("c2_out")
    return w
  }

  func candidate(
    _ graph: Graph, samples: Int = 20, observer: ObserverChoice = .mse, threads: Int = 1, broken: Int? = nil,
    count: Int = 20, report: (Double, String) throws -> Void = { _, _ in }
  ) throws -> Candidate {
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1, 4, 6, 6])])
    let recipe = Recipe(
      name: "x", defaults: LayerSettings(mode: .static, activations: ActivationSettings(observer: observer)),
      calibration: CalibrationSettings(samples: samples))
    return try quantize(
      graph, infos: infos, recipe: recipe,
      calibration: RandomSource(shapes: ["x": [4, 6, 6]], count: count, broken: broken), threads: threads,
      report: report)
  }

  /// The same graph with the batch fixed at 1, so that samples come one by one.
  func oneByOne(_ graph: Graph) -> Graph {
    var graph = graph
    graph.inputs[0].dimensions?[0] = .fixed(1)
    return graph
  }

  @Test(arguments: ObserverChoice.all) func resultsDependOnNeitherThreadsNorBatches(_ choice: ObserverChoice)
    throws
  {
    let graph = try writer().graph
    let first = try candidate(graph, observer: choice)
    let second = try candidate(graph, observer: choice, threads: 2)
    let third = try candidate(oneByOne(graph), observer: choice)
    #expect(first.encoded.activations == second.encoded.activations)
    #expect(first.encoded.activations == third.encoded.activations)
    #expect(first.observed == second.observed)
    #expect(first.observed["x"]?.count == 20 * 144)
  }

  @Test func brokenSampleIsNamed() throws {
    let graph = try writer().graph
    for graph in [graph, oneByOne(graph)] {
      let error = #expect(throws: QuantizationError.self) { try candidate(graph, broken: 13) }
      #expect(
        error?.description
          == "calibration: \"r1_out\" holds NaN or infinity in sample 13. Leave that sample out."
          || error?.description
            == "calibration: \"x\" holds NaN or infinity in sample 13. Leave that sample out."
      )
    }
  }

  @Test func noSamplesIsAnError() throws {
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .static))
    let graph = try writer().graph
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1, 4, 6, 6])])
    #expect(throws: QuantizationError.self) {
      try quantize(graph, infos: infos, recipe: recipe, calibration: nil, threads: 1, report: { _, _ in })
    }
    #expect(throws: QuantizationError.self) { try candidate(graph, count: 0) }
    recipe.defaults.mode = .dynamic
    _ = try quantize(graph, infos: infos, recipe: recipe, calibration: nil, threads: 1, report: { _, _ in })
  }

  @Test func reportsRiseAndCanStop() throws {
    let graph = try writer().graph
    let seen = Locked<[Double]>([])
    _ = try candidate(graph) { fraction, _ in seen.withLock { $0.append(fraction) } }
    let fractions = seen.withLock { $0 }
    #expect(fractions == fractions.sorted() && fractions.last == 1)
    #expect(throws: CancellationError.self) { try candidate(graph) { _, _ in throw CancellationError() } }
  }

  @Test func recipesMadeByHandAreRefusedToo() throws {
    let graph = try writer().graph
    let infos = try graph.infer(inputs: ["x": OperandInfo(type: .float32, shape: [1, 4, 6, 6])])
    for (change, message) in [
      (
        { $0.defaults.weights.format = "Q9_X" },
        "weights.format is Q9_X, expected \(BlockFormats.all.map(\.name).joined(separator: ", "))."
      )
    ] as [((inout Recipe) -> Void, String)] {
      var recipe = Recipe(name: "x")
      change(&recipe)
      let error = #expect(throws: QuantizationError.self) {
        try quantize(graph, infos: infos, recipe: recipe, calibration: nil, threads: 1, report: { _, _ in })
      }
      #expect(error?.description == message)
    }
  }

  @Test(.disabled(if: isSanitized, "a sanitizer takes the memory"), arguments: ObserverChoice.all)
  func memoryDoesNotGrowWithSamples(_ choice: ObserverChoice) {
    var observer = choice.makeObserver()
    let values = sample(100_000) { $0 }
    for _ in 0..<4 { observer.observe(values) }
    let before = held_bytes()
    for _ in 0..<100 { observer.observe(values) }
    // 40 MB of values have gone through.
    #expect(held_bytes() - before < 1 << 20)
    #expect(observer.seen.count == 10_400_000)
  }
}

@Suite struct SizeTests {
  @Test func countedByHand() throws {
    var w = GraphWriter()
    w.input("x", [1, 64])
    try w.gemm("fc", "x", 64, 10)
    w.graph.constants["unused"] = w.random([1_000])
    w.output("fc_out")
    let graph = w.graph
    let infos = try graph.infer()
    let float = Sizes(graph, infos: infos)
    #expect(float.weightBytes == 4 * 650 && float.packedBytes == 4 * 650 && float.parameters == 650)
    #expect(float.bitsPerWeight == 32 && float.quantizableElements == 640)
    func sizes(_ weights: WeightSettings, _ mode: Mode = .weightOnly) throws -> Sizes {
      let candidate = try quantize(
        graph, infos: infos, recipe: Recipe(name: "x", defaults: LayerSettings(mode: mode, weights: weights)),
        calibration: RandomSource(shapes: ["x": [64]], count: 4), threads: 1, report: { _, _ in })
      return Sizes(candidate.encoded, infos: infos)
    }
    // Codes, a scale per channel, the float bias.
    #expect(try sizes(WeightSettings()).weightBytes == 640 + 40 + 40)
    // Two groups per channel, packed nibbles.
    let four = try sizes(WeightSettings(bits: 4, granularity: .group(32)))
    #expect(four.weightBytes == 320 + 80 + 40 && four.bitsPerWeight == 5)
    // Three bits lie in bytes, but are counted by their width when packed.
    let three = try sizes(WeightSettings(bits: 3))
    #expect(three.weightBytes == 640 + 40 + 40 && three.packedBytes == 240 + 40 + 40)
    // Zero points of affine weights.
    #expect(try sizes(WeightSettings(bits: 4, symmetric: false)).weightBytes == 320 + 40 + 5 + 40)
    // int32 bias.
    #expect(try sizes(WeightSettings(), .static).weightBytes == 640 + 40 + 40)
    #expect(try sizes(WeightSettings(), .float) == float)
  }
}
