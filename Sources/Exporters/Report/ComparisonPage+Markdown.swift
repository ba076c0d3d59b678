import Formats
import Foundation
import Workflows

extension ComparisonPage {
  /// The page as Markdown; plots and bars are drawn with characters.
  package var markdown: String {
    var lines = ["# Comparison", ""] + report.facts.map { "- \(escaped($0))" } + [""]
    let badges = [report.float32] + report.candidates
    lines += table(
      [""] + zip(report.header.dropFirst(), badges).map { "\($0) (\($1.badge))" }, report.rows)
    lines += ["", "int: computed by integer kernels. sim: simulated in float32, so without a speed-up.", ""]
    if !report.warnings.isEmpty {
      lines += ["## Warnings", ""] + report.warnings.map { "- \(escaped($0))" } + [""]
    }
    let plots = ParetoPlot.all(report)
    if !plots.isEmpty {
      lines += ["## What is gained for what", ""] + plots.flatMap { [fenced($0.text), ""] }
    }
    lines += ["## Layers", ""] + candidates.flatMap(layers)
    lines += ["## Recipes", ""]
    for candidate in candidates {
      lines += [
        "### \(escaped(candidate.trial.name))", "", "Seeds: \(candidate.seeds)", "",
        fenced(candidate.recipe, language: "yaml"), "",
      ]
    }
    lines += ["## What these figures depend on", ""]
    lines += table(["what", "value"], circumstances.map { [$0.title, $0.value] }) + [""]
    lines += table(
      ["role", "file", "bytes", "SHA-256"], files.map { [$0.role, $0.path, "\($0.bytes)", $0.sha256] })
    return lines.joined(separator: "\n") + "\n"
  }

  private func layers(_ candidate: Candidate) -> [String] {
    let most = Double(candidate.layers.map(\.float32Bytes).max() ?? 1)
    let rows = candidate.layers.map { layer in
      [
        layer.name, layer.operatorName, String(format: "%.2f", layer.bits), "\(layer.bytes)",
        String(repeating: "█", count: Int((20 * Double(layer.bytes) / most).rounded(.up))),
        layer.weightSqnrDb.map { String(format: "%.1f", $0) } ?? "exact",
      ]
    }
    return ["### \(escaped(candidate.trial.name))", ""]
      + table(["layer", "operator", "bits per weight", "bytes", "", "weights' SQNR dB"], rows) + [""]
  }

  private func table(_ header: [String], _ rows: [[String]]) -> [String] {
    func line(_ cells: [String]) -> String { "| " + cells.map(escaped).joined(separator: " | ") + " |" }
    return [line(header), "|" + String(repeating: "---|", count: header.count)] + rows.map(line)
  }

  /// Text that means only itself in Markdown and in the HTML that Markdown may hold.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in displayText(text) {
      if "\\`*_[]<>|#&".contains(character) { result.append("\\") }
      result.append(character)
    }
    return result
  }

  /// A code block whose fence the text does not contain.
  private func fenced(_ text: String, language: String = "") -> String {
    var fence = "```"
    while text.contains(fence) { fence += "`" }
    return "\(fence)\(language)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)"
  }
}
