import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors

/// What quantizing one layer alone does to the outputs of the network.
package struct LayerCost: Sendable, Hashable, Codable {
  package var layer: String
  /// 10·log10(Σ f² / Σ (f − q)²) over all outputs of the samples, every other layer in float.
  package var sqnrDb: Double
  /// Its share of the noise that all layers cause alone, added up; 0…1.
  package var noiseShare: Double
}

extension Project {
  /// Each layer of a candidate alone, the others in float, simulated: most costly first.
  ///
  /// - Parameters:
  ///   - count: samples, from the front of those that calibrate (`--train-data` where given, else `--data`).
  /// - Returns: one for each layer with weights whose mode is not float.
  package func layerCosts(
    _ candidate: Candidate, samples count: Int, reporter: Reporter
  ) throws -> [LayerCost] {
    let source = trainData ?? data
    let samples = Array(0..<Swift.min(count, source.count))
    let wanted = candidate.mixesSamples ? 1 : model.evaluationBatch
    let reference = try Runner(
      EncodedGraph(graph: model.graph), model: model, batch: wanted, threads: threads)
    let chunks = stride(from: 0, to: samples.count, by: reference.batch).map {
      Array(samples[$0..<Swift.min($0 + reference.batch, samples.count)])
    }
    let batches = try chunks.map { try source.batch(reference.fill($0)) }
    let expected = try zip(batches, chunks).map { try reference.run($0, count: $1.count) }
    let layers = candidate.resolution.layers.filter { $0.kind == .weighted && $0.effective.mode != .float }
    var noises: [(layer: String, scores: Scores)] = []
    for (index, layer) in layers.enumerated() {
      var alone = candidate.encoded
      alone.layers = alone.layers.filter { $0.key == layer.node }
      let runner = try Runner(
        EncodedGraph(graph: try simulated(alone)), model: model, batch: reference.batch, threads: threads)
      var scores = Scores()
      for (batch, outputs) in zip(zip(batches, chunks), expected) {
        scores.add(
          try runner.run(batch.0, count: batch.1.count), reference: outputs, classes: nil, labels: [],
          count: batch.1.count)
      }
      noises.append((layer.node, scores))
      try reporter.report(Double(index + 1) / Double(layers.count), "\(layer.node) alone")
    }
    let total = noises.reduce(0) { $0 + $1.scores.noise }
    return noises.map { layer, scores in
      LayerCost(
        layer: layer, sqnrDb: scores.sqnr ?? 0, noiseShare: total > 0 ? scores.noise / total : 0)
    }.sorted { ($0.sqnrDb, $0.layer) < ($1.sqnrDb, $1.layer) }
  }
}
