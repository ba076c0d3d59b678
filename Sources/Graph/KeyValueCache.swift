import Glibc
import Tensors

/// The keys and values of one sequence, kept between runs so that every token is computed once.
///
/// Programs compiled with the same cache share it: those for one token and those for chunks of a prompt. Each run puts
/// the keys and values of its tokens behind the `length` that are there; whoever runs them then advances `length`.
/// One program at a time may use it.
package final class KeyValueCache: @unchecked Sendable {
  /// How keys and values are kept.
  package enum Precision: String, Sendable, Hashable, CaseIterable {
    case float32
    /// Codes −127…127 with one float32 scale for each head and position.
    case int8
  }

  /// Tokens there is room for.
  package let capacity: Int
  package let precision: Precision
  /// What kernels read: tokens kept, and how many of the next run's are to be.
  package let counts: UnsafeMutablePointer<Int>
  private var entries: [String: Entry] = [:]

  package init(capacity: Int, precision: Precision = .float32) {
    precondition(capacity > 0, "a cache has room")
    self.capacity = capacity
    self.precision = precision
    counts = .allocate(capacity: 2)
    counts[0] = 0
    counts[1] = -1
  }

  deinit { counts.deallocate() }

  /// Tokens whose keys and values are kept.
  ///
  /// Setting it to less forgets the tokens after it.
  package var length: Int {
    get { counts[0] }
    set {
      precondition((0...capacity).contains(newValue), "a length within the capacity")
      counts[0] = newValue
    }
  }

  /// How many tokens of the next runs are kept; `nil` for all.
  ///
  /// The rest only fills a chunk up.
  package var incoming: Int? {
    get { counts[1] < 0 ? nil : counts[1] }
    set { counts[1] = newValue ?? -1 }
  }

  /// Bytes that all keys and values take when the cache is full.
  package var byteCount: Int { entries.values.reduce(0) { $0 + $1.byteCount } }

  /// Where the node `name` keeps its keys and values; made when it is first asked for.
  ///
  /// - Errors: `OperatorError` where the node has other sizes than before.
  package func entry(_ name: String, heads: Int, size: Int, valueSize: Int) throws -> Entry {
    if let known = entries[name] {
      guard known.heads == heads, known.size == size, known.valueSize == valueSize else {
        throw OperatorError(
          "its \(heads) heads of \(size) and \(valueSize) features do not fit the cache, which holds "
            + "\(known.heads) of \(known.size) and \(known.valueSize). Give each model a cache of its own.")
      }
      return known
    }
    let entry = Entry(heads: heads, size: size, valueSize: valueSize, self)
    entries[name] = entry
    return entry
  }

  /// The keys `[heads, capacity, size]` and values `[heads, capacity, valueSize]` of one attention.
  package final class Entry: @unchecked Sendable {
    package let heads: Int
    package let size: Int
    package let valueSize: Int
    /// float32, or uint8 codes moved by 128.
    package let keys: UnsafeMutableRawPointer
    package let values: UnsafeMutableRawPointer
    /// `[heads, capacity]` each, where there are codes.
    package let keyScales: UnsafeMutablePointer<Float>?
    package let valueScales: UnsafeMutablePointer<Float>?
    package let byteCount: Int

    fileprivate init(heads: Int, size: Int, valueSize: Int, _ cache: KeyValueCache) {
      self.heads = heads
      self.size = size
      self.valueSize = valueSize
      let positions = heads * cache.capacity
      let bytes = cache.precision == .int8 ? 1 : 4
      // Memory of the system's own: pages take room when they are first written.
      func memory(_ elements: Int, _ bytes: Int) -> UnsafeMutableRawPointer {
        guard let memory = calloc(Swift.max(1, elements), bytes) else { preconditionFailure("out of memory") }
        return memory
      }
      keys = memory(positions * size, bytes)
      values = memory(positions * valueSize, bytes)
      let isCoded = cache.precision == .int8
      keyScales = isCoded ? memory(positions, 4).bindMemory(to: Float.self, capacity: positions) : nil
      valueScales = isCoded ? memory(positions, 4).bindMemory(to: Float.self, capacity: positions) : nil
      byteCount = positions * ((size + valueSize) * bytes + (isCoded ? 8 : 0))
    }

    deinit {
      free(keys)
      free(values)
      free(keyScales)
      free(valueScales)
    }
  }
}
