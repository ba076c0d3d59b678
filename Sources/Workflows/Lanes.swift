import Tensors

/// Threads that work on batches side by side, each with programs of its own.
///
/// One batch on one thread beats one batch on all threads: nothing waits for anything between two steps.
package struct Lanes<Tools: Sendable>: Sendable {
  private let tools: [Tools]

  /// What the first lane works with.
  package var first: Tools { tools[0] }

  /// - Parameters:
  ///   - count: lanes, at least 1.
  ///   - make: makes what one lane works with.
  package init(_ count: Int, make: @Sendable () throws -> Tools) throws {
    tools = try Self.sideBySide(count) { _ in try make() }
  }

  /// What `body` gives for each number in `range`, in their order.
  ///
  /// Numbers are taken as lanes get free, so `body` must not depend on which lane it runs in.
  package func map<Result: Sendable>(
    _ range: Range<Int>, _ body: @Sendable (Tools, Int) throws -> Result
  ) throws -> [Result] {
    let next = Locked(range.lowerBound)
    let results = Locked([Result?](repeating: nil, count: range.count))
    _ = try Self.sideBySide(tools.count) { lane in
      while true {
        let number = next.withLock { next in
          defer { next += 1 }
          return next
        }
        guard number < range.upperBound else { return }
        do {
          let result = try body(tools[lane], number)
          results.withLock { $0[number - range.lowerBound] = result }
        } catch {
          next.withLock { $0 = range.upperBound }
          throw error
        }
      }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  private static func sideBySide<Result: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Result
  ) throws -> [Result] {
    let results = Locked([Swift.Result<Result, any Error>?](repeating: nil, count: count))
    parallel(count, grain: 1, threads: count) { range in
      for lane in range {
        let result = Swift.Result { try body(lane) }
        results.withLock { $0[lane] = result }
      }
    }
    return try results.withLock { $0.compactMap { $0 } }.map { try $0.get() }
  }
}
