import Datasets
import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Training

/// Samples for calibration without data, and what there is to say of them.
struct MadeUpSamples {
  var data: BoundDataset
  var notes: [String]
}

extension Project {
  /// Samples that are distilled at most: all change together, which takes as long as training on them.
  static let distilledSamples = 64

  /// Makes samples on which layers have the statistics of their batch norms; noise, and a word of that, where the model
  /// has none or cannot be differentiated.
  func makeUpSamples(
    _ calibration: CalibrationSettings, name: String, _ reporter: Reporter
  ) throws -> MadeUpSamples {
    let count = Swift.min(Swift.max(calibration.samples, 1), Self.distilledSamples)
    func noise(_ reason: String) throws -> MadeUpSamples {
      MadeUpSamples(
        data: try model.synthetic(Swift.max(calibration.samples, 1), seed: calibration.seed),
        notes: ["synthetic samples are noise, which says little of real inputs: \(reason)"])
    }
    let shapes = model.inputShapes(batch: count)
    guard shapes.values.allSatisfy({ $0.first == count }) else {
      return try noise("the model takes a fixed batch, and \(count) samples are made at once")
    }
    let distiller: SampleDistiller?
    do {
      distiller = try SampleDistiller(model.graph, inputShapes: shapes, threads: threads)
    } catch let error as NodeError {
      return try noise("\(error)")
    }
    guard let distiller else { return try noise("the model has no batch-norm statistics") }
    let start = try model.synthetic(count, seed: calibration.seed)
    let found = try distiller.distilled(from: start.batch(0..<count)) { share in
      try reporter.report(share, "\(name): making \(count) samples from batch-norm statistics")
    }
    let distances = String(format: "%.3g, %.3g as noise", found.after, found.before)
    return MadeUpSamples(
      data: start.made(of: found.inputs),
      notes: [
        "calibrated on \(count) samples made from batch-norm statistics (distance from them \(distances))"
      ])
  }
}
