/// A colour as a terminal can be told it.
package enum Color: Hashable, Sendable {
  /// Whatever the terminal's own foreground or background is.
  case terminal
  /// 0…15 the terminal's named colours, 16…255 the fixed cube and greys of xterm.
  case indexed(UInt8)
  case rgb(UInt8, UInt8, UInt8)

  /// The sixteen names, in order of their index.
  package static let names = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "bright-black", "bright-red",
    "bright-green", "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan", "bright-white",
  ]

  /// Reads `#rrggbb`, a colour name, a number 0…255 or `default`.
  package init?(_ text: String) {
    if text == "default" {
      self = .terminal
    } else if let index = Color.names.firstIndex(of: text) {
      self = .indexed(UInt8(index))
    } else if text.hasPrefix("#"), text.utf8.count == 7, let value = UInt32(text.dropFirst(), radix: 16) {
      self = .rgb(UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255))
    } else if let index = UInt8(text) {
      self = .indexed(index)
    } else {
      return nil
    }
  }
}

extension Color {
  /// Reads a colour as a terminal tells it: `rgb:R/G/B` or `rgba:R/G/B/A`, each of one to four hexadecimal digits.
  ///
  /// - Source: XParseColor; xterm's control sequences, OSC 10 to 19.
  package init?(reported text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let digits = parts.last?.split(separator: "/", omittingEmptySubsequences: false) ?? []
    guard parts.count == 2, ["rgb": 3, "rgba": 4][parts[0]] == digits.count else { return nil }
    let values = digits.compactMap { digits -> UInt8? in
      guard (1...4).contains(digits.utf8.count), let value = UInt32(digits, radix: 16) else { return nil }
      return UInt8(value * 255 / ((1 << (4 * UInt32(digits.utf8.count))) - 1))
    }
    guard values.count == digits.count else { return nil }
    self = .rgb(values[0], values[1], values[2])
  }
}

/// How many colours a terminal has.
package enum ColorDepth: Int, Hashable, Sendable, CaseIterable, Comparable {
  case mono, eight, sixteen, indexed, truecolor

  package static func < (a: ColorDepth, b: ColorDepth) -> Bool { a.rawValue < b.rawValue }
}

/// What `--color` says.
package enum ColorChoice: String, Hashable, Sendable, CaseIterable {
  case auto, never
  case sixteen = "16"
  case indexed = "256"
  case truecolor

  /// The depth for a terminal that can do `available`; `NO_COLOR` set to anything but nothing means no colour, unless
  /// the choice says otherwise (no-color.org).
  package func depth(available: ColorDepth, noColor: String?) -> ColorDepth {
    switch self {
    case .auto: noColor.map { !$0.isEmpty } == true ? .mono : available
    case .never: .mono
    case .sixteen: min(available, .sixteen)
    case .indexed: min(available, .indexed)
    case .truecolor: available
    }
  }
}

/// The look of a cell, all colours decided.
package struct ResolvedStyle: Hashable, Sendable {
  package var foreground: Color
  package var background: Color
  package var attributes: Attributes

  package init(
    _ foreground: Color = .terminal, on background: Color = .terminal, _ attributes: Attributes = []
  ) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
  }
}
