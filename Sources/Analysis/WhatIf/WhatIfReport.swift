import Evaluation
import Foundation
import Jobs
import Quantization
import Workflows

/// What `lathe what-if` prints: predictions, with what was measured beside them where that was asked for.
///
/// Fractions are 0…1, units are in the names; a figure that does not exist is left out.
package struct WhatIfReport: Sendable, Codable {
  package struct Candidate: Sendable, Codable {
    package var name: String
    package var prediction: Prediction
    /// Of the prediction.
    package var milliseconds: Double
    package var measured: Trial?
  }

  package struct Preparation: Sendable, Codable {
    package var seconds: Double
    /// Samples whose values are kept, in so many bytes, and samples that layers alone are scored on.
    package var keptSamples: Int
    package var keptBytes: Int
    package var scoredSamples: Int
    /// How costs of layers come together: (Σ cᵖ)^(1/p).
    package var exponent: Double
  }

  package var model: ComparisonReport.ModelFacts
  /// Absent where nothing was measured.
  package var data: ComparisonReport.DataFacts?
  package var machine: Machine
  package var preparation: Preparation
  package var float32: Trial?
  package var candidates: [Candidate]
  /// Spearman's correlations over the candidates of what was predicted and what was measured.
  package var rankCorrelation: RankCorrelation?

  package struct RankCorrelation: Sendable, Codable {
    package var top1Drop: Double?
    package var cost: Double?
  }
}

extension Project {
  /// Predicts what recipes would come to.
  ///
  /// - Parameters:
  ///   - base: what the preparation encodes like.
  ///   - measures: whether they are measured too; where latency was not predicted it is not.
  package func whatIf(
    _ recipes: [(name: String, recipe: Recipe)], base: Recipe, measures: Bool, limit: Int? = nil,
    reporter: Reporter
  ) throws -> WhatIfReport {
    let clock = ContinuousClock()
    let began = clock.now
    let whatIf = try whatIf(base: base, reporter: reporter.part(0...(measures ? 0.5 : 1)))
    let prepared = (clock.now - began) / .seconds(1)
    let candidates = try recipes.map { name, recipe in
      let began = clock.now
      let prediction = try whatIf.predict(recipe)
      return WhatIfReport.Candidate(
        name: name, prediction: prediction, milliseconds: (clock.now - began) / .milliseconds(1))
    }
    var report = WhatIfReport(
      model: modelFacts, machine: .current(threads: threads),
      preparation: .init(
        seconds: prepared, keptSamples: whatIf.keptSamples, keptBytes: whatIf.keptBytes,
        scoredSamples: whatIf.scoredSamples, exponent: whatIf.sum.exponent), candidates: candidates)
    if measures {
      try addMeasurements(recipes, to: &report, limit: limit, reporter: reporter.part(0.5...1))
    }
    return report
  }

  private func addMeasurements(
    _ recipes: [(name: String, recipe: Recipe)], to report: inout WhatIfReport, limit: Int?,
    reporter: Reporter
  ) throws {
    let plan = plan(recipes.map(\.recipe), limit: limit)
    var options = MeasureOptions()
    options.measuresLatency = false
    // One at a time: programs of many networks at once would take much memory.
    for (index, recipe) in recipes.enumerated() {
      let share = 1 / Double(recipes.count)
      let part = reporter.part(Double(index) * share...Double(index + 1) * share)
      var own = plan
      own.kept = [plan.kept[index]]
      for fold in own.folds.indices { own.folds[fold].calibration = [plan.folds[fold].calibration[index]] }
      let prepared = try prepare([recipe], plan: own, reporter: part.part(0...0.5))
      let measurement = try measure(prepared, plan: own, options: options, reporter: part.part(0.5...1))
      report.float32 = measurement.float32
      report.data = dataFacts(samples: measurement.float32.samples ?? 0, roles: measurement.roles)
      report.candidates[index].measured = measurement.candidates.first
    }
    report.rankCorrelation = .init(
      top1Drop: report.correlation({ $0.prediction.top1Delta }, { $0.top1Delta }),
      cost: report.correlation({ $0.prediction.cost }, { $0.kl ?? $0.sqnrDb.map { -$0 } }))
  }
}

extension WhatIfReport {
  fileprivate func correlation(
    _ predicted: (Candidate) -> Double?, _ measured: (Trial) -> Double?
  ) -> Double? {
    let pairs = candidates.compactMap { candidate in
      predicted(candidate).flatMap { x in candidate.measured.flatMap(measured).map { (x, $0) } }
    }
    return Ranks.correlation(pairs.map(\.0), pairs.map(\.1))
  }

  package var text: String {
    let isMeasured = candidates.contains { $0.measured != nil }
    var header = ["", "≈Δ points", "≈KL", "≈dB", "weight bytes", "ratio", "≈ms", "answer ms"]
    if isMeasured { header += ["Δ points", "KL", "dB"] }
    func number(_ value: Double?, _ format: String, times factor: Double = 1) -> String {
      value.map { String(format: format, $0 * factor) } ?? "-"
    }
    let rows = candidates.map { candidate in
      let prediction = candidate.prediction
      var row = [
        candidate.name, number(prediction.top1Delta, "%+.2f", times: 100), number(prediction.kl, "%.3g"),
        number(prediction.sqnrDb, "%.1f"), "\(prediction.weightBytes)",
        number(prediction.compression, "%.2f×"), number(prediction.latencyMs, "%.3f"),
        number(candidate.milliseconds, "%.0f"),
      ]
      if isMeasured {
        row += [
          number(candidate.measured?.top1Delta, "%+.2f", times: 100), number(candidate.measured?.kl, "%.3g"),
          number(candidate.measured?.sqnrDb, "%.1f"),
        ]
      }
      return row
    }
    var notes = [
      String(
        format: "≈ is predicted; prepared in %.1f s on %d samples, %d of them kept in %d MiB",
        preparation.seconds, preparation.scoredSamples, preparation.keptSamples, preparation.keptBytes >> 20)
    ]
    if let data { notes.append("measured on \(data.samples) samples: \(data.roles)") }
    if let correlation = rankCorrelation?.top1Drop {
      notes.append(String(format: "predicted and measured drops rank %.2f alike", correlation))
    }
    if let correlation = rankCorrelation?.cost {
      notes.append(String(format: "predicted and measured distances rank %.2f alike", correlation))
    }
    for candidate in candidates { notes += candidate.prediction.notes.map { "\(candidate.name): \($0)" } }
    return ([TextTable.text(header: header, rows: rows, leftColumns: 1), ""] + notes).joined(separator: "\n")
  }
}
