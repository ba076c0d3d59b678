internal import CNcurses
import Interface

/// Turns styles into attributes and colour pairs of the terminal library, each worked out once for a theme.
struct ColorPairs {
  struct Look {
    var attributes: attr_t
    var pair: Int32
  }

  private let depth: ColorDepth
  private let hasDefaults: Bool
  private let limit: Int32
  private var pairs: [UInt64: Int32] = [:]
  private var next: Int32 = 1
  private var theme: Theme?
  private var looks: [UInt32: Look] = [:]

  /// For a screen that has just been opened.
  init(depth: ColorDepth) {
    self.depth = depth
    guard depth > .mono, has_colors() else {
      (hasDefaults, limit) = (true, 0)
      return
    }
    start_color()
    hasDefaults = use_default_colors() == OK
    limit = ncx_color_pairs()
  }

  /// Whether this is another theme than before.
  mutating func use(_ theme: Theme) -> Bool {
    if self.theme == theme { return false }
    self.theme = theme
    looks.removeAll(keepingCapacity: true)
    return true
  }

  mutating func look(of style: Style) -> Look {
    if let look = looks[style.code] { return look }
    let resolved = theme?.resolve(style, depth: depth) ?? ResolvedStyle()
    let look = Look(
      attributes: ColorPairs.attributes(resolved.attributes),
      pair: pair(resolved.foreground, resolved.background))
    looks[style.code] = look
    return look
  }

  /// The number of a pair; the terminal's own colours where its table is full.
  private mutating func pair(_ foreground: Color, _ background: Color) -> Int32 {
    let (front, back) = (number(foreground, isBackground: false), number(background, isBackground: true))
    if limit == 0 || (front == -1 && back == -1) { return 0 }
    let key = UInt64(UInt32(bitPattern: front)) << 32 | UInt64(UInt32(bitPattern: back))
    if let pair = pairs[key] { return pair }
    guard next < limit, init_extended_pair(next, front, back) == OK else { return 0 }
    pairs[key] = next
    next += 1
    return next - 1
  }

  private func number(_ color: Color, isBackground: Bool) -> Int32 {
    switch color {
    case .terminal: return hasDefaults ? -1 : isBackground ? 0 : 7
    case .indexed(let index) where index < 16 || depth < .truecolor: return Int32(index)
    default:
      guard let (red, green, blue) = color.components else { return -1 }
      // 0…15 are the named colours; the nearest that is not is a blue nobody can tell from black.
      return max(16, Int32(red << 16 | green << 8 | blue))
    }
  }

  private static func attributes(_ attributes: Attributes) -> attr_t {
    var result: attr_t = 0
    if attributes.contains(.bold) { result |= NCX_A_BOLD }
    if attributes.contains(.dim) { result |= NCX_A_DIM }
    if attributes.contains(.italic) { result |= NCX_A_ITALIC }
    if attributes.contains(.underline) { result |= NCX_A_UNDERLINE }
    if attributes.contains(.reverse) { result |= NCX_A_REVERSE }
    return result
  }
}
