/// Points and curves over two axes.
package struct Chart: Sendable {
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

  /// How far a figure may be off: a thin line with ends.
  package struct Whisker: Hashable, Sendable {
    package var at: Position
    /// Across, upward, or both.
    package var x: ClosedRange<Double>?
    package var y: ClosedRange<Double>?
    package var style: Style

    package init(
      at position: Position, x: ClosedRange<Double>? = nil, y: ClosedRange<Double>? = nil,
      _ style: Style = .muted
    ) {
      at = position
      self.x = x
      self.y = y
      self.style = style
    }
  }

  /// A dashed line across the plot to compare with, which is not taken for a curve.
  package struct Rule: Hashable, Sendable {
    package var y: Double
    package var style: Style

    package init(y: Double, _ style: Style = .muted) {
      self.y = y
      self.style = style
    }
  }

  /// Words at a place, for a curve: on the place's row, to the right or left of it.
  package struct Note: Hashable, Sendable {
    package var at: Position
    package var text: String
    package var align: Alignment
    package var style: Style

    package init(at position: Position, _ text: String, align: Alignment = .left, _ style: Style = .muted) {
      at = position
      self.text = text
      self.align = align
      self.style = style
    }
  }

  package var x: Axis
  package var y: Axis
  /// Below everything else.
  package var rules: [Rule]
  package var curves: [Curve]
  package var whiskers: [Whisker]
  /// One that meets an earlier one, or has no room, is not drawn.
  package var notes: [Note] = []
  /// Later ones lie over earlier ones.
  package var marks: [Mark]

  package init(
    x: Axis = Axis(), y: Axis = Axis(), rules: [Rule] = [], curves: [Curve] = [], whiskers: [Whisker] = [],
    marks: [Mark] = []
  ) {
    self.x = x
    self.y = y
    self.rules = rules
    self.curves = curves
    self.whiskers = whiskers
    self.marks = marks
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    guard !area.isEmpty else { return }
    let frame = frame(in: area)
    canvas.clipped(to: area) { canvas in
      drawAxes(on: &canvas, in: area, frame)
      guard !frame.plot.isEmpty else { return }
      for rule in rules {
        guard let row = frame.row(of: rule.y) else { continue }
        canvas.horizontalLine(x: frame.plot.x, y: row, length: frame.plot.width, rule.style, with: "╌")
      }
      drawCurves(on: &canvas, frame)
      for whisker in whiskers { draw(whisker, on: &canvas, frame) }
      drawNotes(on: &canvas, frame)
      drawMarks(on: &canvas, frame)
      if canvas.glyphs.plot == .ascii { canvas.plain(area) }
    }
  }

  /// Where positions come to lie when the chart is drawn.
  package struct Frame: Sendable {
    /// The cells between the axes.
    package let plot: Rect
    package let across: Reach
    package let upward: Reach

    /// The row of a value; `nil` outside of the axis.
    func row(of y: Double) -> Int? {
      upward.place(y).map { plot.maxY - 1 - Int(($0 * Double(plot.height - 1)).rounded()) }
    }

    /// The cell of a position; `nil` outside of the axes.
    package func cell(of position: Position) -> Point? {
      guard let x = across.place(position.x), let row = row(of: position.y), !plot.isEmpty else { return nil }
      return Point(x: plot.x + Int((x * Double(plot.width - 1)).rounded()), y: row)
    }

    /// The position in the middle of a cell.
    package func position(of cell: Point) -> Position {
      Position(
        across.value(at: Double(cell.x - plot.x) / Double(max(plot.width - 1, 1))),
        upward.value(at: Double(plot.maxY - 1 - cell.y) / Double(max(plot.height - 1, 1))))
    }
  }

  package func frame(in area: Rect) -> Frame {
    let positions = marks.map(\.at) + curves.flatMap(\.points)
    let across = Reach(x, over: positions.map(\.x))
    let upward = Reach(y, over: positions.map(\.y) + rules.map(\.y))
    guard hasAxes(area) else { return Frame(plot: area, across: across, upward: upward) }
    let gutter = labels(upward, in: area).gutter
    return Frame(plot: area.inset(left: gutter + 1, bottom: 2), across: across, upward: upward)
  }

  // MARK: parts

  private func hasAxes(_ area: Rect) -> Bool { area.width >= 14 && area.height >= 5 }

  /// The values beside the upward axis, their texts, and the columns these take.
  private func labels(_ upward: Reach, in area: Rect) -> (values: [Double], texts: [String], gutter: Int) {
    let (values, step) = upward.ticks(max(2, (area.height - 2) / 2))
    let texts = values.map { y.label($0, step) }
    return (values, texts, min((texts.map(CharacterWidth.of).max() ?? 0) + 1, area.width / 3))
  }

  /// Draws both axes where there is room for them.
  private func drawAxes(on canvas: inout Canvas, in area: Rect, _ frame: Frame) {
    guard hasAxes(area) else { return }
    let (plot, across) = (frame.plot, frame.across)
    let (values, texts, gutter) = labels(frame.upward, in: area)
    canvas.verticalLine(x: plot.x - 1, y: plot.y, length: plot.height)
    canvas.put("└", x: plot.x - 1, y: plot.maxY, .border)
    canvas.horizontalLine(x: plot.x, y: plot.maxY, length: plot.width)
    for (value, label) in zip(values, texts) {
      guard let row = frame.row(of: value) else { continue }
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
  }

  private func drawCurves(on canvas: inout Canvas, _ frame: Frame) {
    let plot = frame.plot
    var grid = PlotGrid(canvas.glyphs.plot, width: plot.width, height: plot.height)
    func dot(_ place: (x: Double, y: Double)) -> Point {
      Point(
        x: Int((place.x * Double(grid.dotWidth - 1)).rounded()),
        y: grid.dotHeight - 1 - Int((place.y * Double(grid.dotHeight - 1)).rounded()))
    }
    for curve in curves {
      var last: (x: Double, y: Double)?
      for position in curve.points {
        // A place that an axis does not have lifts the pen.
        guard let x = frame.across.fraction(position.x), let y = frame.upward.fraction(position.y) else {
          last = nil
          continue
        }
        if let seen = Reach.clip(from: last ?? (x, y), to: (x, y)) {
          grid.line(from: dot(seen.from), to: dot(seen.to), curve.style)
        }
        last = (x, y)
      }
    }
    grid.draw(on: &canvas, at: Point(x: plot.x, y: plot.y))
  }

  private func draw(_ whisker: Whisker, on canvas: inout Canvas, _ frame: Frame) {
    /// The ends of a range as cells along an axis, and whether each is in sight.
    func span(_ range: ClosedRange<Double>, _ reach: Reach, _ length: Int) -> [(cell: Int, isSeen: Bool)]? {
      guard let low = reach.fraction(range.lowerBound), let high = reach.fraction(range.upperBound),
        high >= 0, low <= 1
      else { return nil }
      return [low, high].map { end in
        (Int((min(max(end, 0), 1) * Double(length - 1)).rounded()), (0...1).contains(end))
      }
    }
    let plot = frame.plot
    if let range = whisker.y, let x = frame.across.place(whisker.at.x),
      let ends = span(range, frame.upward, plot.height), ends[0].cell < ends[1].cell
    {
      let column = plot.x + Int((x * Double(plot.width - 1)).rounded())
      let (bottom, top) = (plot.maxY - 1 - ends[0].cell, plot.maxY - 1 - ends[1].cell)
      canvas.verticalLine(x: column, y: top, length: bottom - top + 1, whisker.style)
      if ends[1].isSeen { canvas.put("┬", x: column, y: top, whisker.style) }
      if ends[0].isSeen { canvas.put("┴", x: column, y: bottom, whisker.style) }
    }
    if let range = whisker.x, let row = frame.row(of: whisker.at.y),
      let ends = span(range, frame.across, plot.width), ends[0].cell < ends[1].cell
    {
      let (left, right) = (plot.x + ends[0].cell, plot.x + ends[1].cell)
      canvas.horizontalLine(x: left, y: row, length: right - left + 1, whisker.style)
      if ends[0].isSeen { canvas.put("├", x: left, y: row, whisker.style) }
      if ends[1].isSeen { canvas.put("┤", x: right, y: row, whisker.style) }
    }
  }

  private func drawNotes(on canvas: inout Canvas, _ frame: Frame) {
    var taken: [Rect] = []
    for note in notes {
      guard let cell = frame.cell(of: note.at) else { continue }
      let width = CharacterWidth.of(note.text)
      let start = note.align == .right ? cell.x - width + 1 : cell.x
      let place = Rect(x: start, y: cell.y, width: width, height: 1)
      guard frame.plot.intersection(place) == place, taken.allSatisfy({ $0.intersection(place).isEmpty })
      else { continue }
      canvas.put(note.text, x: place.x, y: place.y, note.style)
      taken.append(place)
    }
  }

  private func drawMarks(on canvas: inout Canvas, _ frame: Frame) {
    let plot = frame.plot
    var taken: Set<Point> = []
    let placed = marks.compactMap { mark in frame.cell(of: mark.at).map { (mark, $0) } }
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
