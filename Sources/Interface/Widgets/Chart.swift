import Foundation

/// Points and curves over two axes.
package struct Chart: Sendable {
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

  package struct Position: Hashable, Sendable {
    package var x: Double
    package var y: Double

    package init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }

  package struct Mark: Hashable, Sendable {
    package var at: Position
    package var symbol: Character
    /// Beside the symbol, where there is room.
    package var label: String
    package var style: Style

    package init(at position: Position, symbol: Character = "●", label: String = "", _ style: Style = .text) {
      at = position
      self.symbol = symbol
      self.label = label
      self.style = style
    }
  }

  package struct Curve: Hashable, Sendable {
    package var points: [Position]
    package var style: Style

    package init(_ points: [Position], _ style: Style = .muted) {
      self.points = points
      self.style = style
    }
  }

  package var x: Axis
  package var y: Axis
  package var curves: [Curve]
  /// Later ones lie over earlier ones.
  package var marks: [Mark]

  package init(x: Axis = Axis(), y: Axis = Axis(), curves: [Curve] = [], marks: [Mark] = []) {
    self.x = x
    self.y = y
    self.curves = curves
    self.marks = marks
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    guard !area.isEmpty else { return }
    canvas.clipped(to: area) { canvas in
      let positions = marks.map(\.at) + curves.flatMap(\.points)
      let across = Reach(x, over: positions.map(\.x))
      let upward = Reach(y, over: positions.map(\.y))
      let plot = drawAxes(on: &canvas, in: area, across, upward)
      guard !plot.isEmpty else { return }
      drawCurves(on: &canvas, in: plot, across, upward)
      drawMarks(on: &canvas, in: plot, across, upward)
    }
  }

  // MARK: parts

  /// What an axis covers, as the numbers that are laid out evenly.
  private struct Reach {
    let isLog: Bool
    let low: Double
    let high: Double

    init(_ axis: Axis, over values: [Double]) {
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

    /// 0 at the low end, 1 at the high end; `nil` where the axis has no place for it.
    func place(_ value: Double) -> Double? {
      let even = isLog ? (value > 0 ? log10(value) : .nan) : value
      let place = (even - low) / (high - low)
      return place.isFinite && place >= -1e-9 && place <= 1 + 1e-9 ? min(max(place, 0), 1) : nil
    }

    var range: ClosedRange<Double> { isLog ? pow(10, low)...pow(10, high) : low...high }

    func ticks(_ count: Int) -> (values: [Double], step: Double) {
      let even = Ticks.linear(range, count: count)
      guard isLog else { return even }
      let values = Ticks.logarithmic(range, count: count)
      return (values, values == even.values ? even.step : min(1, values.first ?? 1))
    }
  }

  /// Draws both axes where there is room for them; returns what is left.
  private func drawAxes(on canvas: inout Canvas, in area: Rect, _ across: Reach, _ upward: Reach) -> Rect {
    guard area.width >= 14, area.height >= 5 else { return area }
    let (values, step) = upward.ticks(max(2, (area.height - 2) / 2))
    let labels = values.map { y.label($0, step) }
    let gutter = min((labels.map(CharacterWidth.of).max() ?? 0) + 1, area.width / 3)
    let plot = area.inset(left: gutter + 1, bottom: 2)
    canvas.verticalLine(x: plot.x - 1, y: plot.y, length: plot.height)
    canvas.put("└", x: plot.x - 1, y: plot.maxY, .border)
    canvas.horizontalLine(x: plot.x, y: plot.maxY, length: plot.width)
    for (value, label) in zip(values, labels) {
      guard let place = upward.place(value) else { continue }
      let row = plot.maxY - 1 - Int((place * Double(plot.height - 1)).rounded())
      canvas.put(label, x: area.x, y: row, width: gutter - 1, .muted, align: .right)
      canvas.put("┤", x: plot.x - 1, y: row, .border)
    }
    let (xs, distance) = across.ticks(max(1, plot.width / 8))
    var free = area.x
    for value in xs {
      guard let place = across.place(value) else { continue }
      let label = x.label(value, distance)
      let width = CharacterWidth.of(label)
      let column = plot.x + Int((place * Double(plot.width - 1)).rounded())
      canvas.put("┴", x: column, y: plot.maxY, .border)
      let start = min(column - width / 2, area.maxX - width)
      guard start >= free else { continue }
      canvas.put(label, x: start, y: plot.maxY + 1, .muted)
      free = start + width + 1
    }
    return plot
  }

  private func drawCurves(on canvas: inout Canvas, in plot: Rect, _ across: Reach, _ upward: Reach) {
    var grid = PlotGrid(canvas.glyphs.plot, width: plot.width, height: plot.height)
    for curve in curves {
      var last: Point?
      for position in curve.points {
        guard let x = across.place(position.x), let y = upward.place(position.y) else {
          last = nil
          continue
        }
        let point = Point(
          x: Int((x * Double(grid.dotWidth - 1)).rounded()),
          y: grid.dotHeight - 1 - Int((y * Double(grid.dotHeight - 1)).rounded()))
        grid.line(from: last ?? point, to: point, curve.style)
        last = point
      }
    }
    grid.draw(on: &canvas, at: Point(x: plot.x, y: plot.y))
  }

  private func drawMarks(on canvas: inout Canvas, in plot: Rect, _ across: Reach, _ upward: Reach) {
    var taken: Set<Point> = []
    let placed = marks.compactMap { mark -> (Mark, Point)? in
      guard let x = across.place(mark.at.x), let y = upward.place(mark.at.y) else { return nil }
      let point = Point(
        x: plot.x + Int((x * Double(plot.width - 1)).rounded()),
        y: plot.maxY - 1 - Int((y * Double(plot.height - 1)).rounded()))
      return (mark, point)
    }
    for (mark, point) in placed {
      canvas.put(mark.symbol, at: point, mark.style)
      taken.insert(point)
    }
    for (mark, point) in placed where !mark.label.isEmpty {
      let width = CharacterWidth.of(mark.label)
      let places = [(1, 0), (-width, 0), (1, -1), (-width, -1), (1, 1), (-width, 1)]
      for (dx, dy) in places {
        let start = Point(x: point.x + dx, y: point.y + dy)
        let cells = (0..<width).map { Point(x: start.x + $0, y: start.y) }
        guard cells.allSatisfy({ plot.contains($0) && !taken.contains($0) }) else { continue }
        canvas.put(mark.label, x: start.x, y: start.y, mark.style)
        taken.formUnion(cells)
        break
      }
    }
  }
}
