/// What every role looks like, in full colour and in sixteen colours and fewer.
package struct Theme: Hashable, Sendable {
  package enum Appearance: String, Hashable, Sendable {
    case dark, light, any

    /// What a background calls for: a dark one where white stands out from it more than black does.
    package init(background: Color) {
      guard let white = Contrast.ratio(background, .rgb(255, 255, 255)),
        let black = Contrast.ratio(background, .rgb(0, 0, 0))
      else {
        self = .any
        return
      }
      self = white > black ? .dark : .light
    }
  }

  /// The file name without its ending.
  package let id: String
  /// What people see in the list of themes.
  package let name: String
  package let appearance: Appearance
  /// By raw value of the role.
  private let full: [ResolvedStyle]
  private let plain: [ResolvedStyle]
  private let series: Scale
  private let gradients: [Gradient: Scale]

  /// Colours in an order, for full colour and for sixteen.
  package struct Scale: Hashable, Sendable {
    package var full: [Color]
    package var plain: [Color]

    package init(full: [Color], plain: [Color]) {
      self.full = full
      self.plain = plain
    }
  }

  init(
    id: String, name: String, appearance: Appearance, full: [Role: ResolvedStyle],
    plain: [Role: ResolvedStyle],
    series: Scale, gradients: [Gradient: Scale]
  ) {
    self.id = id
    self.name = name
    self.appearance = appearance
    self.full = Role.allCases.map { full[$0] ?? full[.text] ?? ResolvedStyle() }
    self.plain = Role.allCases.map { plain[$0] ?? plain[.text] ?? ResolvedStyle() }
    self.series = series
    self.gradients = gradients
  }

  /// The look of a style on a terminal with this many colours.
  package func resolve(_ style: Style, depth: ColorDepth) -> ResolvedStyle {
    let rich = depth >= .indexed
    var look = base(of: style, rich: rich)
    look.attributes.formUnion(style.attributes.subtracting([.selected, .selectedIdle]))
    switch depth {
    case .truecolor: break
    case .indexed:
      look.foreground = look.foreground.reducedTo256
      look.background = look.background.reducedTo256
    case .sixteen:
      look.foreground = look.foreground.reducedTo16
      look.background = look.background.reducedTo16
    case .eight: look = eight(look)
    case .mono:
      // A background says "selected" or "on"; without colours that is reversed text.
      if look.background != plain[Int(Role.text.rawValue)].background { look.attributes.insert(.reverse) }
      look.foreground = .terminal
      look.background = .terminal
    }
    return look
  }

  private func base(of style: Style, rich: Bool) -> ResolvedStyle {
    let table = rich ? full : plain
    if style.attributes.contains(.selected) { return table[Int(Role.selection.rawValue)] }
    if style.attributes.contains(.selectedIdle) { return table[Int(Role.selectionIdle.rawValue)] }
    var look = table[Int(style.role.rawValue)]
    switch style.role {
    case .series:
      let colors = rich ? series.full : series.plain
      if !colors.isEmpty { look.foreground = colors[Int(style.detail) % colors.count] }
    case .sensitivity: look.foreground = color(.sensitivity, style.detail, rich) ?? look.foreground
    case .histogram: look.foreground = color(.histogram, style.detail, rich) ?? look.foreground
    case .load: look.foreground = color(.load, style.detail, rich) ?? look.foreground
    default: break
    }
    return look
  }

  /// Full colours are blended, named ones are steps.
  private func color(_ gradient: Gradient, _ detail: UInt8, _ rich: Bool) -> Color? {
    guard let scale = gradients[gradient] else { return nil }
    let colors = rich ? scale.full : scale.plain
    guard let last = colors.last else { return nil }
    if !rich { return colors[min(colors.count - 1, Int(detail) * colors.count / 256)] }
    let place = Double(detail) / 255 * Double(colors.count - 1)
    let low = Int(place)
    return low + 1 < colors.count ? Color.mix(colors[low], colors[low + 1], place - Double(low)) : last
  }

  /// Eight colours: bright ones become bold, bright black becomes dim default text, which black would not be.
  private func eight(_ look: ResolvedStyle) -> ResolvedStyle {
    var look = look
    look.foreground = look.foreground.reducedTo16
    look.background = look.background.reducedTo16
    // Bold is drawn bright, and bright black is grey.
    if look.foreground == .indexed(0) { look.attributes.remove(.bold) }
    if case .indexed(let index) = look.foreground, index >= 8 {
      look.foreground = index == 8 ? .terminal : .indexed(index - 8)
      look.attributes.insert(index == 8 ? .dim : .bold)
    }
    if case .indexed(let index) = look.background, index >= 8 {
      look.background = index == 8 ? .terminal : .indexed(index - 8)
      if index == 8 { look.attributes.insert(.reverse) }
    }
    return look
  }
}
