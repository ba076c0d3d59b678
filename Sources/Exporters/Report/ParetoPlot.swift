import Analysis
import Evaluation
import Foundation
import Workflows

/// Accuracy over a cost, a mark for float32 and each candidate and a line along those that nothing beats in both.
///
/// As SVG and as text.
struct ParetoPlot {
  struct Point {
    var letter: String
    var name: String
    var x: Double
    var y: Double
    /// 95 % interval of y.
    var interval: ClosedRange<Double>?
  }

  var xTitle: String
  var yTitle: String
  var points: [Point]

  /// Accuracy (a language model's log-probability, else agreement, else SQNR) over weight bytes and over latency; only those with two points or more.
  static func all(_ report: ComparisonReport) -> [ParetoPlot] {
    let trials = [report.float32] + report.candidates
    let (yTitle, y) = gain(trials)
    func plot(_ title: String, _ x: (Trial) -> Double?) -> ParetoPlot? {
      let points = trials.enumerated().compactMap { index, trial -> Point? in
        guard let x = x(trial), let y = y(trial), x > 0 else { return nil }
        let top1 = report.float32.top1
        let interval =
          trial.top1 == nil || trial.perplexity != nil
          ? nil
          : zip2(top1, trial.top1DeltaCi95).map { (100 * ($0 + $1[0]))...(100 * ($0 + $1[1])) }
        return Point(letter: letter(index), name: trial.name, x: x, y: y, interval: interval)
      }
      return points.count < 2 ? nil : ParetoPlot(xTitle: title, yTitle: yTitle, points: points)
    }
    return [
      plot("weights, KiB") { Double($0.weightBytes) / 1024 },
      plot("median latency, ms") { $0.latencyMs?.median },
    ].compactMap { $0 }
  }

  private static func zip2<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
    guard let a, let b else { return nil }
    return (a, b)
  }

  /// The letter of a column: F for float32, then A, B, C and on without F.
  static func letter(_ index: Int) -> String {
    index == 0 ? "F" : String(UnicodeScalar(UInt8(65 + (index - 1 + (index > 5 ? 1 : 0)) % 26)))
  }

  private static func gain(_ trials: [Trial]) -> (String, (Trial) -> Double?) {
    if trials.contains(where: { $0.perplexity != nil }) {
      // Upwards is better.
      return ("mean log-probability of a token", { $0.loss.map { -$0 } })
    }
    if trials.contains(where: { $0.top1 != nil }) { return ("top-1, %", { $0.top1.map { $0 * 100 } }) }
    if trials.contains(where: { $0.agreement != nil }) {
      return ("agreement with float32, %", { $0.execution == .float ? 100 : $0.agreement.map { $0 * 100 } })
    }
    return ("SQNR, dB", { $0.sqnrDb })
  }

  // MARK: Scales

  private var front: [Point] {
    ParetoFront.indices(points.map { (cost: $0.x, gain: $0.y) }).map { points[$0] }
  }

  /// x on a logarithmic scale and y, both 0…1 inside the plot.
  private func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    func share(_ value: Double, _ all: [Double]) -> Double {
      let (low, high) = (all.min() ?? 0, all.max() ?? 1)
      let margin = Swift.max((high - low) * 0.08, 1e-6)
      return (value - low + margin) / (high - low + 2 * margin)
    }
    let heights = points.flatMap { [$0.y, $0.interval?.lowerBound ?? $0.y, $0.interval?.upperBound ?? $0.y] }
    return (share(log(x), points.map { log($0.x) }), share(y, heights))
  }

  private var xRange: (Double, Double) { (points.map(\.x).min() ?? 0, points.map(\.x).max() ?? 0) }
  private var yRange: (Double, Double) { (points.map(\.y).min() ?? 0, points.map(\.y).max() ?? 0) }

  // MARK: SVG

  /// Colours come from the page: `currentColor` and the classes `front` and `mark`.
  var svg: String {
    let (left, top, width, height) = (60.0, 14.0, 560.0, 260.0)
    func at(_ x: Double, _ y: Double) -> (x: String, y: String) {
      let share = place(x, y)
      return (
        String(format: "%.1f", left + share.x * width), String(format: "%.1f", top + (1 - share.y) * height)
      )
    }
    var parts = [
      "<svg viewBox=\"0 0 640 320\" role=\"img\" aria-label=\"\(HTML.escaped("\(yTitle) over \(xTitle)"))\">",
      "<rect class=\"frame\" x=\"\(left)\" y=\"\(top)\" width=\"\(width)\" height=\"\(height)\"/>",
    ]
    let line = front.map { point in
      let spot = at(point.x, point.y)
      return "\(spot.x),\(spot.y)"
    }
    parts.append("<polyline class=\"front\" points=\"\(line.joined(separator: " "))\"/>")
    for point in points {
      let spot = at(point.x, point.y)
      if let interval = point.interval {
        let (low, high) = (at(point.x, interval.lowerBound), at(point.x, interval.upperBound))
        parts.append("<path class=\"interval\" d=\"M\(spot.x) \(low.y)V\(high.y)\"/>")
      }
      let figures = String(format: "%.4g, %.4g", point.x, point.y)
      parts.append(
        "<circle class=\"mark\" cx=\"\(spot.x)\" cy=\"\(spot.y)\" r=\"5\"><title>\(HTML.escaped(point.name)): \(figures)</title></circle>"
      )
      parts.append("<text x=\"\(spot.x)\" y=\"\(spot.y)\" dx=\"8\" dy=\"-6\">\(point.letter)</text>")
    }
    func text(_ content: String, _ x: Double, _ y: Double, _ anchor: String, _ more: String = "") -> String {
      "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\"\(more)>\(HTML.escaped(content))</text>"
    }
    let (x, y) = (xRange, yRange)
    parts += [
      text(String(format: "%.4g", x.0), left, 292, "start"),
      text("\(xTitle) (logarithmic)", left + width / 2, 310, "middle"),
      text(String(format: "%.4g", x.1), left + width, 292, "end"),
      text(String(format: "%.4g", y.1), left - 6, top + 12, "end"),
      text(String(format: "%.4g", y.0), left - 6, top + height, "end"),
      text(yTitle, 14, top + height / 2, "middle", " transform=\"rotate(-90 14 \(top + height / 2))\""),
      "</svg>",
    ]
    return parts.joined(separator: "\n")
  }

  // MARK: Text

  /// The same in a box of characters; those of one place share a cell, the first is shown.
  var text: String {
    let (columns, rows) = (60, 14)
    var cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    for point in points.reversed() {
      let share = place(point.x, point.y)
      let column = Swift.min(Int(share.x * Double(columns)), columns - 1)
      let row = Swift.min(Int((1 - share.y) * Double(rows)), rows - 1)
      cells[row][column] = point.letter
    }
    let (x, y) = (xRange, yRange)
    let best = Set(front.map(\.letter))
    let box = cells.map { "|" + $0.joined() + "|" }
    let edge = "+" + String(repeating: "-", count: columns) + "+"
    let legend = points.map { point in
      "\(point.letter)\(best.contains(point.letter) ? "*" : " ") \(point.name): "
        + String(format: "%.4g, %.4g", point.x, point.y)
    }
    return
      ([
        "\(yTitle): " + String(format: "%.4g … %.4g", y.0, y.1) + "   \(xTitle), logarithmic: "
          + String(format: "%.4g … %.4g", x.0, x.1), edge,
      ] + box + [edge] + legend + ["* nothing measured is better in both"]).joined(separator: "\n")
  }
}
