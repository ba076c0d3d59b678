import Foundation

/// Counts as upright bars, with the grid of a quantizer and what it cuts off drawn over them.
package struct HistogramChart: Sendable {
  package enum Scale: Hashable, Sendable { case linear, log }

  /// How often values fell into equal parts of `range`.
  package var counts: [Double]
  package var range: ClosedRange<Double>
  /// The values that codes stand for; drawn where they are far enough apart to be told apart.
  package var grid: [Double]
  /// What lies outside is cut off: its ends are marked ▲ and the bars outside are in the colour of warnings.
  package var clip: ClosedRange<Double>?
  package var scale: Scale
  package var label: @Sendable (Double) -> String

  package init(
    counts: [Double], range: ClosedRange<Double>, grid: [Double] = [], clip: ClosedRange<Double>? = nil,
    scale: Scale = .linear, label: @escaping @Sendable (Double) -> String = { Numbers.significant($0, 2) }
  ) {
    self.counts = counts
    self.range = range
    self.grid = grid
    self.clip = clip
    self.scale = scale
    self.label = label
  }

  /// The counts spread evenly over another number of parts; their sum stays the same.
  package static func resample(_ counts: [Double], to parts: Int) -> [Double] {
    guard parts > 0, !counts.isEmpty else { return [] }
    var result = [Double](repeating: 0, count: parts)
    let ratio = Double(parts) / Double(counts.count)
    for (index, count) in counts.enumerated() where count > 0 && count.isFinite {
      let (from, to) = (Double(index) * ratio, Double(index + 1) * ratio)
      var part = min(parts - 1, Int(from))
      while part < parts && Double(part) < to {
        let overlap = min(to, Double(part + 1)) - max(from, Double(part))
        if overlap > 0 { result[part] += count * overlap / ratio }
        part += 1
      }
    }
    return result
  }

  package func draw(on canvas: inout Canvas, in area: Rect) {
    guard !area.isEmpty else { return }
    canvas.clipped(to: area) { canvas in
      let bars = area.inset(bottom: area.height >= 4 ? 2 : area.height >= 2 ? 1 : 0)
      drawBars(on: &canvas, in: bars)
      if bars.height < area.height { drawAxis(on: &canvas, in: area.row(bars.height)) }
      if bars.height + 1 < area.height { drawLabels(on: &canvas, in: area.row(bars.height + 1)) }
      if canvas.glyphs.plot == .ascii { canvas.plain(area) }
    }
  }

  /// The column of a value; `nil` outside of the range.
  private func column(_ value: Double, in area: Rect) -> Int? {
    let length = range.upperBound - range.lowerBound
    guard length > 0, value >= range.lowerBound, value <= range.upperBound else { return nil }
    return area.x + min(area.width - 1, Int((value - range.lowerBound) / length * Double(area.width)))
  }

  private func gridColumns(in area: Rect) -> Set<Int> {
    let columns = Set(grid.compactMap { column($0, in: area) })
    return columns.count * 3 <= area.width ? columns : []
  }

  private func drawBars(on canvas: inout Canvas, in area: Rect) {
    let isFine = canvas.glyphs.plot == .braille
    let fractions = fractions(isFine ? area.width * 2 : area.width)
    let gridColumns = gridColumns(in: area)
    for x in 0..<area.width {
      for y in area.y..<area.maxY where gridColumns.contains(area.x + x) {
        canvas.put("┊", at: Point(x: area.x + x, y: y), .border)
      }
    }
    if isFine { return drawDots(on: &canvas, in: area, fractions) }
    for (x, fraction) in fractions.enumerated() {
      let style = style(x, of: area.width, fraction)
      for row in 0..<area.height {
        let block = Bars.vertical(fraction, row: row, height: area.height)
        if block != " " {
          canvas.put(block, at: Point(x: area.x + x, y: area.maxY - 1 - row), style)
        }
      }
    }
  }

  /// Heights of that many bars, the highest 1.
  private func fractions(_ bars: Int) -> [Double] {
    var heights = HistogramChart.resample(counts, to: bars)
    // From one count on, so that a single value shows beside millions.
    if scale == .log { heights = heights.map { log(1 + max($0, 0)) } }
    let top = max(heights.max() ?? 0, .leastNormalMagnitude)
    return heights.map { $0 / top }
  }

  private func style(_ bar: Int, of bars: Int, _ fraction: Double) -> Style {
    let length = range.upperBound - range.lowerBound
    let middle = range.lowerBound + (Double(bar) + 0.5) * length / Double(max(1, bars))
    return clip.map { $0.contains(middle) } ?? true ? Style.gradient(.histogram, fraction) : .warn
  }

  /// Two bars a cell, four steps a row.
  private func drawDots(on canvas: inout Canvas, in area: Rect, _ fractions: [Double]) {
    var grid = PlotGrid(.braille, width: area.width, height: area.height)
    for (x, fraction) in fractions.enumerated() where fraction > 0 {
      let height = max(1, Int((fraction * Double(grid.dotHeight)).rounded()))
      let style = style(x, of: fractions.count, fraction)
      for dot in 0..<height { grid.set(x: x, y: grid.dotHeight - 1 - dot, style) }
    }
    grid.draw(on: &canvas, at: Point(x: area.x, y: area.y))
  }

  private func drawAxis(on canvas: inout Canvas, in row: Rect) {
    canvas.horizontalLine(x: row.x, y: row.y, length: row.width)
    for x in gridColumns(in: row) { canvas.put("┴", x: x, y: row.y, .border) }
    guard let clip else { return }
    for end in [clip.lowerBound, clip.upperBound] {
      if let x = column(end, in: row) { canvas.put("▲", x: x, y: row.y, Style.warn.bold) }
    }
  }

  /// The ends, and zero where it is inside and there is room.
  private func drawLabels(on canvas: inout Canvas, in row: Rect) {
    let (low, high) = (label(range.lowerBound), label(range.upperBound))
    let ends = CharacterWidth.of(low) + CharacterWidth.of(high)
    guard ends + 1 <= row.width else { return canvas.put(low, x: row.x, y: row.y, width: row.width, .muted) }
    canvas.put(low, x: row.x, y: row.y, .muted)
    canvas.put(high, x: row.maxX - CharacterWidth.of(high), y: row.y, .muted)
    guard range.lowerBound < 0, range.upperBound > 0, let zero = column(0, in: row) else { return }
    let text = label(0)
    let start = zero - CharacterWidth.of(text) / 2
    if start > row.x + CharacterWidth.of(low),
      start + CharacterWidth.of(text) < row.maxX - CharacterWidth.of(high)
    {
      canvas.put(text, x: start, y: row.y, .muted)
    }
  }
}
