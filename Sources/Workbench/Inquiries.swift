import Jobs

/// What became of a question that a job answers.
package enum Inquiry: Sendable, Hashable {
  case notAsked
  /// Asked, with the share that is done where the job has begun.
  case waiting(Double?)
  case done
  case failed(String)
}

/// Questions that a view asks and jobs answer: which are open, which job works at each, and which failed.
package struct Inquiries<Subject: Hashable & Sendable>: Sendable {
  /// Asked for, and neither answered nor given up yet.
  package private(set) var asked: Set<Subject> = []
  private var jobs: [JobID: Subject] = [:]
  /// Why the last attempt gave nothing.
  package private(set) var failures: [Subject: String] = [:]

  package init() {}

  package mutating func ask(_ subject: Subject) {
    asked.insert(subject)
    failures[subject] = nil
  }

  package mutating func started(_ job: JobID, _ subject: Subject) { jobs[job] = subject }

  /// Notes the end of a job, and returns what it was to answer; `nil` for another's, and while it runs.
  mutating func ended(_ status: JobStatus) -> Subject? {
    guard status.state.isOver, let subject = jobs.removeValue(forKey: status.id) else { return nil }
    asked.remove(subject)
    switch status.state {
    case .failed(let message): failures[subject] = message
    case .cancelled: failures[subject] = "cancelled"
    default: break
    }
    return subject
  }

  /// The job that works at a question.
  func job(of subject: Subject, among all: [JobStatus]) -> JobStatus? {
    all.last { !$0.state.isOver && jobs[$0.id] == subject }
  }

  /// What became of a subject.
  ///
  /// - Parameters:
  ///   - all: the jobs of the workbench.
  ///   - isAnswered: whether its answer is there.
  ///   - covers: whether the answer to a question holds that of the subject.
  func status(
    of subject: Subject, among all: [JobStatus], isAnswered: Bool, covers: (Subject) -> Bool
  ) -> Inquiry {
    if asked.contains(where: covers) {
      return .waiting(all.last { !$0.state.isOver && jobs[$0.id].map(covers) ?? false }?.fraction)
    }
    if let failure = failures[subject] { return .failed(failure) }
    return isAnswered ? .done : .notAsked
  }
}

extension State {
  /// Tells of a job that ended without an answer.
  mutating func noteEnd(_ status: JobStatus) {
    switch status.state {
    case .failed(let message): note("\(status.title): \(message)", .error)
    case .cancelled: note("\(status.title) cancelled", .warning)
    default: break
    }
  }
}
