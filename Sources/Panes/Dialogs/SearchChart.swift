import Analysis
import Foundation
import Interface
import Workbench

/// The front of a search with the budget line, and the point that is best within the budget, in words.
struct SearchChart {
  let front: SearchFront
  /// A share of what float32 takes.
  let budget: Double
  /// Figures need not hold any more.
  private let isStale: Bool

  /// Keys that take the budget from one end of the front to the other.
  private static let steps = 48.0

  /// - Parameter wanted: the budget as it was moved; `nil` for the chosen point's, else the bound, else the middle.
  init(_ front: SearchFront, budget wanted: Double?, isStale: Bool) {
    self.front = front
    self.isStale = isStale
    let shares = front.points.map(front.share).filter { $0 > 0 }
    let (least, most) = (shares.first ?? 1, shares.last ?? 1)
    let middle = (least * most).squareRoot()
    let start = front.points.first(where: \.isChosen).map(front.share) ?? front.budget ?? middle
    budget = Swift.min(Swift.max(wanted ?? start, least), most)
  }

  /// The budget some steps to the right.
  func moved(_ by: Int) -> Double {
    let shares = front.points.map(front.share).filter { $0 > 0 }
    guard let least = shares.first, let most = shares.last, most > least else { return budget }
    let factor = pow(most / least, Double(by) / Self.steps)
    return Swift.min(Swift.max(budget * factor, least), most)
  }

  var selected: SearchFront.Point? { front.best(within: budget).map { front.points[$0] } }

  private var unit: String { front.overTime ? "time over float32's" : "KiB" }
  private var cost: String { front.hasClasses ? "KL to float32" : "noise over signal" }

  /// What the axes are.
  var title: String { "\(cost) over \(unit), both logarithmic" }

  private func x(_ share: Double) -> Double {
    front.overTime ? share : share * Double(front.floatBytes) / 1024
  }

  private func position(_ point: SearchFront.Point) -> Chart.Position? {
    let cost = front.cost(point)
    return cost > 0 ? Chart.Position(x(front.share(point)), cost) : nil
  }

  func draw(on canvas: inout Canvas, in area: Rect) {
    let predicted = front.points.filter { $0.distance == nil }.compactMap(position)
    var marks: [Chart.Mark] = []
    for point in front.points where point.distance != nil {
      guard let place = position(point) else { continue }
      marks.append(
        point.isChosen
          ? Chart.Mark(at: place, symbol: "◆", .good) : Chart.Mark(at: place, symbol: "●", .info))
    }
    let heights = (predicted + marks.map(\.at)).map(\.y)
    guard let low = heights.min(), let high = heights.max() else { return }
    if let selected, let place = position(selected) {
      marks.append(Chart.Mark(at: place, symbol: selected.distance == nil ? "☆" : "★", .key))
    }
    Chart(
      x: Chart.Axis(.log), y: Chart.Axis(.log),
      curves: [
        Chart.Curve(predicted, .muted),
        Chart.Curve([Chart.Position(x(budget), low), Chart.Position(x(budget), high)], .key),
      ], marks: marks
    ).draw(on: &canvas, in: area)
  }

  /// The budget, and the point that is best within it.
  func rows(width: Int) -> [[Run]] {
    let amount =
      front.overTime
      ? "\(Numbers.fixed(budget, 2)) of float32's time"
      : "\(Numbers.bytes(Int(budget * Double(front.floatBytes)))), \(Numbers.ratio(1 / budget)) smaller"
    guard let point = selected else { return [[Run("budget \(amount)", .key)]] }
    let style: Style = point.distance == nil || isStale ? .stale : .text
    let mark = point.distance == nil || isStale ? "~" : "★"
    return [[Run("budget \(amount)", .key)]]
      + Fitting.wrap("\(mark) \(sentence(point))", to: width).map { [Run($0, style)] }
  }

  private func sentence(_ point: SearchFront.Point) -> String {
    let guess = point.distance == nil || isStale ? "~" : ""
    var parts = [
      "\(point.layersText): \(Numbers.bytes(point.bytes))",
      "\(Numbers.ratio(Double(front.floatBytes) / Double(Swift.max(point.bytes, 1)))) smaller",
    ]
    if let ratio = point.latencyRatio {
      parts.append("\(point.isTimed && !isStale ? "" : "~")\(Numbers.fixed(ratio, 2)) of float32's time")
    }
    let unit = front.hasClasses ? "KL" : "noise/signal"
    parts.append("\(unit) \(guess)\(Numbers.significant(front.cost(point), 2))")
    if let measured = point.measured {
      if let agreement = measured.agreement {
        parts.append("agrees on \(isStale ? "~" : "")\(Numbers.percent(agreement)) %")
      }
    } else {
      parts.append("predicted")
    }
    return parts.joined(separator: ", ")
  }
}
