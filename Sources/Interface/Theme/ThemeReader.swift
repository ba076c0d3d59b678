import Yams

/// A theme file as written: texts with their places, not yet colours.
struct ThemeSource {
  struct Entry {
    var file: String
    var line: Int
    /// The full-colour texts, then those for sixteen colours; one text for a style, several for a scale.
    var full: [String]
    var plain: [String]
  }

  var name: String?
  var inherits: String?
  var appearance: Theme.Appearance?
  var palette: [String: (color: Color, line: Int)] = [:]
  /// By `section.key`: `ui.border.focus`.
  var entries: [String: Entry] = [:]
  var warnings: [FileProblem] = []

  /// Reads the text of a theme file; what it does not understand becomes a warning.
  /// - Errors: `FileProblem` where the text is not YAML or not a mapping.
  init(_ text: String, file: String) throws(FileProblem) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw FileProblem(file: file, line: error.line, problem: "this is not YAML")
    } catch {
      throw FileProblem(file: file, line: nil, problem: "this is not YAML (\(error))")
    }
    guard let root else { return }
    guard let mapping = root.mapping else {
      throw FileProblem(
        file: file, line: root.mark?.line,
        problem: "a theme is a mapping (keys: name, inherits, appearance, palette, ui, status, graph)")
    }
    for (key, value) in mapping { read(key, value, file: file) }
  }

  private mutating func read(_ key: Node, _ value: Node, file: String) {
    let name = key.string ?? ""
    let line = key.mark?.line ?? 0
    func warn(_ problem: String, at node: Node? = nil) {
      warnings.append(FileProblem(file: file, line: node?.mark?.line ?? line, problem: problem))
    }
    switch name {
    case "name", "inherits":
      guard let text = value.string else { return warn("`\(name)` is a name", at: value) }
      if name == "name" { self.name = text } else { inherits = text }
    case "appearance":
      if let text = value.string, let appearance = Theme.Appearance(rawValue: text) {
        self.appearance = appearance
      } else {
        warn("`appearance` is dark, light or any, not `\(value.string ?? "a list")`", at: value)
      }
    case "palette":
      guard let mapping = value.mapping else {
        return warn("`palette` is a mapping of names to colours", at: value)
      }
      for (key, value) in mapping {
        guard let text = value.string, let color = Color(text) else {
          warn(
            "`\(value.string ?? "a list")` is not a colour (\"#rrggbb\", a name, 0…255 or default)", at: value
          )
          continue
        }
        palette[key.string ?? ""] = (color, key.mark?.line ?? line)
      }
    case "ui", "status", "graph":
      guard let mapping = value.mapping else { return warn("`\(name)` is a mapping", at: value) }
      for (key, value) in mapping {
        let path = name + "." + (key.string ?? "")
        guard let slot = ThemeSlot.all[path] else {
          warn("`\(path)` is not a theme key; terminal.yaml explains all there are", at: key)
          continue
        }
        guard let (full, plain) = ThemeSource.texts(of: value, isList: slot.isScale) else {
          warn(
            slot.isScale
              ? "`\(path)` is a list of colours, or two such lists: full colour, sixteen colours"
              : "`\(path)` is a style, or a list of two: full colour, sixteen colours", at: value)
          continue
        }
        entries[path] = Entry(file: file, line: value.mark?.line ?? line, full: full, plain: plain)
      }
    default: warn("`\(name)` is not a theme key; terminal.yaml explains all there are", at: key)
    }
  }

  /// One value for both, or two: for full colour, and for sixteen.
  private static func texts(of node: Node, isList: Bool) -> (full: [String], plain: [String])? {
    func list(_ node: Node) -> [String]? {
      guard let sequence = node.sequence else { return nil }
      let texts = sequence.compactMap { $0.scalar?.string }
      return texts.count == sequence.count && !texts.isEmpty ? texts : nil
    }
    if isList {
      if let one = list(node) { return (one, one) }
      guard let both = node.sequence, both.count == 2, let full = list(both[0]), let plain = list(both[1])
      else {
        return nil
      }
      return (full, plain)
    }
    if let one = node.scalar?.string { return ([one], [one]) }
    guard let both = list(node), both.count == 2 else { return nil }
    return ([both[0]], [both[1]])
  }
}

/// One key of a theme file.
struct ThemeSlot {
  enum Target {
    case role(Role), series
    case gradient(Gradient)
  }

  let path: String
  let target: Target

  var isScale: Bool {
    if case .role = target { return false }
    return true
  }

  static let list: [ThemeSlot] = [
    ThemeSlot(path: "ui.text", target: .role(.text)),
    ThemeSlot(path: "ui.muted", target: .role(.muted)),
    ThemeSlot(path: "ui.border", target: .role(.border)),
    ThemeSlot(path: "ui.border.focus", target: .role(.borderFocus)),
    ThemeSlot(path: "ui.selection", target: .role(.selection)),
    ThemeSlot(path: "ui.selection.idle", target: .role(.selectionIdle)),
    ThemeSlot(path: "ui.title", target: .role(.title)),
    ThemeSlot(path: "ui.key", target: .role(.key)),
    ThemeSlot(path: "ui.header", target: .role(.header)),
    ThemeSlot(path: "ui.mark", target: .role(.mark)),
    ThemeSlot(path: "ui.match", target: .role(.match)),
    ThemeSlot(path: "ui.input", target: .role(.input)),
    ThemeSlot(path: "ui.gauge", target: .role(.gauge)),
    ThemeSlot(path: "ui.toast", target: .role(.toast)),
    ThemeSlot(path: "status.good", target: .role(.good)),
    ThemeSlot(path: "status.warn", target: .role(.warn)),
    ThemeSlot(path: "status.bad", target: .role(.bad)),
    ThemeSlot(path: "status.info", target: .role(.info)),
    ThemeSlot(path: "status.stale", target: .role(.stale)),
    ThemeSlot(path: "graph.series", target: .series),
    ThemeSlot(path: "graph.sensitivity", target: .gradient(.sensitivity)),
    ThemeSlot(path: "graph.histogram", target: .gradient(.histogram)),
    ThemeSlot(path: "graph.load", target: .gradient(.load)),
  ]

  static let all = Dictionary(list.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
}
