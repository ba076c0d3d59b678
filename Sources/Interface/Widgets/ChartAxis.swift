import Foundation

extension Chart {
  package enum Scale: Hashable, Sendable { case linear, log }

  package struct Axis: Sendable {
    package var scale: Scale
    /// What the axis covers; `nil` is what there is to show and a little more.
    package var range: ClosedRange<Double>?
    /// Makes the text at a tick from its value and the distance of ticks.
    package var label: @Sendable (_ value: Double, _ step: Double) -> String

    package init(
      _ scale: Scale = .linear, range: ClosedRange<Double>? = nil,
      label: @escaping @Sendable (Double, Double) -> String = { Ticks.label($0, step: $1) }
    ) {
      self.scale = scale
      self.range = range
      self.label = label
    }
  }

  /// What an axis covers, as the numbers that are laid out evenly.
  package struct Reach: Hashable, Sendable {
    package let isLog: Bool
    /// The ends, on a logarithmic axis as powers of ten.
    let low: Double
    let high: Double

    package init(_ axis: Axis, over values: [Double]) {
      isLog = axis.scale == .log
      func even(_ value: Double) -> Double? {
        let result = axis.scale == .log ? (value > 0 ? log10(value) : .nan) : value
        return result.isFinite ? result : nil
      }
      if let range = axis.range, let low = even(range.lowerBound), let high = even(range.upperBound),
        low < high
      {
        (self.low, self.high) = (low, high)
        return
      }
      let seen = values.compactMap(even)
      let (least, most) = (seen.min() ?? 0, seen.max() ?? 1)
      let margin = most > least ? (most - least) * 0.05 : max(abs(most) * 0.05, isLog ? 0.05 : 1e-3)
      (low, high) = (least - margin, most + margin)
    }

    private init(isLog: Bool, low: Double, high: Double) {
      self.isLog = isLog
      self.low = low
      self.high = high
    }

    /// 0 at the low end, 1 at the high end, beyond them outside; `nil` for what the axis cannot have.
    package func fraction(_ value: Double) -> Double? {
      let even = isLog ? (value > 0 ? log10(value) : .nan) : value
      let fraction = (even - low) / (high - low)
      return fraction.isFinite ? fraction : nil
    }

    /// The same inside; `nil` outside.
    package func place(_ value: Double) -> Double? {
      fraction(value).flatMap { $0 >= -1e-9 && $0 <= 1 + 1e-9 ? min(max($0, 0), 1) : nil }
    }

    /// The value at a fraction.
    package func value(at fraction: Double) -> Double {
      let even = low + fraction * (high - low)
      return isLog ? pow(10, even) : even
    }

    package var range: ClosedRange<Double> { isLog ? pow(10, low)...pow(10, high) : low...high }

    /// How many times smaller than another one this is.
    package func magnification(in whole: Reach) -> Double { (whole.high - whole.low) / (high - low) }

    /// `factor` times as long around a value that keeps its place, inside another one and never a thousandth of it.
    package func scaled(by factor: Double, around value: Double, inside whole: Reach) -> Reach {
      let most = whole.high - whole.low
      let length = min(max((high - low) * factor, most / 1000), most)
      let kept = min(max(fraction(value) ?? 0.5, 0), 1)
      let start = low + kept * (high - low) - kept * length
      return Reach(isLog: isLog, low: start, high: start + length).kept(inside: whole)
    }

    /// Moved by a share of its length, inside another one.
    package func moved(by share: Double, inside whole: Reach) -> Reach {
      let distance = share * (high - low)
      return Reach(isLog: isLog, low: low + distance, high: high + distance).kept(inside: whole)
    }

    /// Moved so that a value is in sight; as it is where it is already.
    package func showing(_ value: Double, inside whole: Reach) -> Reach {
      guard place(value) == nil, let fraction = fraction(value) else { return self }
      return moved(by: fraction - 0.5, inside: whole)
    }

    private func kept(inside whole: Reach) -> Reach {
      let length = min(high - low, whole.high - whole.low)
      let start = min(max(low, whole.low), whole.high - length)
      return Reach(isLog: isLog, low: start, high: start + length)
    }

    /// The part of a line inside the unit square (Liang and Barsky); `nil` where none is.
    static func clip(from a: (x: Double, y: Double), to b: (x: Double, y: Double)) -> (
      from: (x: Double, y: Double), to: (x: Double, y: Double)
    )? {
      var (enter, leave) = (0.0, 1.0)
      let (dx, dy) = (b.x - a.x, b.y - a.y)
      // A hair beyond the edge is on it.
      let edge = 1e-9
      for (step, room) in [
        (-dx, a.x + edge), (dx, 1 + edge - a.x), (-dy, a.y + edge), (dy, 1 + edge - a.y),
      ] {
        if step == 0 {
          if room < 0 { return nil }
        } else if step < 0 {
          enter = max(enter, room / step)
        } else {
          leave = min(leave, room / step)
        }
      }
      guard enter <= leave else { return nil }
      func at(_ t: Double) -> (x: Double, y: Double) {
        (min(max(a.x + t * dx, 0), 1), min(max(a.y + t * dy, 0), 1))
      }
      return (at(enter), at(leave))
    }

    func ticks(_ count: Int) -> (values: [Double], step: Double) {
      let even = Ticks.linear(range, count: count)
      guard isLog else { return even }
      let values = Ticks.logarithmic(range, count: count)
      return (values, values == even.values ? even.step : min(1, values.first ?? 1))
    }
  }
}
