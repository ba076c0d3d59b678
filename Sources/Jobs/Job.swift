/// Names a job; later jobs have larger numbers.
package struct JobID: Hashable, Comparable, Sendable {
  package let number: Int
  package init(_ number: Int) { self.number = number }
  package static func < (a: JobID, b: JobID) -> Bool { a.number < b.number }
}

/// What a job tells of itself: a value to draw, log or compare.
package struct JobStatus: Sendable, Equatable {
  package enum State: Sendable, Equatable {
    case queued
    case running
    /// Stands still: another job measures time alone, or the user paused it.
    case paused
    case done
    case cancelled
    /// The sentence of the error that ended it.
    case failed(String)

    package var isOver: Bool {
      switch self {
      case .queued, .running, .paused: false
      case .done, .cancelled, .failed: true
      }
    }
  }

  package var id: JobID
  package var title: String
  package var state: State
  /// 0…1, or `nil` while the amount of work is unknown.
  package var fraction: Double?
  package var note: String
  /// Whether it measures time alone at the moment.
  package var isTiming: Bool
  /// Whether the user paused it.
  package var isHeld: Bool
  /// Seconds it has run, without those it stood still; 0 while queued.
  package var seconds: Double

  package init(
    id: JobID, title: String, state: State = .queued, fraction: Double? = nil, note: String = "",
    isTiming: Bool = false, isHeld: Bool = false, seconds: Double = 0
  ) {
    self.id = id
    self.title = title
    self.state = state
    self.fraction = fraction
    self.note = note
    self.isTiming = isTiming
    self.isHeld = isHeld
    self.seconds = seconds
  }

  /// Seconds still to go if the rest is as fast as what is done; `nil` before anything can be said.
  package var secondsLeft: Double? {
    guard let fraction, fraction > 0.02, seconds > 0.2, !state.isOver else { return nil }
    return seconds * (1 - fraction) / fraction
  }
}

/// Thrown out of a computation whose job was cancelled.
package struct JobCancelled: Error, Equatable { package init() {} }

/// Handed to the body of a job: the only thing a computation needs to know about jobs.
package struct Reporter: Sendable {
  private let onReport: @Sendable (Double?, String) throws -> Void
  private let onTiming: @Sendable (Bool) throws -> Void

  package init(
    report: @escaping @Sendable (Double?, String) throws -> Void,
    timing: @escaping @Sendable (Bool) throws -> Void = { _ in }
  ) {
    onReport = report
    onTiming = timing
  }

  /// For work outside a queue: nobody listens and nobody cancels.
  package static let silent = Reporter(report: { _, _ in })

  /// Tells how far the work is; throws `JobCancelled` when the job was cancelled, and waits while another job measures
  /// time or the user has paused this one.
  ///
  /// One call per unit of work (a batch, a layer) does all three.
  package func report(_ fraction: Double?, _ note: String = "") throws { try onReport(fraction, note) }

  /// Runs `body` with every other job paused at its next report, so that what it times is not disturbed.
  package func alone<R>(_ body: () throws -> R) throws -> R {
    try onTiming(true)
    defer { try? onTiming(false) }
    return try body()
  }

  /// A reporter whose 0…1 is the part `range` of this one's.
  package func part(_ range: ClosedRange<Double>) -> Reporter {
    Reporter(
      report: { fraction, note in
        try onReport(fraction.map { range.lowerBound + $0 * (range.upperBound - range.lowerBound) }, note)
      }, timing: onTiming)
  }
}
