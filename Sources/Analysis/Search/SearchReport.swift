import Evaluation
import Foundation
import Workflows

/// What a search may ask of its result.
package struct SearchBounds: Sendable, Hashable, Codable {
  /// Most share of samples whose answer differs from float32's, 0…1.
  package var maxDrop: Double?
  package var maxBytes: Int?
  /// Milliseconds over float32's.
  package var maxLatencyRatio: Double?

  package init(maxDrop: Double? = nil, maxBytes: Int? = nil, maxLatencyRatio: Double? = nil) {
    self.maxDrop = maxDrop
    self.maxBytes = maxBytes
    self.maxLatencyRatio = maxLatencyRatio
  }
}

/// What a search found: what `lathe search` prints.
///
/// Fractions are 0…1, units are in the names; a figure that does not exist is left out.
package struct SearchReport: Sendable, Codable {
  /// How far a network is from float32 on some samples.
  package struct Distance: Sendable, Hashable, Codable {
    package var kl: Double?
    package var sqnrDb: Double?
    package var agreement: Double?
    package var top1: Double?
    package var top1Delta: Double?
    package var top1DeltaCi95: [Double]?

    init(_ scores: Scores, float32: Scores) {
      kl = scores.meanDivergence
      sqnrDb = scores.sqnr
      agreement = scores.agreement(with: float32)
      top1 = scores.top1Share
      guard let difference = scores.difference(from: float32) else { return }
      top1Delta = difference.delta
      top1DeltaCi95 = [difference.interval95.lowerBound, difference.interval95.upperBound]
    }
  }

  package struct Point: Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
      /// All layers alike.
      case uniform
      /// Where the search put the sizes it looked at.
      case front
      /// The result: its own recipe applied from the start.
      case chosen
    }
    package var kind: Kind
    package var name: String
    package var weightBytes: Int
    package var compression: Double
    /// Layers by option: width, and mode and method where there is a choice; `float` among them.
    package var widths: [String: Int]
    /// Sum of what the layers cost alone: KL in nats, or noise over signal for networks without classes.
    package var predictedCost: Double
    /// On the samples that choose.
    package var selection: Distance
    /// On the evaluation data, which chose nothing.
    package var evaluation: Distance
    /// Time of one inference over float32's, measured in turn; where it is bounded, of the networks made from the start.
    package var latencyRatio: Double?
    /// The same as added up from the layers of the networks with one option everywhere.
    package var predictedLatencyRatio: Double?
  }

  package var model: ComparisonReport.ModelFacts
  package var data: ComparisonReport.DataFacts
  package var machine: Machine
  package var goal: SearchGoal
  package var bounds: SearchBounds
  /// Whether the result keeps the bounds, by the samples that choose.
  package var meetsBounds: Bool
  package var float32Top1: Double?
  /// Spearman's correlation of predicted and measured cost over the points that were measured.
  package var predictionRankCorrelation: Double?
  /// Networks that were measured.
  package var measured: Int
  package var seconds: Double
  package var cpuSeconds: Double
  /// Smallest first.
  package var points: [Point]
  /// The recipe, as YAML.
  package var recipe: String
  package var warnings: [String]
}

extension SearchReport {
  package var text: String {
    let header = [
      "", "widths", "bytes", "ratio", "predicted", "KL", "dB", "agree %", "reported KL", "top-1 %",
      "Δ points", "95 %",
    ]
    func number(_ value: Double?, _ format: String, times factor: Double = 1) -> String {
      value.map { String(format: format, $0 * factor) } ?? "-"
    }
    let rows = points.map { point in
      [
        point.kind.rawValue, point.widthText, "\(point.weightBytes)",
        String(format: "%.2f×", point.compression), number(point.predictedCost, "%.3g"),
        number(point.selection.kl, "%.3g"), number(point.selection.sqnrDb, "%.1f"),
        number(point.selection.agreement, "%.2f", times: 100),
        number(point.evaluation.kl, "%.3g"), number(point.evaluation.top1, "%.2f", times: 100),
        number(point.evaluation.top1Delta, "%+.2f", times: 100),
        point.evaluation.top1DeltaCi95.map { String(format: "%+.2f…%+.2f", $0[0] * 100, $0[1] * 100) } ?? "-",
      ]
    }
    var notes = [
      "\(data.roles); KL, dB and agreement on the samples that choose, the rest on \(data.samples) that choose nothing"
    ]
    if let float32Top1 { notes.append(String(format: "float32 top-1 %.2f %%", float32Top1 * 100)) }
    notes.append(
      String(
        format: "%d networks measured in %.1f s (%.1f s of processor time)%@", measured, seconds, cpuSeconds,
        predictionRankCorrelation.map { String(format: ", predicted and measured rank %.2f alike", $0) } ?? ""
      ))
    for point in points {
      guard let ratio = point.latencyRatio else { continue }
      notes.append(String(format: "%@ (%@): %.2f of float32's time", point.name, point.widthText, ratio))
    }
    if !meetsBounds { notes.append("The bounds are not kept: this is the nearest that was found.") }
    return ([TextTable.text(header: header, rows: rows, leftColumns: 2), ""] + notes + warnings).joined(
      separator: "\n")
  }
}

extension SearchReport {
  /// `11×W4 9×W8`.
  static func text(_ layers: [String: Int]) -> String {
    layers.sorted { $0.key < $1.key }.map { "\($0.value)×\($0.key)" }.joined(separator: " ")
  }
}

extension SearchReport.Point {
  var widthText: String { SearchReport.text(widths) }
}
