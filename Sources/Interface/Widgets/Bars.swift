/// Horizontal and vertical bars of eighth blocks.
package enum Bars {
  private static let across: [Character] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
  private static let up: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// A bar to the right, `fraction` of `width` columns in steps of an eighth; anything above 0 shows at least that.
  package static func horizontal(_ fraction: Double, width: Int) -> String {
    let eighths = steps(fraction, of: width)
    let full = String(repeating: "█", count: eighths / 8)
    return eighths % 8 == 0 ? full : full + String(across[eighths % 8])
  }

  /// The character of row `row` (0 lowest) in an upright bar that is `fraction` of `height` rows high.
  package static func vertical(_ fraction: Double, row: Int, height: Int) -> Character {
    up[min(8, max(0, steps(fraction, of: height) - row * 8))]
  }

  /// One upright block per value, from the lowest value to the highest; the last `width` values.
  package static func sparkline(_ values: [Double], width: Int) -> String {
    let seen = values.suffix(max(0, width))
    let finite = seen.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return "" }
    return String(
      seen.map { value -> Character in
        guard value.isFinite else { return " " }
        return up[high > low ? 1 + Int(((value - low) / (high - low) * 7).rounded()) : 4]
      })
  }

  private static func steps(_ fraction: Double, of cells: Int) -> Int {
    guard fraction > 0, cells > 0 else { return 0 }
    return min(cells * 8, max(1, Int((min(fraction, 1) * Double(cells * 8)).rounded())))
  }
}

/// A progress bar: `█████████░░░░░░░`.
package enum Gauge {
  /// The bar in `width` columns; `nil` is work of unknown length.
  package static func runs(_ fraction: Double?, width: Int, _ style: Style = .gauge) -> [Run] {
    guard width > 0 else { return [] }
    guard let fraction, fraction.isFinite else { return [Run(String(repeating: "·", count: width), .muted)] }
    let bar = Bars.horizontal(min(max(fraction, 0), 1), width: width)
    return [Run(bar, style), Run(String(repeating: "░", count: width - bar.count), .muted)].filter {
      !$0.text.isEmpty
    }
  }
}
