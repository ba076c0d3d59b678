import Foundation
import Interface
import Testing

@Suite struct ThemeTests {
  static let ids = ThemeLibrary.shipped.map(\.id)

  @Test func theListIsTheFolder() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("themes")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files == Self.ids.map { $0 + ".yaml" }.sorted())
    for id in Self.ids {
      let text = try String(contentsOf: folder.appendingPathComponent(id + ".yaml"), encoding: .utf8)
      #expect(ThemeLibrary.source(id) == text)
    }
  }

  @Test(arguments: ids) func shippedThemesHaveNoWarnings(id: String) throws {
    let (theme, warnings) = try ThemeLibrary.load(id)
    #expect(warnings == [])
    #expect(theme.id == id)
  }

  @Test func theFirstExplainsEveryKey() throws {
    // Any other theme may name any key of the first one, and no key is missing there.
    let text = try #require(ThemeLibrary.source("terminal"))
    let keys = [
      "text", "muted", "border", "border.focus", "selection", "selection.idle", "title", "key", "header",
      "mark",
      "match", "input", "gauge", "toast", "good", "warn", "bad", "info", "stale", "series", "sensitivity",
      "histogram",
      "load",
    ]
    var previous = ""
    for line in text.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
      if let key = keys.first(where: { line.hasPrefix($0 + ":") }) {
        #expect(previous.hasPrefix("#"), "\(key) is not explained")
      }
      previous = line
    }
    for key in keys { #expect(text.contains("\n  \(key): "), "\(key)") }
  }

  static let textStyles: [Style] =
    [
      .text, .muted, .title, .key, .header, .mark, .match, .input, .toast, .good, .warn, .bad, .info, .stale,
      .selection, Style(.selectionIdle), Style.text.selected, Style.good.selectedIdle,
    ] + (0..<8).map(Style.series)
  static let lineStyles: [Style] =
    [.border, .borderFocus, .gauge]
    + Gradient.allCases.flatMap { gradient in (0...20).map { Style.gradient(gradient, Double($0) / 20) } }

  /// Contrast of a style, where the theme and not the terminal's user decides it.
  ///
  /// Two named colours, neither of them the user's default, are taken as xterm shows them.
  private func contrast(_ look: ResolvedStyle) -> Double? {
    if case .indexed(let front) = look.foreground, case .indexed(let back) = look.background, front < 16,
      back < 16
    {
      return Contrast.ratio(Color.xterm[Int(front)], Color.xterm[Int(back)])
    }
    return Contrast.ratio(look.foreground, look.background)
  }

  @Test(arguments: ids, [ColorDepth.truecolor, .indexed, .sixteen]) func contrast(
    id: String, depth: ColorDepth
  ) throws {
    let theme = try ThemeLibrary.load(id).theme
    for style in Self.textStyles {
      if let ratio = contrast(theme.resolve(style, depth: depth)) {
        #expect(ratio >= 4.5, "\(style): \(ratio)")
      }
    }
    for style in Self.lineStyles {
      if let ratio = contrast(theme.resolve(style, depth: depth)) {
        #expect(ratio >= 3, "\(style): \(ratio)")
      }
    }
  }

  /// Every role, every step of every scale, and each of them in a selected row: nothing that is drawn is forgotten.
  @Test(arguments: ids, [ColorDepth.truecolor, .indexed, .sixteen, .eight]) func everyPairHasContrast(
    id: String, depth: ColorDepth
  ) throws {
    let theme = try ThemeLibrary.load(id).theme
    let lines: Set<Role> = [.border, .borderFocus, .gauge]
    let gradients = Set(Gradient.allCases.map(\.role))
    var decided = 0
    var weak: [String] = []
    for role in Role.allCases {
      for attributes in [Attributes(), .selected, .selectedIdle, .reverse] {
        let details: ClosedRange<UInt8> =
          gradients.contains(role) ? 0...255 : role == .series ? 0...15 : 0...0
        let isText = attributes != [] && attributes != .reverse || !lines.union(gradients).contains(role)
        for detail in details {
          let style = Style(role, detail: detail, attributes)
          var look = theme.resolve(style, depth: depth)
          // Eight colours: bold is what bright ones become, and terminals draw it bright.
          if depth == .eight, look.attributes.contains(.bold), case .indexed(let index) = look.foreground,
            index < 8
          {
            look.foreground = .indexed(index + 8)
          }
          guard let ratio = contrast(look) else { continue }
          decided += 1
          if ratio < (isText ? 4.5 : 3) { weak.append("\(style): \(ratio)") }
        }
      }
    }
    #expect(weak == [])
    let isFull = ["dark", "light", "high-contrast", "colorblind"].contains(id)
    if isFull && depth >= .indexed || id == "high-contrast" { #expect(decided > 3000) }
  }

  /// Candidates are told apart by everybody; by a margin in the theme made for that.
  @Test(arguments: ["dark", "light", "high-contrast", "colorblind"], ColorVision.allCases)
  func seriesAreToldApart(id: String, vision: ColorVision) throws {
    let theme = try ThemeLibrary.load(id).theme
    let colors = (0..<6).map { theme.resolve(.series($0), depth: .truecolor).foreground }
    for (index, color) in colors.enumerated() {
      for other in colors[..<index] {
        let difference = try #require(vision.difference(color, other))
        #expect(difference >= (id == "colorblind" ? 20 : 15), "\(color), \(other): \(difference)")
      }
    }
    guard id == "colorblind" else { return }
    func color(_ style: Style) -> Color { theme.resolve(style, depth: .truecolor).foreground }
    for (a, b) in [(color(.good), color(.bad)), (color(.good), color(.warn)), (color(.warn), color(.bad))] {
      #expect(try #require(vision.difference(a, b)) >= 15, "\(a), \(b)")
    }
  }

  @Test func colourVisionIsThatOfTheModel() throws {
    // Red and green of equal lightness: far apart, close without one of two kinds of cones, apart again without the third.
    let (red, green) = (Color.rgb(200, 100, 60), Color.rgb(110, 150, 60))
    let all = try ColorVision.allCases.map { try #require($0.difference(red, green)) }
    #expect(all[0] > 60 && all[1] < all[0] / 2 && all[2] < all[0] / 2 && all[3] > 30, "\(all)")
    #expect(abs(try #require(ColorVision.full.difference(.rgb(0, 0, 0), .rgb(255, 255, 255))) - 100) < 0.01)
    #expect(ColorVision.full.difference(.terminal, red) == nil)
  }

  @Test(arguments: ["dark", "light", "high-contrast", "colorblind"]) func fullColourThemesDecideEverything(
    id: String
  ) throws {
    let theme = try ThemeLibrary.load(id).theme
    for style in Self.textStyles + Self.lineStyles {
      #expect(contrast(theme.resolve(style, depth: .truecolor)) != nil, "\(style)")
    }
  }

  @Test(arguments: ids, ColorDepth.allCases) func whatMattersIsSeenWithoutColour(
    id: String, depth: ColorDepth
  ) throws {
    let theme = try ThemeLibrary.load(id).theme
    func look(_ style: Style) -> ResolvedStyle { theme.resolve(style, depth: depth) }
    #expect(look(.text.selected) != look(.text))
    #expect(look(.text.selectedIdle) != look(.text))
    #expect(look(.text.selected) != look(.text.selectedIdle))
    #expect(look(.input) != look(.text))
    #expect(look(.toast) != look(.text))
    #expect(look(.text.reverse).attributes.contains(.reverse))
    if depth == .mono {
      for style in Self.textStyles + Self.lineStyles {
        #expect(look(style).foreground == .terminal && look(style).background == .terminal)
      }
      #expect(look(.text.selected).attributes.contains(.reverse))
    }
  }

  @Test(arguments: ids, ColorDepth.allCases) func coloursAreThoseOfTheDepth(id: String, depth: ColorDepth)
    throws
  {
    let theme = try ThemeLibrary.load(id).theme
    for style in Self.textStyles + Self.lineStyles {
      let look = theme.resolve(style, depth: depth)
      for color in [look.foreground, look.background] {
        switch color {
        case .terminal: break
        case .indexed(let index):
          #expect(Int(index) < [.mono: 0, .eight: 8, .sixteen: 16][depth, default: 256])
        case .rgb: #expect(depth == .truecolor)
        }
      }
    }
  }

  @Test func unknownKeysWarnWithTheirLine() throws {
    let (theme, warnings) = try ThemeLibrary.parse(
      """
      name: Mine
      inherits: dark
      ui:
        text: "#ffffff on #000000"
        bordr: red
        key: [fancy, red]
        muted: red blue
      status: {good: green on}
      graph:
        series: cyan
      colour: 3
      """, id: "mine")
    #expect(
      warnings.map(\.description) == [
        "mine.yaml, line 5: `ui.bordr` is not a theme key; terminal.yaml explains all there are",
        "mine.yaml, line 6: `ui.key`: `fancy` is not a colour (\"#rrggbb\" in quotes, a palette name, a colour name, 0…255 or default)",
        "mine.yaml, line 7: `ui.muted`: `blue` is one colour too many; a style is `FG on BG bold`",
        "mine.yaml, line 8: `status.good`: a colour is missing after `on`",
        "mine.yaml, line 10: `graph.series` is a list of colours, or two such lists: full colour, sixteen colours",
        "mine.yaml, line 11: `colour` is not a theme key; terminal.yaml explains all there are",
      ])
    // What cannot be read is inherited, over the theme's own background.
    let dark = try ThemeLibrary.load("dark").theme
    #expect(theme.resolve(.text, depth: .truecolor) == ResolvedStyle(.rgb(255, 255, 255), on: .rgb(0, 0, 0)))
    #expect(
      theme.resolve(.key, depth: .truecolor).foreground == dark.resolve(.key, depth: .truecolor).foreground)
    #expect(theme.resolve(.key, depth: .truecolor).background == .rgb(0, 0, 0))
    #expect(
      theme.resolve(.series(0), depth: .truecolor).foreground
        == dark.resolve(.series(0), depth: .truecolor).foreground)
    #expect(theme.name == "Mine" && theme.appearance == .dark)
  }

  @Test func aPaletteRecoloursWhatIsInherited() throws {
    let theme = try ThemeLibrary.parse("inherits: dark\npalette: {accent: \"#ff00ff\"}", id: "pink").theme
    #expect(theme.resolve(.selection, depth: .truecolor).background == .rgb(255, 0, 255))
    #expect(theme.resolve(.selection, depth: .sixteen).attributes == .reverse)
  }

  @Test func errorsSayWhat() {
    #expect(
      throws: FileProblem(
        file: "nosuch.yaml", line: nil,
        problem: "there is no theme of this name (shipped: \(Self.ids.joined(separator: ", ")))")
    ) {
      try ThemeLibrary.load("nosuch")
    }
    #expect(throws: FileProblem(file: "a.yaml", line: nil, problem: "inherits itself (a → b → a)")) {
      try ThemeLibrary.load("a") { ["a": "inherits: b", "b": "inherits: a"][$0] }
    }
    #expect(throws: FileProblem(file: "a.yaml", line: nil, problem: "inherits itself (a → a)")) {
      try ThemeLibrary.load("a") { $0 == "a" ? "inherits: a" : nil }
    }
    #expect(throws: FileProblem.self) { try ThemeLibrary.parse("ui: [", id: "broken") }
    #expect(throws: FileProblem.self) { try ThemeLibrary.parse("- a", id: "list") }
    // A user's theme may build on the shipped one it is named after.
    #expect(throws: Never.self) { try ThemeLibrary.load("dark") { $0 == "dark" ? "inherits: dark" : nil } }
    #expect(throws: Never.self) { try ThemeLibrary.parse("", id: "empty") }
  }

  @Test func reductions() {
    #expect(Color.rgb(255, 0, 0).reducedTo256 == .indexed(196))
    #expect(Color.rgb(128, 128, 128).reducedTo256 == .indexed(244))
    #expect(Color.rgb(0, 0, 0).reducedTo256 == .indexed(16))
    #expect(Color.indexed(3).reducedTo256 == .indexed(3))
    #expect(Color.rgb(250, 250, 0).reducedTo16 == .indexed(11))
    #expect(Color("#0A0b0c") == .rgb(10, 11, 12))
    #expect(Color("bright-red") == .indexed(9) && Color("256") == nil && Color("#12345") == nil)
    let contrast = Contrast.ratio(Color.rgb(0, 0, 0), .rgb(255, 255, 255)) ?? 0
    #expect(abs(contrast - 21) < 1e-9)
    let gray = Contrast.ratio(Color.rgb(0x76, 0x76, 0x76), .rgb(255, 255, 255)) ?? 0
    #expect(abs(gray - 4.54) < 0.005)
  }

  @Test func coloursAsTerminalsTellThem() {
    #expect(Color(reported: "rgb:ffff/8080/0000") == .rgb(255, 128, 0))
    #expect(Color(reported: "rgb:f/0/8") == .rgb(255, 0, 136))
    #expect(Color(reported: "rgba:11/15/1c/ff") == .rgb(17, 21, 28))
    for text in [
      "", "rgb:", "rgb:1/2", "rgb:1/2/3/4", "rgb:1/2/33333", "rgb:1//3", "cmy:1/2/3", "rgb:-1/2/3",
    ] {
      #expect(Color(reported: text) == nil, "\(text)")
    }
  }

  @Test func aBackgroundChoosesTheTheme() throws {
    for (id, appearance) in [("dark", Theme.Appearance.dark), ("light", .light)] {
      let theme = ThemeLibrary.automatic(appearance)
      #expect(theme.id == id)
      // The theme's own background calls for it again.
      let background = theme.resolve(.text, depth: .truecolor).background
      #expect(Theme.Appearance(background: background) == appearance)
    }
    #expect(ThemeLibrary.automatic(.any).id == "terminal")
    #expect(Theme.Appearance(background: .terminal) == .any)
    #expect(Theme.Appearance(background: .rgb(0, 43, 54)) == .dark, "Solarized dark")
    #expect(Theme.Appearance(background: .rgb(253, 246, 227)) == .light, "Solarized light")
  }

  @Test func choiceOfDepth() {
    #expect(ColorChoice.auto.depth(available: .truecolor, noColor: nil) == .truecolor)
    #expect(ColorChoice.auto.depth(available: .truecolor, noColor: "") == .truecolor)
    #expect(ColorChoice.auto.depth(available: .truecolor, noColor: "1") == .mono)
    #expect(ColorChoice.indexed.depth(available: .truecolor, noColor: "1") == .indexed)
    #expect(ColorChoice.sixteen.depth(available: .eight, noColor: nil) == .eight)
    #expect(ColorChoice.never.depth(available: .truecolor, noColor: nil) == .mono)
  }
}
