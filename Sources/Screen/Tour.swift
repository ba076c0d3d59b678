/// Three hints for the first time, each of which goes away when what it says was done.
package struct Tour: Sendable, Hashable {
  package struct Hint: Sendable, Hashable {
    /// Under which it is remembered.
    package var id: String
    /// With commands in `[]`, for their keys.
    package var text: String
    /// Commands of which one does it.
    package var commands: Set<String>
  }

  package static let hints = [
    Hint(
      id: "edit", text: "[mode] changes the mode, [bits-up] bits, [undo] undoes",
      commands: ["mode", "mode-back", "bits-up", "bits-down", "config.next", "config.previous"]),
    Hint(
      id: "run", text: "[run] measures it beside float32", commands: ["run", "run-stale"]),
    Hint(
      id: "help", text: "[help] lists all keys, [palette] finds commands",
      commands: ["help", "palette"]),
  ]

  /// Ids of the hints that were followed or dismissed.
  package private(set) var done: Set<String>

  package init(done: Set<String> = []) { self.done = done }

  /// The tour of somebody who needs none.
  package static let over = Tour(done: Set(hints.map(\.id)))

  /// The hint that shows now.
  package var hint: Hint? { Self.hints.first { !done.contains($0.id) } }

  /// Takes note of a command that was given.
  mutating func noticed(_ command: String) {
    done.formUnion(Self.hints.filter { $0.commands.contains(command) }.map(\.id))
  }

  /// Ends the tour or, where it is over, begins it again.
  mutating func toggle() { done = hint == nil ? [] : Tour.over.done }
}
