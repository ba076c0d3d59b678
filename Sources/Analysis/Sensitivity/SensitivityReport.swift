import Evaluation
import Foundation
import Workflows

/// What quantizing each layer alone costs: what `lathe sensitivity` prints.
///
/// Fractions are 0…1, units are in the names; a figure that does not exist is left out.
package struct SensitivityReport: Sendable, Hashable, Codable {
  /// What layers are sorted by.
  package enum Metric: String, Sendable, Codable, CaseIterable {
    /// Mean KL(float32 ‖ quantized) of the class distributions, in nats.
    case kl
    /// Signal to noise of the outputs.
    case sqnr
    /// Loss of top-1.
    case accuracy
    /// Of the weights, without data.
    case kurtosis
  }

  /// One layer at one width, beside float32.
  package struct Cost: Sendable, Hashable, Codable {
    package var weightBits: Int?
    package var activationBits: Int?
    package var kl: Double?
    package var sqnrDb: Double?
    package var agreement: Double?
    package var top1Delta: Double?
    package var top1DeltaCi95: [Double]?
    package var pValue: Double?
  }

  package struct Layer: Sendable, Hashable, Codable {
    package var name: String
    package var op: String
    package var parameters: Int
    /// Of the weights in each channel, the mean.
    package var weightKurtosis: Double?
    /// By width, as they were asked for; none in an estimate.
    package var costs: [Cost]
  }

  package struct Effort: Sendable, Hashable, Codable {
    /// Of the runs, and the processor's in all.
    package var seconds: Double
    package var cpuSeconds: Double
    package var predictedPeakBytes: Int
    /// 10⁹ float32 operations per second, two for each multiply–add done, and their share of the measured peak.
    package var gflops: Double
    package var peakFraction: Double?
  }

  package var model: ComparisonReport.ModelFacts
  /// Absent in an estimate, like all that follows from data.
  package var data: ComparisonReport.DataFacts?
  package var machine: Machine
  package var metric: Metric
  /// Whether nothing was run: the order is a guess from the weights.
  package var isEstimate: Bool
  package var float32Top1: Double?
  package var effort: Effort?
  /// Costliest first.
  package var layers: [Layer]
  package var warnings: [String]
}

extension SensitivityReport.Cost {
  init(_ width: Width, _ scores: Scores, float32: Scores) {
    weightBits = width.weightBits
    activationBits = width.activationBits
    kl = scores.meanDivergence
    sqnrDb = scores.sqnr
    agreement = scores.agreement(with: float32)
    guard let difference = scores.difference(from: float32) else { return }
    top1Delta = difference.delta
    top1DeltaCi95 = [difference.interval95.lowerBound, difference.interval95.upperBound]
    pValue = difference.pValue
  }

  package var width: Width { Width(weightBits: weightBits, activationBits: activationBits) }

  /// Larger is worse; `nil` where the figure does not exist.
  func value(_ metric: SensitivityReport.Metric) -> Double? {
    switch metric {
    case .kl: kl
    case .sqnr: sqnrDb.map { -$0 }
    case .accuracy: top1Delta.map { -$0 }
    case .kurtosis: nil
    }
  }
}

extension SensitivityReport.Layer {
  /// The cost at the fewest bits.
  package var narrowest: SensitivityReport.Cost? {
    costs.min {
      ($0.weightBits ?? 32, $0.activationBits ?? 32) < ($1.weightBits ?? 32, $1.activationBits ?? 32)
    }
  }
}

extension SensitivityReport {
  /// Sorts layers by what the narrowest width costs, costliest first; equal ones stay in the order of the network.
  mutating func sort() {
    func cost(_ layer: Layer) -> Double { self.cost(of: layer) ?? -.infinity }
    layers = layers.enumerated().sorted {
      (cost($1.element), $0.offset) < (cost($0.element), $1.offset)
    }.map(\.element)
  }

  /// What a layer costs at the narrowest width, by the metric: larger is worse.
  package func cost(of layer: Layer) -> Double? {
    metric == .kurtosis ? layer.weightKurtosis : layer.narrowest?.value(metric)
  }

  package var text: String {
    var header = ["layer", "operator", "parameters", "kurtosis"]
    let widths = layers.first?.costs.map(\.width.text) ?? []
    let hasClasses = layers.contains { $0.costs.contains { $0.kl != nil } }
    let hasLabels = layers.contains { $0.costs.contains { $0.top1Delta != nil } }
    for width in widths {
      if hasClasses { header.append("\(width) KL") }
      if hasLabels { header += ["Δ points", "95 %"] }
      header.append("\(width) dB")
    }
    let rows = layers.map { layer in
      var row = [
        layer.name, layer.op, "\(layer.parameters)",
        layer.weightKurtosis.map { String(format: "%.2f", $0) } ?? "-",
      ]
      for cost in layer.costs {
        if hasClasses { row.append(cost.kl.map { String(format: "%.3g", $0) } ?? "-") }
        if hasLabels {
          row.append(cost.top1Delta.map { String(format: "%+.2f", $0 * 100) } ?? "-")
          row.append(
            cost.top1DeltaCi95.map { String(format: "%+.2f…%+.2f", $0[0] * 100, $0[1] * 100) } ?? "-")
        }
        row.append(cost.sqnrDb.map { String(format: "%.1f", $0) } ?? "-")
      }
      return row
    }
    return ([TextTable.text(header: header, rows: rows, leftColumns: 2), ""] + notes).joined(separator: "\n")
  }

  private var notes: [String] {
    var notes: [String] = []
    if isEstimate {
      notes.append(
        "An estimate: sorted by the kurtosis of the weights, nothing was run. Give --data to measure.")
    }
    if let data {
      let top1 = float32Top1.map { String(format: ", float32 top-1 %.2f %%", $0 * 100) } ?? ""
      notes.append(
        "\(data.samples) samples\(top1); \(data.roles); each layer alone, sorted by \(metric.rawValue)")
    }
    if let effort {
      let share = effort.peakFraction.map { String(format: ", %.0f %% of the measured peak", $0 * 100) } ?? ""
      notes.append(
        String(
          format: "%.1f s (%.1f s of processor time), at most %d MiB, %.1f GFLOP/s%@", effort.seconds,
          effort.cpuSeconds, effort.predictedPeakBytes >> 20, effort.gflops, share))
    }
    return notes + warnings
  }
}
