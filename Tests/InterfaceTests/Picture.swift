import Interface
import Testing

/// What a drawing looks like as text, framed by nothing, rows without trailing blanks.
func picture(
  _ width: Int, _ height: Int, _ glyphs: Glyphs = .unicode, _ draw: (inout Canvas, Rect) -> Void
) -> String {
  var canvas = Canvas(width: width, height: height, glyphs: glyphs)
  draw(&canvas, canvas.bounds)
  return canvas.text()
}

/// Every size up to 20 columns and 5 rows, and drawing areas that lie partly or wholly outside.
let smallAreas: [(size: Size, area: Rect)] = (0...20).flatMap { width in
  (0...5).flatMap { height -> [(size: Size, area: Rect)] in
    let size = Size(width: width, height: height)
    let whole = Rect(x: 0, y: 0, width: width, height: height)
    return [
      (size, whole), (size, Rect(x: -3, y: -1, width: width + 6, height: height + 2)),
      (size, Rect(x: width, y: height, width: 4, height: 2)),
      (size, Rect(x: width / 2, y: 1, width: 7, height: 1)),
    ]
  }
}

/// Draws at every small size in both character sets and checks that the canvas stays whole.
func drawEverywhere(_ draw: (inout Canvas, Rect) -> Void) {
  for (size, area) in smallAreas {
    for glyphs in [Glyphs.unicode, Glyphs(.unicode, plot: .block), .ascii] {
      var canvas = Canvas(size, glyphs: glyphs)
      draw(&canvas, area)
      #expect(canvas.isWhole, "\(size) \(area)")
      if glyphs.characters == .ascii {
        #expect(canvas.cells.allSatisfy { $0.scalar < 0x7F }, "\(size) \(area)")
      }
    }
  }
}

extension Canvas {
  /// Every wide character has its right half, every right half its character, and nothing is a control character.
  var isWhole: Bool {
    for y in 0..<height {
      for x in 0..<width {
        let cell = self[x, y]
        if cell.isWide && !(x + 1 < width && self[x + 1, y].isRightHalf) { return false }
        if cell.isRightHalf && !(x > 0 && self[x - 1, y].isWide) { return false }
        if !cell.isRightHalf && (cell.scalar < 0x20 || cell.scalar == 0x7F) { return false }
      }
    }
    return true
  }
}
