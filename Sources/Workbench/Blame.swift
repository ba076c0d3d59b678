import Analysis
import Jobs
import Quantization

/// A candidate whose error is traced, with its recipe's key.
package struct BlameSubject: Sendable, Hashable {
  package var candidate: CandidateID
  package var recipe: Recipe

  package init(candidate: CandidateID, recipe: Recipe) {
    self.candidate = candidate
    self.recipe = recipe
  }
}

/// What is known of where errors come from, in this session.
package struct BlameResults: Sendable {
  /// Whether the Blame view is seen instead of the table of layers.
  package var isShown = false
  /// By recipe key.
  package var reports: [Recipe: BlameReport] = [:]
  /// The recipe that each candidate's last answer is of.
  package var last: [CandidateID: Recipe] = [:]
  package var inquiries = Inquiries<BlameSubject>()
}

/// What the Blame view has to draw.
package struct ShownBlame: Sendable {
  package var title: String
  package var report: BlameReport?
  /// The figures belong to an earlier form of the recipe.
  package var isStale: Bool
  package var status: Inquiry
}

extension State {
  /// Whose error the Blame view is about; `nil` where it is not open or there is no candidate.
  private var blameSubject: BlameSubject? {
    guard blame.isShown else { return nil }
    return currentEntry.map { BlameSubject(candidate: $0.id, recipe: $0.recipe.key) }
  }

  /// What the Blame view shows; `nil` where it is not open or there is no candidate.
  package var shownBlame: ShownBlame? {
    guard let subject = blameSubject, let entry = currentEntry else { return nil }
    let fresh = blame.reports[subject.recipe]
    let report = fresh ?? olderBlame(subject)
    let status = blame.inquiries.status(of: subject, among: jobs, isAnswered: fresh != nil) { $0 == subject }
    return ShownBlame(
      title: entry.title, report: report, isStale: fresh == nil && report != nil, status: status)
  }

  private func olderBlame(_ subject: BlameSubject) -> BlameReport? {
    blame.last[subject.candidate].flatMap { blame.reports[$0] }
  }

  mutating func updateBlame(_ action: Action) -> [Effect] {
    switch action {
    case .showBlame(let isShown):
      blame.isShown = isShown
      if isShown { steps.view = nil }
      guard let subject = blameSubject, blame.reports[subject.recipe] == nil else { return [] }
      return ask(subject)
    case .findBlame:
      return blameSubject.map { ask($0) } ?? []
    case .blameStarted(let job, let subject):
      blame.inquiries.started(job, subject)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver { blameJobChanged(status) }
      return []
    case .blamed(let subject, let report):
      // What was not asked for belongs to a model that is no longer open.
      guard blame.inquiries.asked.contains(subject) else { return [] }
      blame.reports[subject.recipe] = report
      blame.last[subject.candidate] = subject.recipe
      return []
    default: return []
    }
  }

  private mutating func ask(_ subject: BlameSubject) -> [Effect] {
    guard !blame.inquiries.asked.contains(subject), let entry = entry(subject.candidate) else { return [] }
    blame.inquiries.ask(subject)
    return [.blame(subject, title: entry.title)]
  }

  /// Asks what the open view wants to know of a candidate that comes into it and was never asked about.
  ///
  /// An edit asks for nothing: its older figures stay, marked as stale.
  mutating func questionsOfNewCandidate() -> [Effect] {
    guard let subject = blameSubject else { return stepsOfNewCandidate() }
    guard blame.reports[subject.recipe] == nil, olderBlame(subject) == nil,
      blame.inquiries.failures[subject] == nil
    else { return [] }
    return ask(subject)
  }

  /// Notes the end of a job that traced an error.
  mutating func blameJobChanged(_ status: JobStatus) {
    if blame.inquiries.ended(status) != nil { noteEnd(status) }
  }
}
