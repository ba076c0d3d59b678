import Jobs
import Quantization
import Workflows

/// Who continues a text.
package struct ContinuationSubject: Sendable, Hashable {
  package var prompt: String
  /// Key of the candidate's recipe; `nil` for float32.
  package var recipe: Recipe?

  package init(prompt: String, recipe: Recipe?) {
    self.prompt = prompt
    self.recipe = recipe
  }
}

/// What a language model wrote behind a prompt, so far.
package struct Continuation: Sendable, Hashable {
  /// Without the prompt.
  package var text: String
  /// Whether no more comes.
  package var isWhole: Bool
  /// Tokens written each second, timed alone; `nil` until it is whole.
  package var tokensPerSecond: Double?

  package init(text: String, isWhole: Bool = false, tokensPerSecond: Double? = nil) {
    self.text = text
    self.isWhole = isWhole
    self.tokensPerSecond = tokensPerSecond
  }
}

/// What float32 and the candidates write behind one prompt.
package struct Continuations: Sendable {
  /// Whether the open model writes text at all.
  package var isOffered = false
  /// Empty until one is given.
  package internal(set) var prompt = ""
  package internal(set) var answers: [ContinuationSubject: Continuation] = [:]
  var inquiries = Inquiries<ContinuationSubject>()

  /// Tokens that are written behind a prompt, at most.
  package static let length = 96
}

/// One text beside the others.
package struct ShownContinuation: Sendable {
  package var title: String
  package var continuation: Continuation?
  package var status: Inquiry
}

extension State {
  /// float32, the current candidate and the others, each with what it wrote behind the prompt.
  package var shownContinuations: [ShownContinuation] {
    func shown(_ title: String, _ recipe: Recipe?) -> ShownContinuation {
      let subject = ContinuationSubject(prompt: continuations.prompt, recipe: recipe)
      let answer = continuations.answers[subject]
      let status = continuations.inquiries.status(
        of: subject, among: jobs, isAnswered: answer != nil, covers: { $0 == subject })
      return ShownContinuation(title: title, continuation: answer, status: status)
    }
    let others = candidates.filter { $0.id != current }
    return [shown("float32", nil)]
      + ([currentEntry].compactMap { $0 } + others).map { shown($0.title, $0.recipe.key) }
  }

  mutating func updateContinuations(_ action: Action) -> [Effect] {
    switch action {
    case .continueText(let prompt):
      if let prompt { continuations.prompt = prompt }
      guard continuations.isOffered, !continuations.prompt.isEmpty else { return [] }
      var effects = [ask("float32", nil)]
      for entry in candidates { effects.append(ask(entry.title, entry.recipe.key)) }
      return effects.compactMap(\.self)
    case .continuationStarted(let job, let subject):
      continuations.inquiries.started(job, subject)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }) { continuationJobChanged(status) }
      return []
    case .continued(let subject, let continuation):
      // What was not asked for belongs to a model that is no longer open.
      guard continuations.inquiries.asked.contains(subject) else { return [] }
      continuations.answers[subject] = continuation
      return []
    default: return []
    }
  }

  private mutating func ask(_ title: String, _ recipe: Recipe?) -> Effect? {
    let subject = ContinuationSubject(prompt: continuations.prompt, recipe: recipe)
    let isWhole = continuations.answers[subject]?.isWhole ?? false
    guard !isWhole, !continuations.inquiries.asked.contains(subject) else { return nil }
    continuations.inquiries.ask(subject)
    return .continueText(subject, title: title)
  }

  /// Notes the end of a job that wrote a text.
  mutating func continuationJobChanged(_ status: JobStatus) {
    if continuations.inquiries.ended(status) != nil { noteEnd(status) }
  }
}
