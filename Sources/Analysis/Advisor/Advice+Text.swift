import Foundation
import Workflows

extension Advice {
  /// The advice as plain text.
  package var text: String {
    let comparison = evidence.comparison
    var parts = [
      "\(comparison.model.path): \(comparison.model.parameters) parameters, \(comparison.model.macs) multiply–accumulates\n"
        + "\(comparison.data.path ?? "no data"): \(comparison.data.roles)", headline,
    ]
    parts += caveats
    parts += sections.map { section in
      (["\(section.question) \(section.answer.text)"] + section.sentences.map { "  \($0)" }).joined(
        separator: "\n")
    }
    if let lint { parts.append(Self.text(lint)) }
    parts.append(
      "Elsewhere (from documentation, not measured here):\n"
        + TextTable.text(
          header: ["hardware", "runtime", "formats", "ask for", "source"],
          rows: otherHardware.map { [$0.kind, $0.runtime, $0.formats, $0.advice, $0.source] }, leftColumns: 5)
    )
    return parts.joined(separator: "\n\n")
  }

  private static func text(_ lint: Lint) -> String {
    guard !lint.findings.isEmpty else {
      return "\(lint.target) takes \(lint.candidate) as it is (0 findings; \(lint.source))."
    }
    // A rule that many layers break says so once, with the first layer's figures.
    var rules: [String] = []
    for finding in lint.findings where !rules.contains(finding.rule) { rules.append(finding.rule) }
    let lines = rules.map { rule in
      let of = lint.findings.filter { $0.rule == rule }
      let more = of.count > 1 ? " (and \(of.count - 1) more layers)" : ""
      return "  \(rule): \(of[0].layer)\(more): \(of[0].text)"
    }
    return (["\(lint.target) and \(lint.candidate) (from documentation: \(lint.source)):"] + lines).joined(
      separator: "\n")
  }
}

extension Advice.Section.Answer {
  /// After the question: `Yes.`, or nothing where sentences tell.
  package var text: String { self == .told ? "" : "\(rawValue.capitalized)." }
}
