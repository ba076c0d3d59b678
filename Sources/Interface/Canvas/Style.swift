/// What a cell is for; the theme says how that looks.
package enum Role: UInt8, CaseIterable, Sendable {
  case text, muted, border, borderFocus, selection, selectionIdle, title, key, header, mark, match, input,
    gauge
  case toast
  case good, warn, bad, info, stale
  /// One of several things compared side by side; `detail` is its index.
  case series
  /// Gradients; `detail` is the position, 0 low … 255 high.
  case sensitivity, histogram, load
}

/// A colour scale of the theme, from low to high.
package enum Gradient: String, CaseIterable, Sendable {
  case sensitivity, histogram, load

  package var role: Role {
    switch self {
    case .sensitivity: .sensitivity
    case .histogram: .histogram
    case .load: .load
    }
  }
}

/// Attributes of a cell beside its role.
package struct Attributes: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let bold = Attributes(rawValue: 1)
  package static let dim = Attributes(rawValue: 2)
  package static let italic = Attributes(rawValue: 4)
  package static let underline = Attributes(rawValue: 8)
  package static let reverse = Attributes(rawValue: 16)
  /// Drawn in the colours of the selection, whatever the role.
  package static let selected = Attributes(rawValue: 32)
  /// Drawn in the colours of a selection in a pane without focus.
  package static let selectedIdle = Attributes(rawValue: 64)
}

/// How panes style a cell: a role, not a colour.
package struct Style: Hashable, Sendable {
  package var role: Role
  package var detail: UInt8
  package var attributes: Attributes

  package init(_ role: Role, detail: UInt8 = 0, _ attributes: Attributes = []) {
    self.role = role
    self.detail = detail
    self.attributes = attributes
  }

  package static let text = Style(.text)
  package static let muted = Style(.muted)
  package static let border = Style(.border)
  package static let borderFocus = Style(.borderFocus)
  package static let selection = Style(.selection)
  package static let title = Style(.title)
  package static let key = Style(.key)
  /// Column titles of a table.
  package static let header = Style(.header)
  /// The mark ✱ of a marked row.
  package static let mark = Style(.mark)
  /// Text that a filter or search found.
  package static let match = Style(.match)
  /// A text field.
  package static let input = Style(.input)
  /// The full part of a progress bar.
  package static let gauge = Style(.gauge)
  package static let toast = Style(.toast)
  package static let good = Style(.good)
  package static let warn = Style(.warn)
  package static let bad = Style(.bad)
  package static let info = Style(.info)
  /// A result whose configuration has changed since.
  package static let stale = Style(.stale)

  /// The colour of candidate `index`; colours repeat when the theme has fewer.
  package static func series(_ index: Int) -> Style {
    Style(.series, detail: UInt8(truncatingIfNeeded: max(0, index)))
  }

  /// A place on a colour scale, 0 low … 1 high; what lies outside is clamped, NaN is low.
  package static func gradient(_ gradient: Gradient, _ position: Double) -> Style {
    let place = position.isNaN ? 0 : min(max(position, 0), 1)
    return Style(gradient.role, detail: UInt8((place * 255).rounded()))
  }

  package var bold: Style { with(.bold) }
  package var underline: Style { with(.underline) }
  package var reverse: Style { with(.reverse) }
  package var selected: Style { with(.selected) }
  package var selectedIdle: Style { with(.selectedIdle) }

  package func with(_ attributes: Attributes) -> Style {
    var style = self
    style.attributes.formUnion(attributes)
    return style
  }

  /// All of the style in one number, for look-up tables.
  package var code: UInt32 {
    UInt32(role.rawValue) | UInt32(detail) << 8 | UInt32(attributes.rawValue) << 16
  }
}

extension Style: CustomStringConvertible {
  package var description: String {
    var words = ["\(role)"]
    if detail != 0 || role == .series { words.append("\(detail)") }
    let names: [(Attributes, String)] = [
      (.bold, "bold"), (.dim, "dim"), (.italic, "italic"), (.underline, "underline"), (.reverse, "reverse"),
      (.selected, "selected"), (.selectedIdle, "selected-idle"),
    ]
    words += names.filter { attributes.contains($0.0) }.map(\.1)
    return words.joined(separator: " ")
  }
}

/// A piece of text in one style.
package struct Run: Hashable, Sendable {
  package var text: String
  package var style: Style

  package init(_ text: String, _ style: Style = .text) {
    self.text = text
    self.style = style
  }
}
