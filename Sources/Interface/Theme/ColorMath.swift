import Foundation

extension Color {
  /// Red, green, blue, 0…255 each; `nil` for colours that the terminal's user chooses (the sixteen names and default).
  package var components: (red: Int, green: Int, blue: Int)? {
    switch self {
    case .rgb(let red, let green, let blue): return (Int(red), Int(green), Int(blue))
    case .indexed(let index) where index >= 232:
      let level = 8 + 10 * (Int(index) - 232)
      return (level, level, level)
    case .indexed(let index) where index >= 16:
      let cube = Int(index) - 16
      return (Color.levels[cube / 36], Color.levels[cube / 6 % 6], Color.levels[cube % 6])
    default: return nil
    }
  }

  private static let levels = [0, 95, 135, 175, 215, 255]

  /// The nearest of the 240 fixed colours of xterm, by squared distance; greys win ties of the cube.
  package var reducedTo256: Color {
    guard case .rgb(let red, let green, let blue) = self else { return self }
    let (r, g, b) = (Int(red), Int(green), Int(blue))
    func nearest(_ value: Int) -> Int {
      Color.levels.indices.min { abs(Color.levels[$0] - value) < abs(Color.levels[$1] - value) } ?? 0
    }
    let (i, j, k) = (nearest(r), nearest(g), nearest(b))
    let cube = Color.squares(Color.levels[i] - r, Color.levels[j] - g, Color.levels[k] - b)
    let gray = max(0, min(23, ((r + g + b) / 3 - 3) / 10))
    let level = 8 + 10 * gray
    let index = Color.squares(level - r, level - g, level - b) <= cube ? 232 + gray : 16 + 36 * i + 6 * j + k
    return .indexed(UInt8(index))
  }

  /// The nearest of the sixteen named colours as xterm shows them.
  package var reducedTo16: Color {
    guard let (r, g, b) = components else { return self }
    let index = Color.xterm.indices.min {
      let (p, q) = (Color.xterm[$0], Color.xterm[$1])
      return Color.squares(p.0 - r, p.1 - g, p.2 - b) < Color.squares(q.0 - r, q.1 - g, q.2 - b)
    }
    return .indexed(UInt8(index ?? 7))
  }

  /// What xterm shows for the sixteen names where the user has not changed them.
  package static let xterm: [(Int, Int, Int)] = [
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255),
    (0, 255, 255), (255, 255, 255),
  ]

  private static func squares(_ a: Int, _ b: Int, _ c: Int) -> Int { a * a + b * b + c * c }

  /// A colour between two; named colours cannot be mixed, the nearer one is taken.
  package static func mix(_ low: Color, _ high: Color, _ position: Double) -> Color {
    guard let a = low.components, let b = high.components else { return position < 0.5 ? low : high }
    func blend(_ x: Int, _ y: Int) -> UInt8 {
      UInt8((Double(x) + (Double(y) - Double(x)) * position).rounded())
    }
    return .rgb(blend(a.red, b.red), blend(a.green, b.green), blend(a.blue, b.blue))
  }
}

/// Contrast of two colours by WCAG 2.1: (L₁ + 0.05) / (L₂ + 0.05) of their relative luminances, 1…21.
package enum Contrast {
  package static func ratio(_ a: (red: Int, green: Int, blue: Int), _ b: (red: Int, green: Int, blue: Int))
    -> Double
  {
    let (x, y) = (luminance(a), luminance(b))
    return (max(x, y) + 0.05) / (min(x, y) + 0.05)
  }

  /// `nil` where the terminal's user decides one of the colours.
  package static func ratio(_ a: Color, _ b: Color) -> Double? {
    guard let x = a.components, let y = b.components else { return nil }
    return ratio(x, y)
  }

  /// Relative luminance of an sRGB colour.
  private static func luminance(_ color: (red: Int, green: Int, blue: Int)) -> Double {
    func linear(_ value: Int) -> Double {
      let part = Double(value) / 255
      return part <= 0.03928 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
  }
}
