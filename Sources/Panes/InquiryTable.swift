import Interface

/// A table of what a job found, a line above it and, below, the row at the cursor in words.
protocol InquiryTable {
  var table: Table { get }
  var scroll: Scroll { get }
  /// The part of the pane that the table takes.
  func area(in area: Rect) -> Rect
  /// What stands where there are no rows.
  var emptiness: String { get }
  func header(width: Int) -> [Run]
  func isMarked(_ row: Int, _ marked: Set<String>) -> Bool
  /// What gives a cell, from row, column and the column's width.
  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run]
  func sentences(_ row: Int, width: Int) -> [String]
}

extension InquiryTable {
  func draw(on canvas: inout Canvas, in area: Rect, marked: Set<String>) {
    let table = table
    guard table.rowCount > 0 else {
      for (row, line) in Fitting.wrap(emptiness, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
      return
    }
    canvas.put(header(width: area.width), x: area.x, y: area.y, width: area.width)
    let inside = self.area(in: area)
    let slots = table.slots(width: inside.width)
    let cells = cells()
    table.draw(on: &canvas, in: inside, isMarked: { isMarked($0, marked) }) { row, column in
      cells(row, column, slots.first { $0.column == column }?.width ?? 0)
    }
    let cursor = scroll.settled(count: table.rowCount, visible: inside.height - 1).cursor
    for (row, line) in sentences(cursor, width: area.width).enumerated() where inside.maxY + row < area.maxY {
      canvas.put(line, x: area.x, y: inside.maxY + row, width: area.width, .info)
    }
  }
}
