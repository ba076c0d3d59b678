import Foundation
import Tensors
import Workflows

extension DiffReport {
  /// Rows of each list shown as text; JSON has all.
  private static let shown = 20

  /// The comparison as plain text.
  package var text: String {
    [sides, tensorTable, activationTable, rest, notes.joined(separator: "\n")]
      .filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var sides: String {
    func row(_ title: String, _ value: (Side) -> String?) -> [String] {
      [title] + [a, b].map { value($0) ?? "-" }
    }
    func opsets(_ side: Side) -> String {
      side.opsets.sorted { $0.key < $1.key }
        .map { $0.key == "ai.onnx" ? "\($0.value)" : "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    return TextTable.text(
      header: ["", "A", "B"],
      rows: [
        row("file") { $0.path }, row("written by") { $0.producer }, row("opset", opsets),
        row("file bytes") { "\($0.sizeBytes)" }, row("constant bytes") { "\($0.constantBytes)" },
        row("weights, of them quantized") { "\($0.weights), \($0.quantizedWeights)" },
        row("weight bytes") { "\($0.weightBytes)" },
        row("true bits per weight") { $0.bitsPerWeight.map { String(format: "%.3f", $0) } },
        row("activations encoded, dynamic") { "\($0.encodedActivations), \($0.dynamicActivations)" },
        row("nodes") { "\($0.nodes)" },
      ], leftColumns: 1)
  }

  private var tensorTable: String {
    let weights = tensors.filter { $0.role == "weight" }
    guard !weights.isEmpty else { return "No weights in common." }
    let rows = weights.map { pair in
      [
        names(pair), pair.operatorName, pair.shape.shapeText,
        pair.a.text, pair.b.text, bits(pair.a), bits(pair.b),
        pair.isEqual ? "equal" : pair.sqnrDb.map { String(format: "%.1f", $0) } ?? "-",
        pair.maxAbsError.map { String(format: "%.3g", $0) } ?? "-",
        pair.scaleMaxRelativeDifference.map { String(format: "%.2g", $0 * 100) } ?? "-",
        pair.zeroPointMaxDifferenceCodes.map(String.init) ?? "-", pair.matchedBy,
      ]
    }
    let table = TextTable.text(
      header: [
        "layer", "operator", "shape", "A", "B", "bits A", "bits B", "SQNR dB", "max |A−B|", "Δ scale %",
        "Δ zero", "matched by",
      ], rows: rows, leftColumns: 5, endsInText: true)
    let biases = tensors.filter { $0.role == "bias" }
    guard !biases.isEmpty else { return table }
    let worst = biases.compactMap(\.sqnrDb).min().map { String(format: ", the worst at %.1f dB", $0) } ?? ""
    return table + "\n\(biases.count) biases, \(biases.count { $0.isEqual }) equal\(worst)"
  }

  /// The layer's name in A, and in B where that says more than A's with an ending.
  private func names(_ pair: Pair) -> String {
    guard let other = pair.layerInB, !other.hasPrefix(pair.layer) else { return pair.layer }
    return "\(pair.layer) = \(other)"
  }

  private func bits(_ stored: Stored) -> String {
    stored.bitsPerElement.map { String(format: "%.2f", $0) } ?? "-"
  }

  private var activationTable: String {
    guard !activations.isEmpty else { return "" }
    let worst = activations.sorted { $0.scaleRelativeDifference > $1.scaleRelativeDifference }
    let rows = worst.prefix(Self.shown).map { pair in
      [
        pair.value, pair.a.type, pair.b.type, String(format: "%.6g", pair.a.scale),
        String(format: "%.6g", pair.b.scale), String(format: "%.2g", pair.scaleRelativeDifference * 100),
        "\(pair.a.zeroPoint)", "\(pair.b.zeroPoint)",
      ]
    }
    let table = TextTable.text(
      header: ["activation", "A", "B", "scale A", "scale B", "Δ %", "zero A", "zero B"], rows: rows,
      leftColumns: 3)
    let more = activations.count - rows.count
    return table + (more > 0 ? "\n\(more) more that differ less" : "")
  }

  private var rest: String {
    func list(_ title: String, _ names: [String]) -> String? {
      guard !names.isEmpty else { return nil }
      let more = names.count - Self.shown
      return "\(title) (\(names.count)): " + names.prefix(Self.shown).joined(separator: ", ")
        + (more > 0 ? ", and \(more) more" : "")
    }
    return [("A", onlyInA), ("B", onlyInB)].flatMap { name, rest in
      [
        list(
          "weights and biases only in \(name)",
          rest.constants.map { "\($0.role ?? "") of \($0.name) (\($0.operatorName))" }),
        list("nodes only in \(name)", rest.nodes.map { "\($0.name) (\($0.operatorName))" }),
        list("activations encoded only in \(name)", rest.activations),
      ].compactMap { $0 }
    }.joined(separator: "\n")
  }
}
