import Interface
import Workbench
import Workflows

/// Draws the figures of the comparison: float32, which does not scroll sideways, then the candidates in their order.
struct CompareTable {
  let float32: CompareColumn
  let candidates: [CompareColumn]
  let rows: [CompareFigure]
  private let order: CompareChoice.Order?
  private let scroll: Scroll
  private let firstColumn: Int
  private let current: Int?
  private let isFocused: Bool

  /// Candidates whose order a row gives stand with the largest first unless it is reversed; what has no number comes last.
  init(_ state: State, scroll: Scroll, firstColumn: Int, isFocused: Bool) {
    let order = state.compare.order
    let hidden = Set(state.compare.hidden)
    let measured = Self.float32(state)
    let float32 = CompareColumn(float32: measured, state)
    var candidates = state.candidates.map { CompareColumn($0, float32: measured, state) }
    if let order, let figure = CompareFigure.all.first(where: { $0.title == order.row }) {
      let numbers = candidates.enumerated().map { place, column in
        (column, number: figure.order(column), place: place)
      }
      candidates = numbers.sorted { a, b in
        guard let x = a.number, let y = b.number, x != y else {
          return (a.number == nil ? 1 : 0, a.place) < (b.number == nil ? 1 : 0, b.place)
        }
        return order.isReversed ? x < y : x > y
      }.map { $0.0 }
    }
    self.float32 = float32
    self.candidates = candidates
    let columns = [float32] + candidates
    let isLabelled =
      columns.allSatisfy { $0.trial == nil } || columns.contains { $0.trial?.top1 != nil }
    rows = CompareFigure.all.filter { figure in
      guard !hidden.contains(figure.title) else { return false }
      return figure.isAlways && (isLabelled || !figure.needsLabels)
        || columns.contains { figure.exists(in: $0) }
    }
    self.order = order
    self.scroll = scroll
    self.firstColumn = firstColumn
    current = candidates.firstIndex { $0.entry?.id == state.current }
    self.isFocused = isFocused
  }

  /// float32 as measured beside the current candidate, else as last measured.
  static func float32(_ state: State) -> Trial? {
    state.currentEntry.flatMap { state.shown($0).float32 } ?? state.float32
  }

  func row(at scroll: Scroll) -> CompareFigure? {
    rows.isEmpty ? nil : rows[Swift.min(Swift.max(scroll.cursor, 0), rows.count - 1)]
  }

  func table(width: Int) -> Table {
    let columns =
      [
        Column("", minimum: 12, maximum: 15, growth: 1),
        Column("float32", align: .right, minimum: 9, maximum: 12, growth: 1),
      ]
      + candidates.map {
        Column(
          Fitting.cut($0.entry?.title ?? "", to: 14), align: .right, minimum: 12, maximum: 16, growth: 1)
      }
    var table = Table(
      columns: columns, rowCount: rows.count, scroll: scroll, isFocused: isFocused, showsCursor: false,
      scrollsSideways: true, fixedColumns: 2, firstColumn: firstColumn, cursorColumn: current.map { $0 + 2 })
    if let column = table.cursorColumn {
      table.firstColumn = table.firstColumn(showing: column, width: width)
    }
    return table
  }

  func draw(on canvas: inout Canvas, in area: Rect) {
    let cursor = scroll.settled(count: rows.count, visible: Swift.max(area.height - 1, 1)).cursor
    table(width: area.width).draw(on: &canvas, in: area) { row, column in
      if column == 0 { return title(rows[row], isCursor: row == cursor) }
      return rows[row].cell(column == 1 ? float32 : candidates[column - 2])
    }
  }

  /// The cursor is a sign beside the title, because the current candidate is highlighted from top to bottom.
  private func title(_ figure: CompareFigure, isCursor: Bool) -> [Run] {
    let sign = isCursor && isFocused ? "▸" : " "
    let mark = figure.title == order?.row ? [Run(order?.isReversed ?? false ? "▴" : "▾", .key)] : []
    return [Run(sign, .key), Run(figure.title, .muted)] + mark
  }

  /// The rows, and below them the notes on candidates.
  var text: String {
    func line(_ runs: [Run]) -> String { runs.map(\.text).joined() }
    let notes = candidates.compactMap(\.entry).filter { !$0.note.isEmpty }.map { "\($0.title): \($0.note)" }
    let table = TextTable.text(
      header: ["", "float32"] + candidates.compactMap { $0.entry?.title },
      rows: rows.map { figure in
        [figure.title, line(figure.cell(float32))] + candidates.map { line(figure.cell($0)) }
      }, leftColumns: 1)
    return notes.isEmpty ? table : "\(table)\n\n\(notes.joined(separator: "\n"))"
  }
}
