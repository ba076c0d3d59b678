import Datasets
import Evaluation
import Foundation
import Jobs
import Quantization

/// A comparison, and the candidates it is of in the same order.
package struct Comparison: Sendable {
  package var report: ComparisonReport
  package var prepared: [PreparedCandidate]

  package init(report: ComparisonReport, prepared: [PreparedCandidate]) {
    self.report = report
    self.prepared = prepared
  }
}

extension Project {
  /// Quantizes by each recipe and measures all beside float32: what `lathe compare` shows.
  package func compare(
    _ recipes: [(name: String, recipe: Recipe)], limit: Int? = nil, batch: Int = 1, reporter: Reporter,
    partial: (Measurement) throws -> Void = { _ in }
  ) throws -> Comparison {
    let plan = plan(recipes.map(\.recipe), limit: limit)
    let prepared = try prepare(recipes, plan: plan, reporter: reporter.part(0...0.4))
    var options = MeasureOptions()
    options.latencyBatch = batch
    let measurement = try measure(
      prepared, plan: plan, options: options, reporter: reporter.part(0.4...1), partial: partial)
    var report = report(measurement)
    report.answers =
      measurement.answers.contains { $0.classCount > 0 }
      ? zip(measurement.candidates, measurement.answers).map { .init(name: $0.name, $1) } : nil
    return Comparison(report: report, prepared: prepared)
  }

  package func report(_ measurement: Measurement) -> ComparisonReport {
    ComparisonReport(
      model: modelFacts,
      data: dataFacts(
        samples: measurement.float32.samples ?? 0, tokens: measurement.float32.tokens,
        roles: measurement.roles),
      machine: .current(threads: threads), float32: measurement.float32, candidates: measurement.candidates)
  }

  package var modelFacts: ComparisonReport.ModelFacts {
    .init(path: model.path, format: model.format, parameters: model.parameters, macs: model.macs)
  }

  /// The data that evaluates.
  ///
  /// - Parameters:
  ///   - samples: how many were evaluated.
  ///   - tokens: of a text, how many were scored.
  ///   - roles: which data calibrates and which evaluates, in words.
  package func dataFacts(samples: Int, tokens: Int? = nil, roles: String) -> ComparisonReport.DataFacts {
    .init(path: dataPath, samples: samples, tokens: tokens, labelled: data.isLabelled, roles: roles)
  }
}

extension ComparisonReport {
  /// Of `rows`: nothing, float32, the candidates' names.
  package var header: [String] { ["", "float32"] + candidates.map(\.name) }

  /// The comparison as rows of text: a figure, float32, candidates; `-` where a figure does not exist.
  package var rows: [[String]] {
    func row(_ title: String, _ value: (Trial) -> String?) -> [String]? {
      let cells = ([float32] + candidates).map(value)
      return cells.contains { $0 != nil } ? [title] + cells.map { $0 ?? "-" } : nil
    }
    func percent(_ x: Double?) -> String? { x.map { String(format: "%.2f", $0 * 100) } }
    func interval(_ format: String, _ ends: [Double]?, times factor: Double = 1) -> String? {
      ends.map { String(format: "\(format) … \(format)", $0[0] * factor, $0[1] * factor) }
    }
    let scoresTokens = float32.tokens != nil
    let rows: [[String]?] = [
      row("execution") { $0.execution.rawValue },
      row("perplexity") { $0.perplexity.map { String(format: "%.3f", $0) } },
      row("  95 % interval") { interval("%.3f", $0.perplexityCi95) },
      row("Δ perplexity") { $0.perplexityDelta.map { String(format: "%+.3f", $0) } },
      row("  95 %, paired") { interval("%+.3f", $0.perplexityDeltaCi95) },
      row("  ratio") { $0.perplexityRatio.map { String(format: "%.4f", $0) } },
      row("RMS Δp %") { percent($0.rmsDeltaP) },
      row("  95 % interval") { interval("%.2f", $0.rmsDeltaPCi95, times: 100) },
      row(scoresTokens ? "next token %" : "top-1 %") { percent($0.top1) },
      row("Δ points") { $0.top1Delta.map { String(format: "%+.2f", $0 * 100) } },
      row("  95 % interval") {
        $0.top1DeltaCi95.map { String(format: "%+.2f … %+.2f", $0[0] * 100, $0[1] * 100) }
      },
      row("  McNemar p") { $0.pValue.map { String(format: "%.3g", $0) } },
      row("worst class points") {
        $0.worstClass.map { String(format: "%+.1f (class %d)", $0.top1Delta * 100, $0.label) }
      },
      row("top-5 %") { percent($0.top5) },
      row("loss") { $0.loss.map { String(format: "%.4f", $0) } },
      row("agreement %") { percent($0.agreement) },
      row("  95 % interval") { interval("%.2f", $0.agreementCi95, times: 100) },
      row("SQNR dB") { $0.sqnrDb.map { String(format: "%.1f", $0) } },
      row("KL") { $0.kl.map { String(format: "%.3g", $0) } },
      row("  95 % interval") { interval("%.3g", $0.klCi95) },
      row("file bytes") { $0.sizeBytes.map(String.init) },
      row("weight bytes") { "\($0.weightBytes)" },
      row("compression") { $0.compression.map { String(format: "%.2f×", $0) } },
      row("bits per weight") { $0.bitsPerWeight.map { String(format: "%.2f", $0) } },
      row("MAC quantized %") { percent($0.quantizedMacs) },
      row("latency ms") { $0.latencyMs.map { String(format: "%.3f", $0.median) } },
      row("  p90") { $0.latencyMs.map { String(format: "%.3f", $0.p90) } },
      row("speed-up") { $0.speedup.map { String(format: "%.2f×", $0) } },
      row("  95 % interval ") {
        $0.speedupCi95.map { String(format: "%.2f … %.2f", $0[0], $0[1]) }
      },
      row("energy mJ") { $0.energyJoules.map { String(format: "%.3g", $0 * 1000) } },
      row("memory bytes") { $0.peakMemoryBytes.map(String.init) },
      row("quantized in s") { $0.quantizeSeconds.map { String(format: "%.1f", $0) } },
    ]
    return rows.compactMap { $0 }
  }

  /// Which model, data and machine.
  package var facts: [String] {
    [
      "\(model.path): \(model.parameters) parameters, \(model.macs) multiply–accumulates",
      "\(data.path ?? "no data"): \(data.samples) \(data.tokens.map { "windows, \($0) tokens" } ?? "samples"), \(data.roles)",
      "\(machine.cpu), \((["scalar"] + machine.features).last ?? "scalar"), \(machine.threads) threads",
    ]
  }

  /// Those of all candidates, each with its candidate's name.
  package var warnings: [String] {
    candidates.flatMap { trial in (trial.warnings ?? []).map { "\(trial.name): \($0)" } }
  }

  /// The comparison as plain text.
  package var text: String {
    let table = TextTable.text(header: header, rows: rows, leftColumns: 1)
    return (facts + ["", table] + (warnings.isEmpty ? [] : [""] + warnings)).joined(separator: "\n")
  }
}
