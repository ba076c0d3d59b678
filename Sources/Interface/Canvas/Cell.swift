/// One column of one row: a character with up to two combining marks, and its style.
package struct Cell: Hashable, Sendable {
  /// Bits 0–20 the character, 21–41 and 42–62 its marks, 63 set where it is two columns wide.
  ///
  /// The right half of a wide character is 0.
  private var glyph: UInt64
  package var style: Style

  private static let scalarBits: UInt64 = 0x1F_FFFF
  private static let wideBit: UInt64 = 1 << 63

  package init(_ scalar: UInt32, wide: Bool = false, style: Style) {
    glyph = UInt64(scalar) | (wide ? Cell.wideBit : 0)
    self.style = style
  }

  package static func blank(_ style: Style) -> Cell { Cell(0x20, style: style) }
  package static func rightHalf(_ style: Style) -> Cell { Cell(0, style: style) }

  /// The character; 0 in the right half of a wide one.
  package var scalar: UInt32 { UInt32(glyph & Cell.scalarBits) }
  /// The first combining mark, or 0.
  package var firstMark: UInt32 { UInt32(glyph >> 21 & Cell.scalarBits) }
  /// The second combining mark, or 0.
  package var secondMark: UInt32 { UInt32(glyph >> 42 & Cell.scalarBits) }
  package var isWide: Bool { glyph & Cell.wideBit != 0 }
  package var isRightHalf: Bool { glyph == 0 }

  /// Adds a combining mark; a third one is dropped.
  package mutating func combine(_ mark: UInt32) {
    if firstMark == 0 { glyph |= UInt64(mark) << 21 } else if secondMark == 0 { glyph |= UInt64(mark) << 42 }
  }

  /// The characters of the cell as text; empty in the right half of a wide one.
  package var text: String {
    var scalars = String.UnicodeScalarView()
    for value in [scalar, firstMark, secondMark] where value != 0 {
      if let scalar = Unicode.Scalar(value) { scalars.append(scalar) }
    }
    return String(scalars)
  }
}
