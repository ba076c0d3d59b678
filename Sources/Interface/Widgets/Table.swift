/// One column of a table.
package struct Column: Hashable, Sendable {
  package var title: String
  package var align: Alignment
  /// Columns of the screen it needs at least.
  package var minimum: Int
  /// How wide it may grow.
  package var maximum: Int
  /// Its part of the room that is left, relative to the other columns'.
  package var growth: Int
  /// When room is short the column with the highest number goes first; 0 never goes.
  package var dropOrder: Int

  package init(
    _ title: String, align: Alignment = .left, minimum: Int, maximum: Int? = nil, growth: Int = 1,
    dropOrder: Int = 0
  ) {
    self.title = title
    self.align = align
    self.minimum = max(1, minimum)
    self.maximum = max(maximum ?? minimum, minimum)
    self.growth = maximum == nil ? 0 : max(0, growth)
    self.dropOrder = dropOrder
  }
}

/// Rows and columns with a header, a cursor and marks.
///
/// When room is short either columns are dropped by their order, or, with `scrollsSideways`, all keep their width and
/// those after the fixed ones scroll.
package struct Table: Sendable {
  package var columns: [Column]
  package var rowCount: Int
  package var scroll: Scroll
  package var isFocused: Bool
  package var showsHeader: Bool
  /// The cursor row is highlighted.
  package var showsCursor: Bool
  /// Two columns before the first for the cursor ▸ and the mark ✱.
  package var showsGutter: Bool
  package var scrollsSideways: Bool
  /// Columns on the left that do not scroll sideways.
  package var fixedColumns: Int
  /// The first of the others that is seen.
  package var firstColumn: Int
  /// A column that is highlighted from top to bottom.
  package var cursorColumn: Int?
  package var sortColumn: Int?
  package var sortsDescending: Bool

  package init(
    columns: [Column], rowCount: Int, scroll: Scroll = Scroll(), isFocused: Bool = true,
    showsHeader: Bool = true,
    showsCursor: Bool = true, showsGutter: Bool = false, scrollsSideways: Bool = false, fixedColumns: Int = 1,
    firstColumn: Int = 0, cursorColumn: Int? = nil, sortColumn: Int? = nil, sortsDescending: Bool = false
  ) {
    self.columns = columns
    self.rowCount = rowCount
    self.scroll = scroll
    self.isFocused = isFocused
    self.showsHeader = showsHeader
    self.showsCursor = showsCursor
    self.showsGutter = showsGutter
    self.scrollsSideways = scrollsSideways
    self.fixedColumns = fixedColumns
    self.firstColumn = firstColumn
    self.cursorColumn = cursorColumn
    self.sortColumn = sortColumn
    self.sortsDescending = sortsDescending
  }

  /// Where a column is drawn, from the left of the table.
  package struct Slot: Hashable, Sendable {
    package var column: Int
    package var x: Int
    package var width: Int
  }

  private var gutter: Int { showsGutter ? 2 : 0 }
  private var headerHeight: Int { showsHeader ? 1 : 0 }

  /// The part of `area` that holds rows.
  package func body(of area: Rect) -> Rect { area.inset(top: headerHeight) }

  /// The columns that are seen in this width, from left to right.
  package func slots(width: Int) -> [Slot] {
    // One column at the edge is kept for the sign that there is more.
    var room = width - gutter - (scrollsSideways ? 1 : 0)
    let chosen = scrollsSideways ? columnsInWindow(room) : columnsKept(room)
    guard !chosen.isEmpty else { return [] }
    var widths = chosen.map { columns[$0].minimum }
    room -= widths.reduce(0, +) + chosen.count - 1
    // Room that is left goes to columns in proportion to their growth, until they are as wide as they may be.
    while room > 0 {
      let open = chosen.indices.filter {
        widths[$0] < columns[chosen[$0]].maximum && columns[chosen[$0]].growth > 0
      }
      let total = open.reduce(0) { $0 + columns[chosen[$1]].growth }
      guard total > 0 else { break }
      var given = 0
      for index in open {
        let column = columns[chosen[index]]
        let part = min(column.maximum - widths[index], max(1, room * column.growth / total), room - given)
        widths[index] += part
        given += part
      }
      room -= given
    }
    var x = gutter
    return zip(chosen, widths).map { column, columnWidth in
      defer { x += columnWidth + 1 }
      return Slot(column: column, x: x, width: max(0, min(columnWidth, width - x)))
    }
  }

  private func columnsKept(_ room: Int) -> [Int] {
    var kept = Array(columns.indices)
    while kept.reduce(-1, { $0 + columns[$1].minimum + 1 }) > room {
      guard
        let worst = kept.filter({ columns[$0].dropOrder > 0 }).max(by: {
          (columns[$0].dropOrder, $0) < (columns[$1].dropOrder, $1)
        })
      else { break }
      kept.removeAll { $0 == worst }
    }
    return kept
  }

  private func columnsInWindow(_ room: Int) -> [Int] {
    var chosen = Array(columns.indices.prefix(fixedColumns))
    var used = chosen.reduce(-1) { $0 + columns[$1].minimum + 1 }
    let start = min(max(fixedColumns + firstColumn, fixedColumns), max(fixedColumns, columns.count - 1))
    for index in columns.indices.dropFirst(start) {
      used += columns[index].minimum + 1
      if used > room { break }
      chosen.append(index)
    }
    return chosen
  }

  /// Draws header and rows in sight; `cell` is asked only for what is seen.
  package func draw(
    on canvas: inout Canvas, in area: Rect, isMarked: (Int) -> Bool = { _ in false },
    cell: (_ row: Int, _ column: Int) -> [Run]
  ) {
    let slots = slots(width: area.width)
    canvas.clipped(to: area) { canvas in
      if showsHeader { drawHeader(on: &canvas, in: area, slots) }
      let body = body(of: area)
      let scroll = scroll.settled(count: rowCount, visible: body.height)
      for row in scroll.offset..<max(scroll.offset, min(rowCount, scroll.offset + body.height)) {
        let y = body.y + row - scroll.offset
        let isCursor = showsCursor && row == scroll.cursor
        for slot in slots {
          canvas.put(
            cell(row, slot.column), x: area.x + slot.x, y: y, width: slot.width,
            align: columns[slot.column].align)
        }
        if isCursor {
          canvas.restyle(body.row(row - scroll.offset)) { isFocused ? $0.selected : $0.selectedIdle }
        }
        if showsGutter {
          let highlight: Attributes = isCursor ? (isFocused ? .selected : .selectedIdle) : []
          if isCursor { canvas.put("▸", x: area.x, y: y, Style.key.with(highlight)) }
          if isMarked(row) { canvas.put("✱", x: area.x + 1, y: y, Style.mark.with(highlight)) }
        }
      }
      if let slot = slots.first(where: { $0.column == cursorColumn }) {
        canvas.restyle(Rect(x: area.x + slot.x, y: area.y, width: slot.width, height: area.height)) {
          isFocused ? $0.selected : $0.selectedIdle
        }
      }
    }
  }

  private func drawHeader(on canvas: inout Canvas, in area: Rect, _ slots: [Slot]) {
    for slot in slots {
      let column = columns[slot.column]
      var title = [Run(column.title, .header)]
      if sortColumn == slot.column { title.append(Run(sortsDescending ? "▾" : "▴", .key)) }
      canvas.put(title, x: area.x + slot.x, y: area.y, width: slot.width, align: column.align)
    }
    guard scrollsSideways else { return }
    let seen = slots.filter { $0.column >= fixedColumns }
    if let first = seen.first, first.column > fixedColumns {
      canvas.put("‹", x: area.x + first.x - 1, y: area.y, .key)
    }
    if (seen.last?.column ?? fixedColumns - 1) < columns.count - 1 {
      canvas.put("›", x: area.maxX - 1, y: area.y, .key)
    }
  }

  /// The first column to show so that `column` is seen in this width, moving the window as little as possible.
  package func firstColumn(showing column: Int, width: Int) -> Int {
    guard column >= fixedColumns else { return firstColumn }
    var table = self
    if column - fixedColumns < firstColumn { return column - fixedColumns }
    while table.firstColumn < column - fixedColumns,
      !table.slots(width: width).contains(where: { $0.column == column })
    {
      table.firstColumn += 1
    }
    return table.firstColumn
  }

  /// The row under the pointer.
  package func row(at point: Point, in area: Rect) -> Int? {
    let body = body(of: area)
    guard body.contains(point) else { return nil }
    let row = scroll.settled(count: rowCount, visible: body.height).offset + point.y - body.y
    return row < rowCount ? row : nil
  }

  /// The column under the pointer, in the header as well as below it.
  package func column(at point: Point, in area: Rect) -> Int? {
    guard area.contains(point) else { return nil }
    return slots(width: area.width).first { (($0.x)..<($0.x + $0.width)).contains(point.x - area.x) }?.column
  }

  /// Whether the pointer is on the header.
  package func isHeader(_ point: Point, in area: Rect) -> Bool {
    showsHeader && area.contains(point) && point.y == area.y
  }
}
