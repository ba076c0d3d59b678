import Glibc
import Jobs
import Tensors
import Testing

private final class Recorder: Sendable {
  let all = Locked<[JobStatus]>([])
  func note(_ status: JobStatus) { all.withLock { $0.append(status) } }
  func states(of id: JobID) -> [JobStatus.State] {
    all.withLock { $0.filter { $0.id == id }.map(\.state) }
  }
}

/// Waits, ten seconds at most, and says whether what was waited for came.
private func comes(_ condition: () -> Bool) -> Bool {
  let deadline = ContinuousClock.now + .seconds(10)
  while !condition() {
    if ContinuousClock.now > deadline { return false }
    usleep(20)
  }
  return true
}

private struct Broken: Error, CustomStringConvertible { let description = "it broke" }

@Test func jobsRunInOrderAndEnd() {
  let recorder = Recorder()
  let queue = JobQueue(workers: 1) { recorder.note($0) }
  let order = Locked<[Int]>([])
  let first = queue.submit("first") { _ in order.withLock { $0.append(1) } }
  let second = queue.submit("second") { _ in
    order.withLock { $0.append(2) }
    throw Broken()
  }
  queue.waitUntilIdle()
  #expect(order.withLock { $0 } == [1, 2])
  #expect(recorder.states(of: first).last == .done)
  #expect(recorder.states(of: second).last == .failed("it broke"))
  queue.stop()
}

@Test func aCancelledJobEndsAtItsNextReport() {
  let recorder = Recorder()
  let queue = JobQueue(workers: 1) { recorder.note($0) }
  let reports = Locked(0)
  let id = queue.submit("endless") { reporter in
    while true {
      reports.withLock { $0 += 1 }
      try reporter.report(nil)
    }
  }
  let waiting = queue.submit("never starts") { _ in }
  #expect(comes { reports.withLock { $0 } >= 10 })
  queue.cancel(waiting)
  queue.cancel(id)
  queue.waitUntilIdle()
  #expect(recorder.states(of: id).last == .cancelled)
  #expect(recorder.states(of: waiting) == [.queued, .cancelled])
  queue.stop()
}

@Test func aPausedJobStandsStillUntilItGoesOn() {
  let recorder = Recorder()
  let queue = JobQueue(workers: 2) { recorder.note($0) }
  let (reports, ended) = (Locked(0), Locked(false))
  let id = queue.submit("long") { reporter in
    while !ended.withLock({ $0 }) {
      reports.withLock { $0 += 1 }
      try reporter.report(nil)
    }
  }
  #expect(comes { reports.withLock { $0 } >= 10 })
  queue.setPaused(id, true)
  #expect(comes { recorder.states(of: id).last == .paused })
  #expect(queue.isIdle && recorder.all.withLock { $0.last?.isHeld } == true)
  let count = reports.withLock { $0 }
  // Who times need not wait for it, and what it times is not disturbed.
  let timed = Locked(false)
  let timing = queue.submit("timing") { try $0.alone { timed.withLock { $0 = true } } }
  #expect(comes { recorder.states(of: timing).last == .done })
  #expect(timed.withLock { $0 } && reports.withLock { $0 } == count)
  ended.withLock { $0 = true }
  queue.setPaused(id, false)
  queue.waitUntilIdle()
  #expect(recorder.states(of: id).last == .done)
  queue.stop()
}

/// The last that is heard of a job is the last that happened, whichever threads it happened on.
@Test func aPausedJobCanBeCancelled() {
  let recorder = Recorder()
  let queue = JobQueue(workers: 1) { recorder.note($0) }
  for _ in 0..<200 {
    let id = queue.submit("endless") { reporter in while true { try reporter.report(nil) } }
    queue.setPaused(id, true)
    guard comes({ recorder.states(of: id).last == .paused }) else {
      Issue.record("last heard \(recorder.states(of: id))")
      break
    }
    queue.cancel(id)
    queue.waitUntilIdle()
    #expect(recorder.states(of: id).last == .cancelled)
  }
  queue.stop()
}

@Test func timingRunsAlone() {
  let queue = JobQueue(workers: 2) { _ in }
  let isTiming = Locked(false)
  let disturbed = Locked(0)
  let ended = Locked(false)
  queue.submit("busy") { reporter in
    while !ended.withLock({ $0 }) {
      try reporter.report(nil)
      if isTiming.withLock({ $0 }) { disturbed.withLock { $0 += 1 } }
    }
  }
  queue.submit("timing") { reporter in
    for _ in 0..<20 {
      try reporter.alone {
        isTiming.withLock { $0 = true }
        for _ in 0..<10_000 { _ = isTiming.withLock { $0 } }
        isTiming.withLock { $0 = false }
      }
      try reporter.report(nil)
    }
    ended.withLock { $0 = true }
  }
  queue.waitUntilIdle()
  #expect(disturbed.withLock { $0 } == 0)
  queue.stop()
}

@Test func twoJobsThatMeasureTakeTurns() {
  let queue = JobQueue(workers: 2) { _ in }
  let inside = Locked(0)
  let overlaps = Locked(0)
  for _ in 0..<2 {
    queue.submit("timing") { reporter in
      for _ in 0..<50 {
        try reporter.alone {
          let count = inside.withLock { inside in
            inside += 1
            return inside
          }
          if count > 1 { overlaps.withLock { $0 += 1 } }
          inside.withLock { $0 -= 1 }
        }
        try reporter.report(nil)
      }
    }
  }
  queue.waitUntilIdle()
  #expect(overlaps.withLock { $0 } == 0)
  queue.stop()
}

@Test func aMailboxWakesOncePerBurst() {
  let wakes = Locked(0)
  let box = Mailbox<Int> { wakes.withLock { $0 += 1 } }
  for i in 0..<100 { box.post(i) }
  #expect(box.drain() == Array(0..<100))
  #expect(wakes.withLock { $0 } == 1)
  box.post(7)
  #expect(wakes.withLock { $0 } == 2)
}
