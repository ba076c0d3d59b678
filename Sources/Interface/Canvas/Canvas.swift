/// A grid of styled cells that panes draw on and a terminal presents.
///
/// Everything outside `clip` is left alone.
package struct Canvas: Equatable, Sendable {
  package let width: Int
  package let height: Int
  package var glyphs: Glyphs
  /// Row by row from the top left, `width` · `height` of them.
  package private(set) var cells: [Cell]
  /// Where drawing has an effect, always inside the canvas.
  package private(set) var clip: Rect
  /// Where the terminal's own cursor stands, for input methods and screen readers; `nil` hides it.
  package var cursor: Point?

  package init(width: Int, height: Int, glyphs: Glyphs = .unicode) {
    self.width = max(0, width)
    self.height = max(0, height)
    self.glyphs = glyphs
    cells = Array(repeating: .blank(.text), count: self.width * self.height)
    clip = Rect(x: 0, y: 0, width: self.width, height: self.height)
  }

  package init(_ size: Size, glyphs: Glyphs = .unicode) {
    self.init(width: size.width, height: size.height, glyphs: glyphs)
  }

  package var bounds: Rect { Rect(x: 0, y: 0, width: width, height: height) }

  /// The cell at a column and row; a blank outside of the canvas.
  package subscript(x: Int, y: Int) -> Cell {
    bounds.contains(Point(x: x, y: y)) ? cells[y * width + x] : .blank(.text)
  }

  /// Draws with everything outside of `area` (and of the present clip) protected.
  package mutating func clipped<Result>(to area: Rect, _ draw: (inout Canvas) throws -> Result) rethrows
    -> Result
  {
    let outer = clip
    clip = outer.intersection(area)
    defer { clip = outer }
    return try draw(&self)
  }

  package mutating func clear(_ style: Style = .text) { fill(bounds, style) }

  // MARK: text

  /// Writes text from a column on, in one row; control characters appear as `?`.
  ///
  /// Returns the column after the last one written, also where the text was clipped away.
  @discardableResult
  package mutating func put(_ text: String, x: Int, y: Int, _ style: Style = .text) -> Int {
    guard y >= clip.y, y < clip.maxY else { return x + CharacterWidth.of(text) }
    let ascii = glyphs.characters == .ascii
    var column = x
    /// The column of the last character, for marks that combine with it.
    var last: Int?
    for scalar in text.unicodeScalars {
      var value = scalar.value
      var columns = 1
      if value < 0x20 || value >= 0x7F {
        switch CharacterWidth.kind(of: scalar) {
        case .columns(let count): columns = count
        case .control: value = value == 0x09 || value == 0x0A || value == 0x0D ? 0x20 : 0x3F
        case .mark:
          if let last, !ascii { cells[y * width + last].combine(value) }
          continue
        case .invisible: continue
        }
        if ascii && value >= 0x7F {
          if columns == 2 {
            set(0x3F, x: column, y: y, style)
            set(0x3F, x: column + 1, y: y, style)
            column += 2
            continue
          }
          value = Glyphs.asciiForm(of: value)
        }
      }
      if columns == 2 {
        setWide(value, x: column, y: y, style)
      } else {
        set(value, x: column, y: y, style)
      }
      last = column >= clip.x && column < clip.maxX ? column : nil
      column += columns
    }
    return column
  }

  /// Writes pieces one after another; returns the column after the last.
  @discardableResult
  package mutating func put(_ runs: [Run], x: Int, y: Int) -> Int {
    var column = x
    for run in runs { column = put(run.text, x: column, y: y, run.style) }
    return column
  }

  /// Writes text into `width` columns: aligned, and cut with `…` where it is too long.
  package mutating func put(
    _ text: String, x: Int, y: Int, width: Int, _ style: Style = .text, align: Alignment = .left
  ) {
    guard width > 0 else { return }
    let fitted = Fitting.cut(text, to: width)
    let room = width - CharacterWidth.of(fitted)
    put(fitted, x: x + align.offset(in: room), y: y, style)
  }

  /// Writes pieces into `width` columns: aligned, and cut with `…` where they are too long.
  package mutating func put(_ runs: [Run], x: Int, y: Int, width: Int, align: Alignment = .left) {
    guard width > 0 else { return }
    let fitted = Fitting.cut(runs, to: width)
    let room = width - Fitting.width(of: fitted)
    put(fitted, x: x + align.offset(in: room), y: y)
  }

  /// Puts one character, one column wide.
  package mutating func put(_ character: Character, at point: Point, _ style: Style = .text) {
    put(String(character), x: point.x, y: point.y, style)
  }

  // MARK: areas

  package mutating func fill(_ area: Rect, _ style: Style = .text, with character: Character = " ") {
    let area = area.intersection(clip)
    guard !area.isEmpty, let scalar = character.unicodeScalars.first else { return }
    let value = glyphs.characters == .ascii ? Glyphs.asciiForm(of: scalar.value) : scalar.value
    let cell = Cell(value, style: style)
    for y in area.y..<area.maxY {
      separate(x: area.x, y: y)
      separate(x: area.maxX, y: y)
      for index in (y * width + area.x)..<(y * width + area.maxX) { cells[index] = cell }
    }
  }

  /// Changes the style of what is drawn already.
  package mutating func restyle(_ area: Rect, _ change: (Style) -> Style) {
    let area = area.intersection(clip)
    guard !area.isEmpty else { return }
    for y in area.y..<area.maxY {
      for index in (y * width + area.x)..<(y * width + area.maxX) {
        cells[index].style = change(cells[index].style)
      }
    }
  }

  /// Replaces what was drawn by its ASCII stand-ins.
  package mutating func plain(_ area: Rect) {
    let area = area.intersection(clip)
    guard !area.isEmpty else { return }
    for y in area.y..<area.maxY {
      for index in (y * width + area.x)..<(y * width + area.maxX) where cells[index].scalar >= 0x7F {
        if cells[index].isWide || cells[index].isRightHalf { continue }
        cells[index] = Cell(Glyphs.asciiForm(of: cells[index].scalar), style: cells[index].style)
      }
    }
  }

  package mutating func horizontalLine(
    x: Int, y: Int, length: Int, _ style: Style = .border, with character: Character = "─"
  ) {
    fill(Rect(x: x, y: y, width: length, height: 1), style, with: character)
  }

  package mutating func verticalLine(
    x: Int, y: Int, length: Int, _ style: Style = .border, with character: Character = "│"
  ) {
    fill(Rect(x: x, y: y, width: 1, height: length), style, with: character)
  }

  /// A frame around the edge of `area`: thin with round corners, or thick.
  package mutating func box(_ area: Rect, thick: Bool = false, _ style: Style = .border) {
    guard area.width >= 2, area.height >= 2 else { return }
    let lines: [Character] = thick ? ["┏", "━", "┓", "┃", "┗", "┛"] : ["╭", "─", "╮", "│", "╰", "╯"]
    let right = area.maxX - 1
    let bottom = area.maxY - 1
    horizontalLine(x: area.x + 1, y: area.y, length: area.width - 2, style, with: lines[1])
    horizontalLine(x: area.x + 1, y: bottom, length: area.width - 2, style, with: lines[1])
    verticalLine(x: area.x, y: area.y + 1, length: area.height - 2, style, with: lines[3])
    verticalLine(x: right, y: area.y + 1, length: area.height - 2, style, with: lines[3])
    put(lines[0], at: Point(x: area.x, y: area.y), style)
    put(lines[2], at: Point(x: right, y: area.y), style)
    put(lines[4], at: Point(x: area.x, y: bottom), style)
    put(lines[5], at: Point(x: right, y: bottom), style)
  }

  // MARK: cells

  private mutating func set(_ value: UInt32, x: Int, y: Int, _ style: Style) {
    guard x >= clip.x, x < clip.maxX else { return }
    let index = y * width + x
    let old = cells[index]
    if old.isRightHalf || old.isWide {
      separate(x: x, y: y)
      separate(x: x + 1, y: y)
    }
    cells[index] = Cell(value, style: style)
  }

  private mutating func setWide(_ value: UInt32, x: Int, y: Int, _ style: Style) {
    guard x >= clip.x, x + 1 < clip.maxX else {
      // Half of it is outside: a blank in the half that is inside.
      set(0x20, x: x, y: y, style)
      set(0x20, x: x + 1, y: y, style)
      return
    }
    separate(x: x, y: y)
    separate(x: x + 2, y: y)
    cells[y * width + x] = Cell(value, wide: true, style: style)
    cells[y * width + x + 1] = .rightHalf(style)
  }

  /// Makes sure no wide character lies across the border to the left of column `x`, by blanking it.
  private mutating func separate(x: Int, y: Int) {
    guard x > 0, x < width, cells[y * width + x].isRightHalf else { return }
    cells[y * width + x - 1] = .blank(cells[y * width + x - 1].style)
    cells[y * width + x] = .blank(cells[y * width + x].style)
  }
}
