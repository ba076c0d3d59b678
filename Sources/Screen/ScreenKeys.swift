import Interface
import Panes
import Workbench

extension Screen {
  /// Keys of the configuration that can be used, and why the others cannot.
  ///
  /// What is unknown or meets another command's key is left as it was; everything else holds.
  package static func keyMap(_ source: ConfigSource) -> (map: KeyMap, warnings: [FileProblem]) {
    var warnings = source.warnings
    func warn(_ entry: ConfigSource.Entry, _ problem: String) {
      warnings.append(FileProblem(file: source.file, line: entry.line, problem: problem))
    }
    let tables = commandTables
    let panes = tables.prefix(1 + PaneKind.allCases.count)
    let known = Set(panes.flatMap { $0.rows.map(\.id) })
    let inDialogs = Set(tables.dropFirst(panes.count).flatMap { $0.rows.map(\.id) })
    var used: [ConfigSource.Entry] = []
    for entry in source.entries {
      if known.contains(entry.id) {
        used.append(entry)
      } else if inDialogs.contains(entry.id) {
        warn(entry, "`\(entry.id)` belongs to a dialog, whose keys are fixed.")
      } else {
        let near = known.compactMap { id in FuzzyMatch(entry.id, in: id).map { ($0.score, id) } }.max {
          $0 < $1
        }
        let hint = near.map { " Is `\($0.1)` meant?" } ?? ""
        warn(entry, "`\(entry.id)` is no command; `lathe keys --json` lists their ids.\(hint)")
      }
    }
    // One that is taken back may free a key that another one meets, so until nothing changes.
    while true {
      let map = KeyMap(Dictionary(used.map { ($0.id, $0.keys) }, uniquingKeysWith: { $1 }))
      guard let (index, key, other) = collision(used, map, Array(panes)) else { return (map, warnings) }
      let entry = used.remove(at: index)
      let own = panes.flatMap(\.rows).first { $0.id == entry.id }?.keyLabel ?? ""
      warn(entry, "\(key.label) is the key of `\(other)` already, so `\(entry.id)` keeps \(own).")
    }
  }

  /// The last entry whose key another command of the same place has, with that key and command.
  private static func collision(
    _ entries: [ConfigSource.Entry], _ map: KeyMap, _ tables: [(title: String, rows: [CommandSummary])]
  ) -> (Int, Key, String)? {
    let everywhere = tables[0].rows
    for (index, entry) in entries.enumerated().reversed() {
      for table in tables {
        let place = table.title == tables[0].title ? everywhere : table.rows + everywhere
        guard let own = place.first(where: { $0.id == entry.id }) else { continue }
        for (other, now) in zip(place, map.applied(to: place)) where other.id != own.id {
          if own.replaces.contains(other.id) || other.replaces.contains(own.id) { continue }
          // Two that share a key by default are never there together.
          if table.rows.contains(other), table.rows.contains(own), !Set(own.keys).isDisjoint(with: other.keys)
          {
            continue
          }
          if let key = entry.keys.first(where: now.keys.contains) { return (index, key, other.id) }
        }
      }
    }
    return nil
  }

  /// The tables with the keys that commands have now.
  package static func commandTables(_ map: KeyMap) -> [(title: String, rows: [CommandSummary])] {
    commandTables.map { ($0.title, map.applied(to: $0.rows)) }
  }

  /// The first key of every command, as it is written.
  static func labels(_ map: KeyMap) -> KeyLabels {
    let rows = commandTables(map).flatMap(\.rows)
    return KeyLabels(
      Dictionary(rows.map { ($0.id, $0.keys.first?.label ?? "") }, uniquingKeysWith: { first, _ in first }))
  }

  /// Where the user gave none.
  static let ownLabels = labels(KeyMap())

  /// The id of the first command here that has a key now; panes before the whole screen.
  func commandID(of key: Key, _ state: State) -> String? {
    let own = layout.isTooSmall ? nil : panes[focus.rawValue - 1].commandID(of: key, keyMap, state)
    return own ?? Self.commands.id(of: key, keyMap, in: state)
  }
}
