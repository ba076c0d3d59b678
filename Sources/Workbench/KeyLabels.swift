/// How the keys of commands are written now, by the commands' ids: what a sentence asks that says what to press.
package struct KeyLabels: Sendable, Hashable {
  private let labels: [String: String]

  package init(_ labels: [String: String] = [:]) { self.labels = labels }

  /// The first key of a command; its id where nobody said which keys there are.
  package subscript(id: String) -> String { labels[id] ?? id }

  /// A sentence that is needed in many places.
  package var noCandidate: String { "There is no candidate; \(self["new"]) makes one." }
}
