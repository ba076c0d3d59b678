import DequeModule
import Foundation
import Tensors

/// Runs jobs on threads of its own, oldest first, and tells what becomes of them.
///
/// The threads yield to the one that draws (a lower scheduling priority), so a key reaches the screen while every
/// core computes. A job that measures time runs alone: the others wait at their next report.
package final class JobQueue: Sendable {
  package typealias Work = @Sendable (Reporter) throws -> Void

  private struct Entry {
    var status: JobStatus
    var work: Work?
    var isCancelled = false
    var started: ContinuousClock.Instant?
    /// When progress was last told, so that a fast loop does not flood the listener.
    var told: ContinuousClock.Instant?
  }

  private struct State {
    var next = 1
    var waiting: Deque<JobID> = []
    var entries: [JobID: Entry] = [:]
    var running = 0
    /// The job that measures time, or wants to.
    var timing: JobID?
    /// Running jobs that stand still at a report.
    var parked = 0
    var stopped = false
    /// What the listener has yet to hear, in the order it happened.
    var untold: Deque<JobStatus> = []
    /// A thread is telling it.
    var isTelling = false

    /// Changes what is known of a job, and lets the listener hear of it.
    mutating func update(_ id: JobID, _ change: (inout JobStatus) -> Void) {
      guard var entry = entries[id] else { return }
      change(&entry.status)
      entries[id] = entry
      untold.append(entry.status)
    }

    /// Forgets a job that has ended.
    mutating func remove(_ id: JobID, _ change: (inout JobStatus) -> Void) {
      update(id, change)
      entries[id] = nil
    }

    /// Whether a running job has to stand still; one that measures time goes on to the end of that.
    func mustStand(_ id: JobID) -> Bool {
      timing != id && (timing != nil || entries[id]?.status.isHeld ?? false)
    }
  }

  private let state = Locked(State())
  /// Guards nothing itself: threads wait on it for changes of `state`.
  private let changed = NSCondition()
  private let notify: @Sendable (JobStatus) -> Void
  private static let reportInterval = Duration.milliseconds(50)

  /// - Parameters:
  ///   - workers: how many jobs may run at once.
  ///   - prepareThread: called once on each of its threads before any job.
  ///   - notify: called from job threads with every change worth showing.
  package init(
    workers: Int, prepareThread: @escaping @Sendable () -> Void = {},
    notify: @escaping @Sendable (JobStatus) -> Void
  ) {
    self.notify = notify
    for index in 0..<Swift.max(workers, 1) {
      let thread = Thread { [self] in
        prepareThread()
        serve()
      }
      thread.name = "job-\(index)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  @discardableResult
  package func submit(_ title: String, _ work: @escaping Work) -> JobID {
    let id = state.withLock { state in
      let id = JobID(state.next)
      state.next += 1
      let status = JobStatus(id: id, title: title)
      state.entries[id] = Entry(status: status, work: work)
      state.waiting.append(id)
      state.untold.append(status)
      return id
    }
    tell()
    signal()
    return id
  }

  /// Asks a job to end at its next report; one that has not begun never will.
  package func cancel(_ id: JobID) {
    state.withLock { state in
      state.entries[id]?.isCancelled = true
      guard let place = state.waiting.firstIndex(of: id) else { return }
      state.waiting.remove(at: place)
      state.remove(id) { $0.state = .cancelled }
    }
    tell()
    signal()
  }

  /// Lets a job stand still at its next report, or go on.
  package func setPaused(_ id: JobID, _ isPaused: Bool) {
    state.withLock { state in
      if state.entries[id]?.status.isHeld == !isPaused { state.update(id) { $0.isHeld = isPaused } }
    }
    tell()
    signal()
  }

  package func cancelAll() {
    for id in state.withLock({ Array($0.entries.keys) }) { cancel(id) }
  }

  /// Whether nothing is queued or running but what the user paused.
  package var isIdle: Bool { state.withLock { $0.entries.values.allSatisfy(\.status.isHeld) } }

  /// Blocks until no job is queued or running and the listener has heard of every end.
  package func waitUntilIdle() {
    wait { state.withLock { $0.entries.isEmpty && $0.untold.isEmpty && !$0.isTelling } }
  }

  /// Cancels everything and lets the threads end.
  package func stop() {
    state.withLock { $0.stopped = true }
    cancelAll()
    signal()
  }

  private func signal() {
    changed.lock()
    changed.broadcast()
    changed.unlock()
  }

  private func wait(until condition: () -> Bool) {
    changed.lock()
    while !condition() { changed.wait() }
    changed.unlock()
  }

  private func serve() {
    lowerPriority()
    while let (id, work) = take() { run(id, work) }
  }

  private func take() -> (JobID, Work)? {
    var taken: (JobID, Work)?
    wait {
      state.withLock { state in
        if state.stopped { return true }
        guard let id = state.waiting.popFirst(), let work = state.entries[id]?.work else { return false }
        state.entries[id]?.work = nil
        state.entries[id]?.started = .now
        state.update(id) { $0.state = .running }
        state.running += 1
        taken = (id, work)
        return true
      }
    }
    tell()
    return taken
  }

  private func run(_ id: JobID, _ work: Work) {
    let reporter = Reporter(
      report: { [self] in try report(id, $0, $1) },
      timing: { [self] in try $0 ? beginTiming(id) : endTiming(id) })
    let end: JobStatus.State
    do {
      try work(reporter)
      end = .done
    } catch is JobCancelled {
      end = .cancelled
    } catch {
      end = .failed("\(error)")
    }
    endTiming(id)
    state.withLock { state in
      state.running -= 1
      let took = state.entries[id]?.started.map { seconds(since: $0) } ?? 0
      state.remove(id) {
        $0.seconds = took
        $0.state = end
        if end == .done { $0.fraction = 1 }
      }
    }
    tell()
    signal()
  }

  private func report(_ id: JobID, _ fraction: Double?, _ note: String) throws {
    let mustPark = try state.withLock { state in
      guard var entry = state.entries[id], !entry.isCancelled else { throw JobCancelled() }
      entry.status.fraction = fraction ?? entry.status.fraction
      if !note.isEmpty { entry.status.note = note }
      entry.status.seconds = entry.started.map { seconds(since: $0) } ?? 0
      let isDue = entry.told.map { ContinuousClock.now - $0 >= Self.reportInterval } ?? true
      if isDue {
        entry.told = .now
        state.untold.append(entry.status)
      }
      state.entries[id] = entry
      return state.mustStand(id)
    }
    tell()
    if mustPark { try park(id) }
  }

  private func park(_ id: JobID) throws {
    state.withLock { state in
      state.update(id) { $0.state = .paused }
      state.parked += 1
    }
    tell()
    signal()
    let began = ContinuousClock.now
    var isCancelled = false
    wait {
      state.withLock { state in
        isCancelled = state.entries[id]?.isCancelled ?? true
        if state.mustStand(id) && !isCancelled { return false }
        state.parked -= 1  // at once: who wants to time must not take it for standing still
        if let started = state.entries[id]?.started {
          state.entries[id]?.started = started + (ContinuousClock.now - began)
        }
        state.update(id) { $0.state = .running }
        return true
      }
    }
    tell()
    if isCancelled { throw JobCancelled() }
  }

  /// Waits for the turn to measure and until every other running job stands still.
  private func beginTiming(_ id: JobID) throws {
    var isCancelled = false
    state.withLock { $0.parked += 1 }  // who waits for a turn disturbs nobody
    signal()
    wait {
      state.withLock { state in
        isCancelled = state.entries[id]?.isCancelled ?? true
        guard isCancelled || state.timing == nil || state.timing == id else { return false }
        if !isCancelled { state.timing = id }
        state.parked -= 1
        return true
      }
    }
    if isCancelled { throw JobCancelled() }
    wait { state.withLock { $0.parked >= $0.running - 1 || $0.entries[id]?.isCancelled ?? true } }
    state.withLock { state in state.update(id) { $0.isTiming = true } }
    tell()
  }

  private func endTiming(_ id: JobID) {
    let wasTiming = state.withLock { state in
      guard state.timing == id else { return false }
      state.timing = nil
      state.update(id) { $0.isTiming = false }
      return true
    }
    guard wasTiming else { return }
    tell()
    signal()
  }

  /// Tells the listener what has changed, one change after another in the order they happened.
  ///
  /// Were each thread to tell its own change, the older of two could arrive last and stay on the screen. So one thread
  /// tells them all, and what is called from the listener only adds to the list.
  private func tell() {
    var hasTold = false
    while true {
      let status = state.withLock { state -> JobStatus? in
        if !hasTold && state.isTelling { return nil }
        let next = state.untold.popFirst()
        state.isTelling = next != nil
        return next
      }
      guard let status else { break }
      hasTold = true
      notify(status)
    }
    if hasTold { signal() }
  }
}

private func seconds(since start: ContinuousClock.Instant) -> Double {
  let (whole, atto) = (ContinuousClock.now - start).components
  return Double(whole) + Double(atto) * 1e-18
}
