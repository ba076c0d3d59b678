/// Undo and redo of everything the user decides, by whole values: what is stored is what was on screen.
package struct History: Sendable {
  /// What undo brings back.
  package struct Design: Sendable, Hashable {
    package var candidates: [CandidateEntry]
    package var current: CandidateID?
    package var baseline: CandidateID?
  }

  package struct Step: Sendable, Hashable {
    /// What was done, for example `4 bits for 3 layers`.
    package var title: String
    package var before: Design
  }

  package private(set) var done: [Step] = []
  package private(set) var undone: [Step] = []
  private static let most = 500

  package init() {}

  /// All changes, the oldest first: those done, then those taken back.
  package var titles: [String] { done.map(\.title) + undone.reversed().map(\.title) }

  /// Remembers the design before a change.
  package mutating func record(_ title: String, before: Design) {
    done.append(Step(title: title, before: before))
    if done.count > Self.most { done.removeFirst() }
    undone = []
  }

  /// The design to go back to, and what is undone.
  package mutating func undo(now: Design) -> Step? {
    guard let step = done.popLast() else { return nil }
    undone.append(Step(title: step.title, before: now))
    return step
  }

  package mutating func redo(now: Design) -> Step? {
    guard let step = undone.popLast() else { return nil }
    done.append(Step(title: step.title, before: now))
    return step
  }
}
