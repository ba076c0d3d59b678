/// Dots finer than cells, for curves: 2×4 a cell as braille, 2×2 as blocks, 1 as ASCII.
struct PlotGrid {
  let form: Glyphs.Plot
  let width: Int
  let height: Int
  /// Dots of each cell.
  private var dots: [UInt8]
  private var styles: [Style]

  /// A grid of `width` · `height` cells without a dot.
  init(_ form: Glyphs.Plot, width: Int, height: Int) {
    self.form = form
    self.width = max(0, width)
    self.height = max(0, height)
    dots = Array(repeating: 0, count: self.width * self.height)
    styles = Array(repeating: .text, count: self.width * self.height)
  }

  /// Dots per cell, across and down.
  private var fineness: (x: Int, y: Int) {
    switch form {
    case .braille: (2, 4)
    case .block: (2, 2)
    case .ascii: (1, 1)
    }
  }

  var dotWidth: Int { width * fineness.x }
  var dotHeight: Int { height * fineness.y }

  private static let braille: [UInt8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]
  /// Quarter blocks by mask: 1 upper left, 2 upper right, 4 lower left, 8 lower right.
  private static let quarters: [Character] = [
    " ", "▘", "▝", "▀", "▖", "▌", "▞", "▛", "▗", "▚", "▐", "▜", "▄", "▙", "▟", "█",
  ]

  /// Sets the dot at a column and row of dots, row 0 on top; outside of the grid nothing happens.
  mutating func set(x: Int, y: Int, _ style: Style) {
    guard x >= 0, y >= 0, x < dotWidth, y < dotHeight else { return }
    let (fineX, fineY) = fineness
    let cell = y / fineY * width + x / fineX
    let part = y % fineY * fineX + x % fineX
    dots[cell] |= form == .braille ? PlotGrid.braille[part] : 1 << part
    styles[cell] = style
  }

  /// A straight line of dots (Bresenham).
  mutating func line(from a: Point, to b: Point, _ style: Style) {
    let (dx, dy) = (abs(b.x - a.x), -abs(b.y - a.y))
    let (stepX, stepY) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
    var (x, y, error) = (a.x, a.y, dx + dy)
    while true {
      set(x: x, y: y, style)
      if x == b.x && y == b.y { return }
      let twice = 2 * error
      if twice >= dy {
        error += dy
        x += stepX
      }
      if twice <= dx {
        error += dx
        y += stepY
      }
    }
  }

  /// Draws the cells that have dots, with the upper left at a point.
  func draw(on canvas: inout Canvas, at corner: Point) {
    for y in 0..<height {
      for x in 0..<width where dots[y * width + x] != 0 {
        let mask = dots[y * width + x]
        let character: Character =
          switch form {
          case .braille: Character(Unicode.Scalar(0x2800 + UInt32(mask)) ?? "⠿")
          case .block: PlotGrid.quarters[Int(mask & 15)]
          case .ascii: "·"
          }
        canvas.put(character, at: Point(x: corner.x + x, y: corner.y + y), styles[y * width + x])
      }
    }
  }
}
