import Foundation
import Workflows

extension ComparisonPage {
  /// The page as one HTML file that loads nothing.
  package var html: String {
    let body = [
      HTML.element("h1", "Comparison"), HTML.list(report.facts), table,
      section("Warnings", report.warnings.isEmpty ? nil : HTML.list(report.warnings)),
      section("What is gained for what", plots),
      section("Layers", candidates.isEmpty ? nil : candidates.map(layerTable).joined(separator: "\n")),
      section("Recipes", candidates.map(recipe).joined(separator: "\n")),
      section("What these figures depend on", circumstanceTable + fileTable),
    ]
    return """
      <!doctype html>
      <html lang="en">
      <head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>\(HTML.escaped((report.model.path as NSString).lastPathComponent)): comparison</title>
      <style>\(Self.style)</style></head>
      <body>
      \(body.joined(separator: "\n"))
      </body></html>

      """
  }

  private func section(_ title: String, _ content: String?) -> String {
    content.map { HTML.element("h2", HTML.escaped(title)) + "\n" + $0 } ?? ""
  }

  private var table: String {
    let badges = [report.float32] + report.candidates
    let header = zip(report.header.dropFirst(), badges).map { name, trial in
      HTML.element(
        "th", HTML.escaped(name) + " " + HTML.element("span", trial.badge, class: "badge \(trial.badge)"))
    }
    let rows = report.rows.map { row in
      HTML.element(
        "tr",
        HTML.element("th", HTML.escaped(row[0]))
          + row.dropFirst().map { HTML.element("td", HTML.escaped($0)) }.joined())
    }
    return HTML.element(
      "table", HTML.element("tr", HTML.element("th", "") + header.joined()) + rows.joined(separator: "\n"))
      + HTML.element(
        "p",
        "<b>int</b>: computed by integer kernels. <b>sim</b>: simulated in float32, so without a speed-up.")
  }

  private var plots: String? {
    let plots = ParetoPlot.all(report)
    guard let first = plots.first else { return nil }
    let legend = first.points.map { "\($0.letter): \($0.name)" }
    return plots.map { HTML.element("figure", $0.svg) }.joined() + HTML.list(legend)
      + HTML.element(
        "p", "The line joins what nothing measured beats in both. Bars are 95 % intervals of the difference.")
  }

  private func layerTable(_ candidate: Candidate) -> String {
    let most = Double(candidate.layers.map(\.float32Bytes).max() ?? 1)
    let best = candidate.layers.compactMap(\.weightSqnrDb).max() ?? 1
    func bar(_ share: Double, _ name: String) -> String {
      String(
        format: "<div class=\"bar\"><div class=\"%@\" style=\"width:%.2f%%\"></div></div>", name,
        100 * Swift.min(Swift.max(share, 0), 1))
    }
    let rows = candidate.layers.map { layer in
      let cells = [
        HTML.escaped(layer.name), HTML.escaped(layer.operatorName), String(format: "%.2f", layer.bits),
        "\(layer.bytes)", bar(Double(layer.bytes) / most, "bytes"),
        layer.weightSqnrDb.map { String(format: "%.1f", $0) } ?? "exact",
        layer.weightSqnrDb.map { bar($0 / best, "error") } ?? "",
      ]
      return HTML.element("tr", cells.map { HTML.element("td", $0) }.joined())
    }
    let header = ["layer", "operator", "bits per weight", "bytes", "", "weights' SQNR dB", ""]
    return HTML.element("h3", HTML.escaped(candidate.trial.name))
      + HTML.element(
        "table",
        HTML.element("tr", header.map { HTML.element("th", HTML.escaped($0)) }.joined())
          + rows.joined(separator: "\n"), class: "layers")
  }

  private func recipe(_ candidate: Candidate) -> String {
    HTML.element("h3", HTML.escaped(candidate.trial.name))
      + HTML.element("p", "Seeds: " + HTML.escaped(candidate.seeds))
      + HTML.element("pre", HTML.escapedLines(candidate.recipe))
  }

  private var circumstanceTable: String {
    HTML.element(
      "table",
      circumstances.map {
        HTML.element(
          "tr", HTML.element("th", HTML.escaped($0.title)) + HTML.element("td", HTML.escaped($0.value)))
      }.joined(), class: "facts")
  }

  private var fileTable: String {
    let rows = files.map { file in
      HTML.element(
        "tr",
        [file.role, file.path, "\(file.bytes)"].map { HTML.element("td", HTML.escaped($0)) }.joined()
          + HTML.element("td", HTML.element("code", file.sha256)))
    }
    return HTML.element(
      "table",
      HTML.element(
        "tr", ["role", "file", "bytes", "SHA-256"].map { HTML.element("th", $0) }.joined())
        + rows.joined(), class: "facts")
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1f2328;--ground:#fff;--line:#d0d7de;--strong:#0b62b8;--soft:#9a6700}
    @media (prefers-color-scheme:dark){:root{--ink:#d8dee9;--ground:#11151c;--line:#3b4252;--strong:#7fb4ea;--soft:#ebcb8b}}
    body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:72rem;margin:2rem auto;padding:0 1rem}
    table{border-collapse:collapse;margin:.6rem 0;display:block;overflow-x:auto}
    td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;font-variant-numeric:tabular-nums}
    th:first-child,td:first-child,.facts td,.facts th,.layers td:nth-child(2){text-align:left}
    pre{border:1px solid var(--line);padding:.6rem;overflow-x:auto}
    .badge{border:1px solid var(--line);border-radius:.4em;padding:0 .35em;font-size:.8em}.badge.sim{color:var(--soft)}.badge.int{color:var(--strong)}
    .bar{width:10rem;height:.7em;border:1px solid var(--line)}.bar div{height:100%}.bar .bytes{background:var(--strong)}.bar .error{background:var(--soft)}
    figure{margin:0;display:inline-block;width:min(40rem,100%)}svg text{fill:var(--ink);font-size:12px}
    svg .frame{fill:none;stroke:var(--line)}svg .front{fill:none;stroke:var(--strong);stroke-width:1.5}svg .mark{fill:var(--strong)}svg .interval{stroke:var(--ink);opacity:.5}
    """
}
