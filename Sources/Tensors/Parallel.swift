import Dispatch

/// Runs `body` over `0..<count` in chunks of `grain`, on the calling thread and others.
///
/// Chunks are the same whatever the number of threads, so results are too. `body` must not throw and must write
/// only what belongs to its range.
package func parallel(_ count: Int, grain: Int, threads: Int, _ body: @Sendable (Range<Int>) -> Void) {
  let chunks = (count + grain - 1) / Swift.max(grain, 1)
  if chunks <= 1 || threads <= 1 {
    for chunk in 0..<chunks { body(chunk * grain..<Swift.min((chunk + 1) * grain, count)) }
    return
  }
  let workers = Swift.min(threads, chunks)
  DispatchQueue.concurrentPerform(iterations: workers) { worker in
    for chunk in stride(from: worker, to: chunks, by: workers) {
      body(chunk * grain..<Swift.min((chunk + 1) * grain, count))
    }
  }
}
