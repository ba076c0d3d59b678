/// Whether a command can run now, and why not.
package enum Availability: Hashable, Sendable {
  case available
  /// One short sentence for the person who pressed the key.
  case unavailable(String)
  /// Does not exist in this state; not even listed.
  case hidden

  /// Available, or else the reason why not.
  package static func when(_ condition: Bool, else reason: String) -> Availability {
    condition ? .available : .unavailable(reason)
  }
}

/// One thing a person can do: its keys, its words, when it can be done, and what it does.
///
/// Key handling, hint bar, help, palette and `lathe keys` all read the same table of these.
package struct Command<State, Action: Sendable>: Sendable {
  /// Stable name for the `keys:` map of the configuration: `layers.mark`.
  package let id: String
  package var keys: [Key]
  /// One or two words, for the hint bar.
  package let title: String
  /// One sentence, for help and palette.
  package let explanation: String
  /// Heading under which help lists it.
  package let group: String
  /// Place in the hint bar, smaller is further left; `nil` is not shown there.
  package let hint: Int?
  /// Ids of commands whose key it takes where both could be meant: of the whole screen, or later ones of its own table.
  ///
  /// No key does two things in one place unless it is said here.
  package let replaces: [String]
  package let action: Action
  package let availability: @Sendable (State) -> Availability

  package init(
    _ id: String, keys: [Key], title: String, explanation: String, group: String, hint: Int? = nil,
    replaces: [String] = [], action: Action,
    availability: @escaping @Sendable (State) -> Availability = { _ in .available }
  ) {
    self.id = id
    self.keys = keys
    self.title = title
    self.explanation = explanation
    self.group = group
    self.hint = hint
    self.replaces = replaces
    self.action = action
    self.availability = availability
  }

  package func summary(in state: State) -> CommandSummary {
    CommandSummary(
      id: id, keys: keys, title: title, explanation: explanation, group: group, hint: hint,
      replaces: replaces, availability: availability(state))
  }
}

/// A command without its types, for everything that lists commands.
package struct CommandSummary: Hashable, Sendable {
  package var id: String
  package var keys: [Key]
  package var title: String
  package var explanation: String
  package var group: String
  package var hint: Int?
  package var replaces: [String]
  package var availability: Availability

  package init(
    id: String, keys: [Key], title: String, explanation: String, group: String, hint: Int? = nil,
    replaces: [String] = [], availability: Availability = .available
  ) {
    self.id = id
    self.keys = keys
    self.title = title
    self.explanation = explanation
    self.group = group
    self.hint = hint
    self.replaces = replaces
    self.availability = availability
  }

  /// All keys as people read them: `j ↓`.
  package var keyLabel: String { keys.map(\.label).joined(separator: " ") }
}

extension [CommandSummary] {
  /// These commands of one place, and behind them those of a wider one, without the keys that these have taken.
  package func before(_ wider: [CommandSummary]) -> [CommandSummary] {
    let taken = Set(flatMap(\.keys))
    return self
      + wider.map { command in
        var command = command
        command.keys.removeAll(where: taken.contains)
        return command
      }
  }
}

/// What a key means in a state.
package enum CommandMatch<Action> {
  /// No command has this key.
  case none
  case perform(Action)
  /// The command exists, but not now, for this reason.
  case unavailable(String)
}

/// The commands of one pane, dialog or of the whole screen.
package struct CommandTable<State, Action: Sendable>: Sendable {
  package private(set) var commands: [Command<State, Action>]

  package init(_ commands: [Command<State, Action>]) { self.commands = commands }

  /// The first command with this key that is not hidden.
  package func match(_ key: Key, in state: State) -> CommandMatch<Action> {
    for command in commands where command.keys.contains(key) {
      switch command.availability(state) {
      case .available: return .perform(command.action)
      case .unavailable(let reason): return .unavailable(reason)
      case .hidden: continue
      }
    }
    return .none
  }

  /// The id of the first command that has this key now and is not hidden; only those that have it are asked.
  package func id(of key: Key, _ map: KeyMap, in state: State) -> String? {
    commands.first { command in
      map.keys(of: command.id, own: command.keys).contains(key) && command.availability(state) != .hidden
    }?.id
  }

  /// The command with this id, for palette and help.
  package func match(id: String, in state: State) -> CommandMatch<Action> {
    guard let command = commands.first(where: { $0.id == id }) else { return .none }
    switch command.availability(state) {
    case .available: return .perform(command.action)
    case .unavailable(let reason): return .unavailable(reason)
    case .hidden: return .none
    }
  }

  /// All that is not hidden, in the order of the table.
  package func summaries(in state: State) -> [CommandSummary] {
    commands.map { $0.summary(in: state) }.filter { $0.availability != .hidden }
  }

  /// The same commands with the keys of a `keys:` map; ids the table does not know are ignored here.
  package func remapped(_ keys: [String: [Key]]) -> CommandTable {
    var table = self
    for index in table.commands.indices {
      if let own = keys[table.commands[index].id] { table.commands[index].keys = own }
    }
    return table
  }
}
