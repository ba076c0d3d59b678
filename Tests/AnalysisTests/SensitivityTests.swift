import Analysis
import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Testing
import Workflows

/// Both, weights alone, activations alone.
private let widths = [
  Width(weightBits: 4, activationBits: 4), Width(weightBits: 3, activationBits: nil),
  Width(weightBits: nil, activationBits: 5),
]

private func base(_ samples: Int = 16) throws -> Recipe {
  var recipe = try #require(Presets["static-int8"]).recipe
  recipe.calibration.samples = samples
  return recipe
}

private func run(_ sweep: SensitivitySweep, samples: Int) throws -> SensitivitySweep.Result {
  let project = sweep.project
  let calibration = try #require(project.trainData).selecting(Array(0..<sweep.base.calibration.samples))
  return try sweep.run(
    calibration: calibration, samples: project.data.selecting(Array(0..<samples)), reporter: .silent)
}

@Suite struct SensitivityTests {
  /// The whole simulated network of the recipe with one layer in it says the same.
  @Test func equalsTheWholeNetwork() throws {
    let project = try Sample.project()
    let sweep = SensitivitySweep(project, base: try base(), widths: widths)
    let samples = 21  // the last batch is a part of one
    let result = try run(sweep, samples: samples)
    #expect(sweep.layers.count > 10 && result.scores.count == sweep.layers.count)
    let calibration = try #require(project.trainData).selecting(Array(0..<16))
    let float = try Runner(
      EncodedGraph(graph: project.model.graph), model: project.model, batch: 7, threads: 1)
    for (layer, scores) in zip(sweep.layers, result.scores) {
      for (width, found) in zip(widths, scores) {
        let recipe = sweep.base.alone(LayerIdentity(layer), as: width.option)
        var encoded = try quantize(
          project.model.graph, infos: project.model.infos, recipe: recipe, calibration: calibration,
          threads: 1, report: { _, _ in }
        ).encoded
        if width.weightBits == nil { (encoded.weights, encoded.biases) = ([:], [:]) }
        let whole = try Runner(
          EncodedGraph(graph: simulated(encoded)), model: project.model, batch: 7, threads: 1)
        var expected = Scores()
        for start in stride(from: 0, to: samples, by: 7) {
          let inputs = try project.data.batch(start..<start + 7)
          expected.add(
            try whole.run(inputs, count: 7), reference: try float.run(inputs, count: 7), classes: 0,
            labels: Array(try #require(project.data.labels)[start..<start + 7]), count: 7)
        }
        #expect(found.samples == samples && found.top1 == expected.top1)
        let (kl, wanted) = (try #require(found.meanDivergence), try #require(expected.meanDivergence))
        #expect(abs(kl - wanted) <= 1e-3 * wanted + 1e-9, "\(layer.node) \(width.text): \(kl) \(wanted)")
        let (sqnr, decibels) = (try #require(found.sqnr), try #require(expected.sqnr))
        #expect(abs(sqnr - decibels) < 0.02, "\(layer.node) \(width.text): \(sqnr) \(decibels)")
      }
    }
  }

  @Test func threadsAndChunksChangeNothing() throws {
    func scores(_ threads: Int, _ limit: Int) throws -> [Scores] {
      var sweep = SensitivitySweep(try Sample.project(threads: threads), base: try base(), widths: widths)
      sweep.memoryLimit = limit
      let result = try run(sweep, samples: 45)
      #expect(limit > 1 || result.predictedPeakBytes > limit)
      return [result.float32] + result.scores.joined()
    }
    let one = try scores(1, 1 << 30)
    for other in [try scores(2, 1 << 30), try scores(1, 1), try scores(3, 1)] {
      #expect(other.count == one.count)
      for (a, b) in zip(one, other) {
        #expect(a.divergence == b.divergence && a.top1 == b.top1 && a.samples == b.samples)
        // Sums of batches, added batch by batch whatever the chunks.
        #expect(a.signal == b.signal && a.noise == b.noise)
      }
    }
  }

  @Test func theReportIsSortedAndSaysWhatItTook() throws {
    let project = try Sample.project()
    let report = try project.sensitivity(
      base: base(),
      widths: [Width(weightBits: 8, activationBits: 8), Width(weightBits: 2, activationBits: 8)],
      limit: 40, peakGflops: 100, reporter: .silent)
    let costs = try report.layers.map { try #require($0.costs[1].kl) }
    #expect(costs == costs.sorted(by: >) && report.metric == .kl && report.data?.samples == 40)
    // Two bits cost more than eight, in all and where they cost most.
    #expect(try costs[0] > 10 * #require(report.layers[0].costs[0].kl))
    let effort = try #require(report.effort)
    #expect(effort.gflops > 0 && effort.peakFraction == effort.gflops / 100)
    #expect(effort.predictedPeakBytes > 0 && effort.predictedPeakBytes < 512 << 20)
    for cost in report.layers.flatMap(\.costs) {
      let interval = try #require(cost.top1DeltaCi95)
      #expect(try interval[0] <= #require(cost.top1Delta) && #require(cost.top1Delta) <= interval[1])
    }
    let byAccuracy = try project.sensitivity(
      base: base(), widths: [Width(weightBits: 2, activationBits: nil)], metric: .accuracy, limit: 40,
      reporter: .silent)
    let drops = try byAccuracy.layers.map { try -#require($0.costs[0].top1Delta) }
    #expect(drops == drops.sorted(by: >))
  }

  @Test func cancellingEndsIt() throws {
    let sweep = SensitivitySweep(try Sample.project(), base: try base(), widths: widths)
    let calibration = try #require(sweep.project.trainData).selecting(Array(0..<16))
    let reporter = Reporter(report: { fraction, _ in
      if fraction ?? 0 > 0.5 { throw JobCancelled() }
    })
    #expect(throws: JobCancelled.self) {
      try sweep.run(
        calibration: calibration, samples: sweep.project.data.selecting(Array(0..<16)), reporter: reporter)
    }
  }

  @Test func kurtosisOfKnownDistributions() throws {
    func kurtosis(_ values: [Float], _ shape: [Int]? = nil, axis: Int = 0) -> Double? {
      values.withUnsafeBufferPointer { Kurtosis.of($0, shape: shape ?? [1, values.count], axis: axis) }
    }
    // n equally likely whole numbers: 3 − 6 (n² + 1) / (5 (n² − 1)).
    for n in [2, 3, 10, 1000] {
      let square = Double(n * n)
      let expected = 3 - 6 * (square + 1) / (5 * (square - 1))
      #expect(abs(try #require(kurtosis((0..<n).map { Float($0) + 7 })) - expected) < 1e-5)
    }
    // One of two values with probability p: (1 − 3 p (1 − p)) / (p (1 − p)).
    for ones in [1, 5, 50] {
      let variance = Double(ones) / 100 * (1 - Double(ones) / 100)
      let values = (0..<100).map { $0 < ones ? Float(2) : -1 }
      #expect(abs(try #require(kurtosis(values)) - (1 - 3 * variance) / variance) < 1e-4)
    }
    #expect(kurtosis([]) == nil && kurtosis([1]) == nil && kurtosis([2, 2, 2]) == nil)
    #expect(kurtosis([1, .nan]) == nil && kurtosis([1, .infinity]) == nil)
    // Channels of other scales and means count alike; one that is constant does not.
    let first: [Float] = [0, 1, 2, 3, 4, 5]
    let rows = first + first.map { 100 * $0 - 7 } + first.map { _ in 3 }
    let alone = try #require(kurtosis(first))
    #expect(abs(try #require(kurtosis(rows, [3, 6])) - alone) < 1e-5)
    let columns = (0..<18).map { rows[$0 % 3 * 6 + $0 / 3] }
    #expect(abs(try #require(kurtosis(columns, [2, 3, 3], axis: 2)) - alone) < 1e-5)
  }

  @Test func theEstimateNeedsNoData() throws {
    let report = try Sample.project().kurtosisRanking()
    let values = try report.layers.map { try #require($0.weightKurtosis) }
    #expect(report.isEstimate && values.count > 10 && values == values.sorted(by: >))
    #expect(report.text.contains("estimate"))
  }

  @Test(.enabled(if: Shared.exists, "the shared models are not here"))
  func residualNetwork() throws {
    let folder = Shared.folder.path
    let project = try Project.open(
      model: folder + "/models/vision/resnet20_cifar10-akamaster.onnx",
      data: folder + "/data/cifar10/test.yaml", trainData: folder + "/data/cifar10/train.yaml", threads: 2)
    let report = try project.sensitivity(
      base: base(64), widths: [8, 3].map { Width(weightBits: $0, activationBits: $0) }, limit: 64,
      reporter: .silent)
    #expect(report.layers.count == 20 && report.float32Top1 ?? 0 > 0.85)
    for layer in report.layers {
      let (wide, narrow) = (try #require(layer.costs[0].sqnrDb), try #require(layer.costs[1].sqnrDb))
      #expect(wide > narrow + 15, "\(layer.name): \(wide) and \(narrow) dB")
    }
  }
}
