import Analysis
import Jobs
import Quantization
import Workflows

/// Whose steps are timed.
package enum StepSubject: Sendable, Hashable {
  case float32
  /// A candidate, with its recipe's key.
  case candidate(CandidateID, Recipe)
}

/// Steps that were timed in this session, and those that are being timed.
package struct StepTimes: Sendable {
  /// What the Roofline view shows.
  package enum View: Sendable, Hashable {
    case candidate
    case float32
  }

  /// `nil` while the usual table of layers is seen.
  package var view: View?
  /// What the machine can do, once it was measured.
  package var peaks: Peaks?
  package var float32: BenchReport.Variant?
  /// By recipe key.
  package var recipes: [Recipe: BenchReport.Variant] = [:]
  /// The recipe each candidate was last timed with.
  package var last: [CandidateID: Recipe] = [:]
  package var inquiries = Inquiries<StepSubject>()
}

/// What the Roofline view has to draw.
package struct ShownSteps: Sendable {
  package var title: String
  package var variant: BenchReport.Variant?
  /// The rows belong to an earlier form of the recipe.
  package var isStale: Bool
  package var status: Inquiry
}

extension State {
  /// Whose steps a view is about; `nil` where there is no candidate.
  private func stepSubject(_ view: StepTimes.View) -> StepSubject? {
    switch view {
    case .float32: .float32
    case .candidate: currentEntry.map { .candidate($0.id, $0.recipe.key) }
    }
  }

  /// Whose steps the Roofline view is about; `nil` where it is not open or there is no candidate.
  private var stepSubject: StepSubject? { steps.view.flatMap(stepSubject) }

  /// What the Roofline view shows; `nil` where it is not open or there is no candidate.
  package var shownSteps: ShownSteps? { steps.view.flatMap(shownSteps) }

  /// What is known of the steps that a view is about, open or not; `nil` where there is no candidate.
  package func shownSteps(_ view: StepTimes.View) -> ShownSteps? {
    guard let subject = stepSubject(view) else { return nil }
    let fresh = freshSteps(subject)
    let variant = fresh ?? olderSteps(subject)
    let status = steps.inquiries.status(of: subject, among: jobs, isAnswered: fresh != nil) {
      covers($0, subject)
    }
    return ShownSteps(
      title: title(of: subject), variant: variant, isStale: fresh == nil && variant != nil, status: status)
  }

  private func title(of subject: StepSubject) -> String {
    switch subject {
    case .float32: "float32"
    case .candidate(let id, _): entry(id)?.title ?? id.letter
    }
  }

  private func freshSteps(_ subject: StepSubject) -> BenchReport.Variant? {
    switch subject {
    case .float32: steps.float32
    case .candidate(_, let recipe): steps.recipes[recipe]
    }
  }

  private func olderSteps(_ subject: StepSubject) -> BenchReport.Variant? {
    guard case .candidate(let id, _) = subject else { return nil }
    return steps.last[id].flatMap { steps.recipes[$0] }
  }

  /// Whether timing `asked` gives the steps of `subject`: float32 is timed in turn with every candidate.
  private func covers(_ asked: StepSubject, _ subject: StepSubject) -> Bool {
    asked == subject || subject == .float32
  }

  private func isAsked(_ subject: StepSubject) -> Bool {
    steps.inquiries.asked.contains { covers($0, subject) }
  }

  mutating func updateSteps(_ action: Action) -> [Effect] {
    switch action {
    case .showSteps(let view):
      steps.view = view
      if view != nil { blame.isShown = false }
      guard let subject = stepSubject, freshSteps(subject) == nil else { return [] }
      return ask(subject)
    case .timeSteps(let view):
      return stepSubject(view).map { ask($0) } ?? []
    case .stepsStarted(let job, let subject):
      steps.inquiries.started(job, subject)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver { stepJobChanged(status) }
      return []
    case .stepsTimed(let subject, let report):
      // What was not asked for belongs to a model that is no longer open.
      guard steps.inquiries.asked.contains(subject), let float32 = report.variants.first else { return [] }
      steps.peaks = report.peaks
      steps.float32 = float32
      if case .candidate(let id, let recipe) = subject, let own = report.variants.last {
        steps.recipes[recipe] = own
        steps.last[id] = recipe
      }
      return predictionsWithNewTimes()
    default: return []
    }
  }

  /// Asks for the steps of a candidate that comes into view and was never timed.
  ///
  /// An edit asks for nothing: its older rows stay, marked as stale.
  mutating func stepsOfNewCandidate() -> [Effect] {
    guard steps.view == .candidate, let subject = stepSubject, freshSteps(subject) == nil,
      olderSteps(subject) == nil, steps.inquiries.failures[subject] == nil
    else { return [] }
    return ask(subject)
  }

  private mutating func ask(_ subject: StepSubject) -> [Effect] {
    guard !isAsked(subject) else { return [] }
    steps.inquiries.ask(subject)
    return [.timeSteps(subject, title: title(of: subject))]
  }

  /// Notes the end of a job that timed steps.
  mutating func stepJobChanged(_ status: JobStatus) {
    if steps.inquiries.ended(status) != nil { noteEnd(status) }
  }
}
