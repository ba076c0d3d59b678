import Foundation
import Quantization
import Workflows

/// What is written beside a model so that it reopens as it was: the user's decisions.
///
/// Results are in a list of their own (`SessionStore`), because they only grow.
package struct Session: Sendable, Hashable, Codable {
  package struct Candidate: Sendable, Hashable, Codable {
    package var number: Int
    /// The recipe as YAML.
    package var recipe: String
    /// The recipe last measured, as YAML.
    package var lastMeasured: String?
    package var note: String?
  }

  /// Format of this file.
  package var lathe = 1
  package var candidates: [Candidate] = []
  package var current: Int?
  package var baseline: Int?
  package var next = 1
  package var marked: [String] = []
  package var layer: String?
  /// `nil` where every row is seen and nothing orders the candidates.
  package var compare: CompareChoice?
  /// Results read with it, by recipe key; not part of the file.
  package var trials: [Recipe: Measured] = [:]
  /// Read with it too.
  package var findings = Findings()

  private enum CodingKeys: String, CodingKey {
    case lathe, candidates, current, baseline, next, marked, layer, compare
  }

  package init() {}
}

extension State {
  /// What a candidate of a session file may be numbered.
  private static let numbers = 0..<1_000_000_000

  /// The session as it would be written now.
  package var session: Session {
    var session = Session()
    session.candidates = candidates.map {
      Session.Candidate(
        number: $0.id.number, recipe: $0.recipe.yaml, lastMeasured: $0.lastMeasured?.yaml,
        note: $0.note.isEmpty ? nil : $0.note)
    }
    session.current = current?.number
    session.baseline = baseline?.number
    session.next = nextCandidate
    session.marked = marked.sorted()
    session.layer = layer
    session.compare = compare.isEmpty ? nil : compare
    return session
  }

  /// Puts a written session into a state whose project is open.
  ///
  /// A recipe that no longer reads is told in the log.
  mutating func restore(_ session: Session) {
    guard let project else { return }
    trials = session.trials
    restore(session.findings)
    for saved in session.candidates {
      guard Self.numbers.contains(saved.number), entry(CandidateID(saved.number)) == nil else {
        note(
          "a candidate of the session is left out: number \(saved.number) is not new or not possible",
          .warning)
        continue
      }
      do {
        let recipe = try Recipe(yaml: saved.recipe, file: "session")
        let measured = try saved.lastMeasured.map { try Recipe(yaml: $0, file: "session") }
        candidates.append(
          CandidateEntry(
            id: CandidateID(saved.number), recipe: recipe, of: project.model,
            lastMeasured: measured?.key, note: saved.note ?? ""))
      } catch {
        note("a candidate of the session is left out: \(error)", .warning)
      }
    }
    let known = Set(candidates.map(\.id))
    current =
      session.current.map { CandidateID($0) }.flatMap { known.contains($0) ? $0 : nil }
      ?? candidates.first?.id
    baseline = session.baseline.map { CandidateID($0) }.flatMap { known.contains($0) ? $0 : nil }
    let free = (candidates.map(\.id.number).max() ?? 0) + 1
    nextCandidate = Self.numbers.contains(session.next) ? Swift.max(session.next, free) : free
    let layers = Set(project.model.layers.map(\.name))
    marked = Set(session.marked).intersection(layers)
    if let saved = session.layer, layers.contains(saved) { layer = saved }
    compare = session.compare ?? CompareChoice()
    float32 = candidates.compactMap { trials[$0.recipe.key]?.float32 }.last
  }
}
