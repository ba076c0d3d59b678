import Analysis
import Jobs

/// What the advisor said of the open model, and whether it is being asked.
package struct AdviceState: Sendable {
  package var advice: Advice?
  /// Asked for, and neither answered nor given up yet.
  package var isAsked = false
  package var job: JobID?
  /// Why the last attempt gave nothing.
  package var failure: String?

  package init() {}
}

extension State {
  mutating func updateAdvice(_ action: Action) -> [Effect] {
    switch action {
    case .advise:
      guard project != nil, !advice.isAsked else { return [] }
      advice.isAsked = true
      advice.failure = nil
      return [.advise]
    case .adviceStarted(let job):
      advice.job = job
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver { adviceJobChanged(status) }
      return []
    case .advised(let answer):
      // What was not asked for belongs to a model that is no longer open.
      guard advice.isAsked else { return [] }
      advice.advice = answer
      note(answer.headline, .good)
      for caveat in answer.caveats { note(caveat, .warning) }
      return []
    default: return []
    }
  }

  /// Notes the end of the job that measured for the advisor.
  mutating func adviceJobChanged(_ status: JobStatus) {
    guard status.state.isOver, status.id == advice.job else { return }
    advice.job = nil
    advice.isAsked = false
    switch status.state {
    case .failed(let message):
      advice.failure = message
      note("\(status.title): \(message)", .error)
    case .cancelled:
      advice.failure = "cancelled"
      note("\(status.title) cancelled", .warning)
    default: break
    }
  }
}
