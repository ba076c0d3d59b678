import Yams

/// Keys that the user gave to commands, by the commands' ids.
package struct KeyMap: Hashable, Sendable {
  package private(set) var keys: [String: [Key]]

  package init(_ keys: [String: [Key]] = [:]) { self.keys = keys }

  package var isEmpty: Bool { keys.isEmpty }

  /// The keys of a command that came with its own.
  func keys(of id: String, own: [Key]) -> [Key] { isEmpty ? own : keys[id] ?? own }

  /// Commands with the keys they have now.
  package func applied(to commands: [CommandSummary]) -> [CommandSummary] {
    guard !isEmpty else { return commands }
    return commands.map { command in
      var command = command
      command.keys = self.keys(of: command.id, own: command.keys)
      return command
    }
  }
}

/// The configuration as written, not yet compared with the commands there are.
package struct ConfigSource: Sendable {
  package struct Entry: Hashable, Sendable {
    package var id: String
    package var keys: [Key]
    package var line: Int

    package init(id: String, keys: [Key], line: Int) {
      self.id = id
      self.keys = keys
      self.line = line
    }
  }

  package let file: String
  /// In the order of the file.
  package private(set) var entries: [Entry] = []
  /// How plots are drawn; `nil` where it is not said.
  package private(set) var graph: Glyphs.Plot?
  package private(set) var warnings: [FileProblem] = []

  /// Reads `keys: {ID: KEY, ID: [KEY, KEY]}` and `graph: FORM`; what it does not understand becomes a warning.
  package init(yaml text: String, file: String) {
    self.file = file
    read(text)
  }

  private mutating func read(_ text: String) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      return warn(
        "this is not YAML, so nothing of it is used. Keys such as : ? * % need quotes.", error.line)
    } catch {
      return warn("this is not YAML, so nothing of it is used (\(error)).", nil)
    }
    guard let root else { return }
    // A file of comments alone is an empty scalar.
    guard let mapping = root.mapping else {
      if root.string?.isEmpty ?? false { return }
      return warn("expected a mapping with the key `keys`.", root.mark?.line)
    }
    for (key, value) in mapping {
      switch key.string {
      case "keys": readKeys(value)
      case "graph": readGraph(value)
      default: warn("`\(key.string ?? "")` is no setting (there are: keys, graph).", key.mark?.line)
      }
    }
  }

  private mutating func readGraph(_ node: Node) {
    graph = node.string.flatMap(Glyphs.Plot.init)
    guard graph == nil else { return }
    let known = Glyphs.Plot.allCases.map(\.rawValue).joined(separator: ", ")
    warn("`\(node.string ?? "")` is no form of graphs (known: \(known)).", node.mark?.line)
  }

  private mutating func readKeys(_ node: Node) {
    guard let mapping = node.mapping else {
      if node.string?.isEmpty ?? false { return }
      return warn("`keys` is a mapping from a command's id to a key or a list of keys.", node.mark?.line)
    }
    for (key, value) in mapping {
      let id = key.string ?? ""
      let names = value.sequence.map { $0.map { $0.string ?? "" } } ?? [value.string ?? ""]
      var keys: [Key] = []
      for name in names {
        if let key = Key(name: name) {
          keys.append(key)
        } else {
          warn(
            "`\(name)` is no key (a character, or space enter esc tab up pgdn f5 C-p A-x …), so `\(id)` keeps its own.",
            value.mark?.line ?? key.mark?.line)
        }
      }
      guard !keys.isEmpty, keys.count == names.count else {
        if names.isEmpty { warn("`\(id)` needs a key at least.", key.mark?.line) }
        continue
      }
      entries.append(Entry(id: id, keys: keys, line: key.mark?.line ?? 0))
    }
  }

  private mutating func warn(_ problem: String, _ line: Int?) {
    warnings.append(FileProblem(file: file, line: line, problem: problem))
  }
}
