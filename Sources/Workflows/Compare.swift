import Datasets
import Evaluation
import Foundation
import Jobs
import Quantization

extension Project {
  /// Quantizes by each recipe and measures all beside float32: what `lathe compare` and the workbench show.
  package func compare(
    _ recipes: [(name: String, recipe: Recipe)], limit: Int? = nil, batch: Int = 1, reporter: Reporter,
    partial: (Measurement) throws -> Void = { _ in }
  ) throws -> ComparisonReport {
    let plan = plan(recipes.map(\.recipe), limit: limit)
    let prepared = try prepare(recipes, plan: plan, reporter: reporter.part(0...0.4))
    var options = MeasureOptions()
    options.latencyBatch = batch
    let measurement = try measure(
      prepared, plan: plan, options: options, reporter: reporter.part(0.4...1), partial: partial)
    return report(measurement)
  }

  package func report(_ measurement: Measurement) -> ComparisonReport {
    ComparisonReport(
      model: modelFacts,
      data: dataFacts(samples: measurement.float32.samples ?? 0, roles: measurement.roles),
      machine: .current(threads: threads), float32: measurement.float32, candidates: measurement.candidates)
  }

  package var modelFacts: ComparisonReport.ModelFacts {
    .init(path: model.path, format: model.format, parameters: model.parameters, macs: model.macs)
  }

  /// The data that evaluates.
  ///
  /// - Parameters:
  ///   - samples: how many were evaluated.
  ///   - roles: which data calibrates and which evaluates, in words.
  package func dataFacts(samples: Int, roles: String) -> ComparisonReport.DataFacts {
    .init(path: dataPath, samples: samples, labelled: data.labels != nil, roles: roles)
  }
}

extension ComparisonReport {
  private var header: [String] { ["", "float32"] + candidates.map(\.name) }

  /// The comparison as rows of text: a figure, float32, candidates; `-` where a figure does not exist.
  private var rows: [[String]] {
    func row(_ title: String, _ value: (Trial) -> String?) -> [String]? {
      let cells = ([float32] + candidates).map(value)
      return cells.contains { $0 != nil } ? [title] + cells.map { $0 ?? "-" } : nil
    }
    func percent(_ x: Double?) -> String? { x.map { String(format: "%.2f", $0 * 100) } }
    let rows: [[String]?] = [
      row("execution") { $0.execution.rawValue },
      row("top-1 %") { percent($0.top1) },
      row("Δ points") { $0.top1Delta.map { String(format: "%+.2f", $0 * 100) } },
      row("  95 % interval") {
        $0.top1DeltaCi95.map { String(format: "%+.2f … %+.2f", $0[0] * 100, $0[1] * 100) }
      },
      row("  McNemar p") { $0.pValue.map { String(format: "%.3g", $0) } },
      row("top-5 %") { percent($0.top5) },
      row("loss") { $0.loss.map { String(format: "%.4f", $0) } },
      row("agreement %") { percent($0.agreement) },
      row("SQNR dB") { $0.sqnrDb.map { String(format: "%.1f", $0) } },
      row("KL") { $0.kl.map { String(format: "%.3g", $0) } },
      row("file bytes") { $0.sizeBytes.map(String.init) },
      row("weight bytes") { "\($0.weightBytes)" },
      row("compression") { $0.compression.map { String(format: "%.2f×", $0) } },
      row("bits per weight") { $0.bitsPerWeight.map { String(format: "%.2f", $0) } },
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

  private var facts: [String] {
    [
      "\(model.path): \(model.parameters) parameters, \(model.macs) multiply–accumulates",
      "\(data.path ?? "no data"): \(data.samples) samples, \(data.roles)",
      "\(machine.cpu), \((["scalar"] + machine.features).last ?? "scalar"), \(machine.threads) threads",
    ]
  }

  private var warnings: [String] {
    candidates.flatMap { trial in (trial.warnings ?? []).map { "\(trial.name): \($0)" } }
  }

  /// The comparison as plain text.
  package var text: String {
    let table = TextTable.text(header: header, rows: rows, leftColumns: 1)
    return (facts + ["", table] + (warnings.isEmpty ? [] : [""] + warnings)).joined(separator: "\n")
  }

  /// Writes the comparison as Markdown or HTML, by the file's ending.
  package func write(to path: String) throws {
    let text = (path as NSString).pathExtension == "html" ? html : markdown
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw WorkflowError("\(path): cannot be written: \((error as NSError).localizedDescription)")
    }
  }

  private var markdown: String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = "|" + header.map { _ in "---|" }.joined()
    return
      (["# Comparison", ""] + facts.map { "- \($0)" } + ["", line(header), rule] + rows.map(line) + [""]
      + warnings.map { "- \($0)" }).joined(separator: "\n") + "\n"
  }

  private var html: String {
    func escaped(_ text: String) -> String {
      text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
    func line(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
    }
    func list(_ items: [String]) -> String {
      "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>"
    }
    return """
      <!doctype html><html lang="en"><meta charset="utf-8"><title>Comparison</title>
      <style>body{font-family:sans-serif}td,th{text-align:right;padding:.2em .8em}td:first-child{text-align:left}</style>
      <h1>Comparison</h1>\(list(facts))
      <table>\(line(header, "th"))\(rows.map { line($0, "td") }.joined(separator: "\n"))</table>\(list(warnings))</html>

      """
  }
}
