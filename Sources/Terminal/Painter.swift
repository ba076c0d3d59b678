internal import CNcurses
import Interface

/// Puts canvases on the screen, sending only what changed.
struct Painter {
  private let window: UnsafeMutablePointer<WINDOW>
  private var colors: ColorPairs
  private var shown: Canvas?
  private var shownCursor: Point?
  private var row: [cchar_t] = []

  init(window: UnsafeMutablePointer<WINDOW>, depth: ColorDepth) {
    self.window = window
    colors = ColorPairs(depth: depth)
  }

  /// The next canvas is sent as a whole.
  mutating func forget() { shown = nil }

  /// Shows a canvas in the upper left of the screen; what does not fit is left out.
  mutating func present(_ canvas: Canvas, theme: Theme) {
    if colors.use(theme) { shown = nil }
    let height = min(canvas.height, Int(getmaxy(window)))
    let width = min(canvas.width, Int(getmaxx(window)))
    if shown?.bounds != canvas.bounds {
      shown = nil
      werase(window)
    }
    for y in 0..<height {
      let cells = canvas.cells[(y * canvas.width)..<((y + 1) * canvas.width)]
      if let shown, shown.cells[(y * canvas.width)..<((y + 1) * canvas.width)] == cells { continue }
      send(cells.prefix(width), row: y)
    }
    placeCursor(canvas.cursor)
    wnoutrefresh(window)
    doupdate()
    shown = canvas
  }

  /// One character per element, not one column: the right half of a wide one has none.
  private mutating func send(_ cells: ArraySlice<Cell>, row y: Int) {
    row.removeAll(keepingCapacity: true)
    var style: Style?
    var look = ColorPairs.Look(attributes: 0, pair: 0)
    for (index, cell) in zip(cells.indices, cells) where !cell.isRightHalf {
      if style != cell.style {
        style = cell.style
        look = colors.look(of: cell.style)
      }
      var character = cchar_t()
      // Both places: the library reads `ext_color`, but keeps the low bits here too.
      character.attr = look.attributes | attr_t(UInt32(min(look.pair, 255)) << 8)
      character.ext_color = look.pair
      let isCut = cell.isWide && index == cells.endIndex - 1
      if isCut || !Painter.agrees(cell) {
        // Where the C library thinks of another width the rest of the row would be displaced.
        character.chars.0 = isCut ? 0x20 : 0x3F
        row.append(character)
        if cell.isWide && !isCut { row.append(character) }
        continue
      }
      character.chars.0 = wchar_t(bitPattern: cell.scalar)
      character.chars.1 = wchar_t(bitPattern: cell.firstMark)
      character.chars.2 = wchar_t(bitPattern: cell.secondMark)
      row.append(character)
    }
    row.withUnsafeBufferPointer { row in
      _ = mvwadd_wchnstr(window, Int32(y), 0, row.baseAddress, Int32(row.count))
    }
  }

  private static func agrees(_ cell: Cell) -> Bool {
    if cell.scalar < 0x7F || (cell.scalar >= 0x2500 && cell.scalar < 0x2900) { return true }
    return ncx_wcwidth(wchar_t(bitPattern: cell.scalar)) == (cell.isWide ? 2 : 1)
  }

  private mutating func placeCursor(_ cursor: Point?) {
    if (cursor == nil) != (shownCursor == nil) {
      curs_set(cursor == nil ? 0 : 1)
      leaveok(window, cursor == nil)
    }
    if let cursor { wmove(window, Int32(cursor.y), Int32(cursor.x)) }
    shownCursor = cursor
  }

  /// What the terminal library believes is on the screen, row by row; for tests.
  func readBack() -> [String] {
    (0..<getmaxy(window)).map { y in
      var scalars = String.UnicodeScalarView()
      var x: Int32 = 0
      while x < getmaxx(window) {
        var character = cchar_t()
        mvwin_wch(window, y, x, &character)
        for value in [character.chars.0, character.chars.1, character.chars.2] where value != 0 {
          if let scalar = Unicode.Scalar(UInt32(bitPattern: value)) { scalars.append(scalar) }
        }
        x += max(1, ncx_wcwidth(character.chars.0))
      }
      while scalars.last == " " { scalars.removeLast() }
      return String(scalars)
    }
  }
}
