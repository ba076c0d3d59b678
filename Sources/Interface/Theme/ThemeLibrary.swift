/// The themes that come with the program, and reading others.
package enum ThemeLibrary {
  /// Every shipped theme, in the order people see them; the files are `themes/NAME.yaml`.
  package static let shipped: [(id: String, bytes: [UInt8])] = [
    ("terminal", PackageResources.terminal_yaml),
    ("dark", PackageResources.dark_yaml),
    ("light", PackageResources.light_yaml),
    ("high-contrast", PackageResources.high_contrast_yaml),
    ("colorblind", PackageResources.colorblind_yaml),
    ("mono", PackageResources.mono_yaml),
  ]

  /// The theme to use where none is asked for: the sixteen colours of the user's terminal.
  package static let fallback: Theme = {
    (try? load("terminal").theme)
      ?? Theme(
        id: "terminal", name: "Terminal", appearance: .any,
        full: [.selection: ResolvedStyle(.terminal, on: .terminal, .reverse)],
        plain: [.selection: ResolvedStyle(.terminal, on: .terminal, .reverse)],
        series: Theme.Scale(full: [], plain: []), gradients: [:])
  }()

  /// The shipped theme for a terminal that says what its background is; the fallback where it does not.
  package static func automatic(_ appearance: Theme.Appearance) -> Theme {
    for (id, _) in shipped where appearance != .any {
      if let theme = try? load(id).theme, theme.appearance == appearance { return theme }
    }
    return fallback
  }

  /// The text of a shipped theme.
  package static func source(_ id: String) -> String? {
    shipped.first { $0.id == id }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// A theme by name; `user` gives the texts of the user's own ones, which come first.
  /// - Errors: `FileProblem` where there is none of this name or it cannot be read.
  package static func load(
    _ id: String, user: (String) -> String? = { _ in nil }
  ) throws(FileProblem) -> (theme: Theme, warnings: [FileProblem]) {
    var chain: [ThemeSource] = []
    /// The files read so far; a user's theme may inherit the shipped one it is named after.
    var seen: Set<String> = []
    var path: [String] = []
    var next: String? = id
    while let current = next {
      path.append(current)
      let file = current + ".yaml"
      let text: String
      if let own = user(current), seen.insert("user:" + current).inserted {
        text = own
      } else if let shipped = source(current), seen.insert(current).inserted {
        text = shipped
      } else if path.count > 1 && path.dropLast().contains(current) {
        throw FileProblem(
          file: id + ".yaml", line: nil, problem: "inherits itself (\(path.joined(separator: " → ")))")
      } else {
        let known = shipped.map(\.id).joined(separator: ", ")
        throw FileProblem(
          file: file, line: nil, problem: "there is no theme of this name (shipped: \(known))")
      }
      let source = try ThemeSource(text, file: file)
      chain.append(source)
      next = source.inherits ?? (current == "terminal" ? nil : "terminal")
    }
    return resolve(id, chain)
  }

  /// A theme from its text, inheriting shipped ones.
  package static func parse(_ text: String, id: String) throws(FileProblem) -> (
    theme: Theme, warnings: [FileProblem]
  ) {
    try load(id) { $0 == id ? text : nil }
  }

  /// Puts the files over one another, nearest first, and turns texts into colours with the palette of them all.
  private static func resolve(_ id: String, _ chain: [ThemeSource]) -> (
    theme: Theme, warnings: [FileProblem]
  ) {
    var palette: [String: Color] = [:]
    var entries: [String: ThemeSource.Entry] = [:]
    for source in chain.reversed() {
      for (name, value) in source.palette { palette[name] = value.color }
      entries.merge(source.entries) { _, nearer in nearer }
    }
    var warnings = chain.flatMap(\.warnings)
    let reader = StyleReader(palette: palette)

    /// The nearest entry that can be read; one that cannot is reported and its parent's is used.
    func read<Value>(_ path: String, _ parse: ([String]) throws(StyleReader.Problem) -> Value) -> (
      Value, Value
    )? {
      for source in chain {
        guard let entry = source.entries[path] else { continue }
        do {
          return (try parse(entry.full), try parse(entry.plain))
        } catch {
          warnings.append(
            FileProblem(file: entry.file, line: entry.line, problem: "`\(path)`: \(error.text)"))
        }
      }
      return nil
    }

    var full: [Role: ResolvedStyle] = [:]
    var plain: [Role: ResolvedStyle] = [:]
    var series = Theme.Scale(full: [], plain: [])
    var gradients: [Gradient: Theme.Scale] = [:]
    var grounds = (Color.terminal, Color.terminal)
    // `ui.text` comes first: its background is the one of all styles that name none.
    for slot in ThemeSlot.list {
      switch slot.target {
      case .role(let role):
        guard
          let (rich, poor) = read(
            slot.path, { (texts) throws(StyleReader.Problem) in try reader.style(texts.joined()) })
        else { continue }
        if role == .text { grounds = (rich.background ?? .terminal, poor.background ?? .terminal) }
        full[role] = rich.resolved(over: grounds.0)
        plain[role] = poor.resolved(over: grounds.1)
      case .series:
        guard let (rich, poor) = read(slot.path, reader.scale) else { continue }
        series = Theme.Scale(full: rich, plain: poor)
      case .gradient(let gradient):
        guard let (rich, poor) = read(slot.path, reader.scale) else { continue }
        gradients[gradient] = Theme.Scale(full: rich, plain: poor)
      }
    }
    let theme = Theme(
      id: id, name: chain.first?.name ?? id, appearance: chain.lazy.compactMap(\.appearance).first ?? .any,
      full: full,
      plain: plain, series: series, gradients: gradients)
    return (theme, warnings.sorted { ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0) })
  }
}

/// Reads `FG [on BG] [bold|dim|italic|underline|reverse]`.
struct StyleReader {
  struct Problem: Error {
    var text: String
  }

  struct Parsed {
    var foreground: Color
    /// `nil` where the style names none.
    var background: Color?
    var attributes: Attributes

    func resolved(over ground: Color) -> ResolvedStyle {
      ResolvedStyle(foreground, on: background ?? ground, attributes)
    }
  }

  var palette: [String: Color]

  private static let attributes: [String: Attributes] = [
    "bold": .bold, "dim": .dim, "italic": .italic, "underline": .underline, "reverse": .reverse,
  ]

  func color(_ text: String) throws(Problem) -> Color {
    guard let color = palette[text] ?? Color(text) else {
      throw Problem(
        text:
          "`\(text)` is not a colour (\"#rrggbb\" in quotes, a palette name, a colour name, 0…255 or default)"
      )
    }
    return color
  }

  func scale(_ texts: [String]) throws(Problem) -> [Color] {
    var colors: [Color] = []
    for text in texts { colors.append(try color(text)) }
    return colors
  }

  func style(_ text: String) throws(Problem) -> Parsed {
    var parsed = Parsed(foreground: .terminal, background: nil, attributes: [])
    var expectsBackground = false
    var hasForeground = false
    for word in text.split(separator: " ").map(String.init) {
      if expectsBackground {
        parsed.background = try color(word)
        expectsBackground = false
      } else if word == "on" {
        expectsBackground = true
      } else if let attribute = StyleReader.attributes[word] {
        parsed.attributes.formUnion(attribute)
      } else if hasForeground {
        throw Problem(text: "`\(word)` is one colour too many; a style is `FG on BG bold`")
      } else {
        parsed.foreground = try color(word)
        hasForeground = true
      }
    }
    if expectsBackground { throw Problem(text: "a colour is missing after `on`") }
    return parsed
  }
}
