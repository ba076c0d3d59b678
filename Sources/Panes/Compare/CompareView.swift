import Interface
import Workflows

/// A view of how the current candidate differs: a table that can be copied as text.
protocol CompareView: InquiryTable {}

extension CompareView {
  func isMarked(_ row: Int, _ marked: Set<String>) -> Bool { false }

  /// The part of the pane that the table takes: a line above it, and below it the row at the cursor in words.
  func area(in area: Rect) -> Rect { area.inset(top: 1, bottom: area.height < 8 ? 0 : 2) }

  /// All of it as text.
  var text: String {
    let cells = cells()
    // Wide enough that nothing is cut.
    let wide = 1000
    func line(_ runs: [Run]) -> String { runs.map(\.text).joined() }
    let heading = line(header(width: wide))
    guard table.rowCount > 0 else { return emptiness }
    return heading + "\n"
      + TextTable.text(
        header: table.columns.map(\.title),
        rows: (0..<table.rowCount).map { row in
          table.columns.indices.map { line(cells(row, $0, wide)) }
        }, leftColumns: table.columns.prefix { $0.align == .left }.count)
  }
}
