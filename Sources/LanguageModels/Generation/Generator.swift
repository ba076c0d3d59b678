import CKernels
import Execution
import Glibc
import Graph
import Tensors

/// Writes text with a decoder: the prompt in chunks, then token by token, each computed once and kept in a cache.
///
/// The graph's inputs are `tokens` and `positions`, int64 `[1, length]`, its output are logits
/// `[…, length, vocabulary]`. One caller at a time.
package final class Generator {
  package struct Options: Sendable {
    /// Tokens a text may have, prompt included; at most the model's positions.
    package var context: Int
    package var precision: KeyValueCache.Precision
    package var threads: Int
    package var level: ck_level?
    /// Tokens that go together while a prompt is read, the most first; a program is made for each that is used.
    package var chunks: [Chunk]

    package init(
      context: Int, precision: KeyValueCache.Precision = .float32, threads: Int = 1, level: ck_level? = nil,
      chunks: [Chunk] = Chunk.usual
    ) {
      self.context = context
      self.precision = precision
      self.threads = threads
      self.level = level
      self.chunks = chunks
    }
  }

  /// A program for `length` tokens, used where at least `from` are left to compute: it is filled up.
  package struct Chunk: Sendable, Hashable {
    package var length: Int
    package var from: Int

    package init(length: Int, from: Int) {
      self.length = length
      self.from = from
    }

    /// 32 tokens together take about as long as three alone, which are bound by reading the weights.
    package static let usual = [Chunk(length: 256, from: 128), Chunk(length: 32, from: 3)]
  }

  package let vocabulary: Int
  package let context: Int
  private let encoded: EncodedGraph
  private let options: Options
  private let cache: KeyValueCache
  private var programs: [Int: Compiled] = [:]
  /// The tokens whose keys and values the cache holds.
  private var held: [Int] = []

  /// A program for a fixed number of tokens, and where its inputs and outputs lie.
  private final class Compiled {
    let length: Int
    let program: Program
    let tokens: UnsafeMutableBufferPointer<Int64>
    let positions: UnsafeMutableBufferPointer<Int64>
    /// Where the row wanted is an input.
    let row: UnsafeMutableBufferPointer<Int64>?
    let logits: Tensor

    init(_ encoded: EncodedGraph, length: Int, options: Options, cache: KeyValueCache) throws {
      self.length = length
      var shapes = Dictionary(uniqueKeysWithValues: encoded.graph.inputs.map { ($0.name, [1, length]) })
      let picking = try encoded.withRowPicked(inputShapes: shapes)
      if picking != nil { shapes[EncodedGraph.rowInput] = [1] }
      program = try compile(
        picking ?? encoded,
        CompileOptions(inputShapes: shapes, threads: options.threads, level: options.level, cache: cache))
      guard let tokens = program.memory(ofInput: "tokens"),
        let positions = program.memory(ofInput: "positions"), program.outputs.count == 1,
        let logits = try program.views()[program.outputs[0].name], logits.type == .float32,
        let vocabulary = logits.shape.last, vocabulary > 0,
        logits.count == vocabulary * (picking == nil ? length : 1)
      else {
        throw GenerationError.unsupported(
          "it has inputs \(program.inputs.map(\.name)) and outputs \(program.outputs.map(\.name)) (expected "
            + "tokens, positions and one row of float32 logits for each token)")
      }
      self.tokens = tokens.bindMemory(to: Int64.self)
      self.positions = positions.bindMemory(to: Int64.self)
      row = picking == nil ? nil : program.memory(ofInput: EncodedGraph.rowInput)?.bindMemory(to: Int64.self)
      self.logits = logits
    }
  }

  /// - Errors: `GenerationError` and what compiling throws.
  package init(_ encoded: EncodedGraph, _ options: Options) throws {
    guard Set(encoded.graph.inputs.map(\.name)) == ["tokens", "positions"] else {
      throw GenerationError.unsupported(
        "its inputs are \(encoded.graph.inputs.map(\.name)) (expected tokens and positions)")
    }
    guard options.context > 0 else {
      throw GenerationError.unsupported("its context has \(options.context) tokens")
    }
    self.encoded = encoded
    self.options = options
    context = options.context
    cache = KeyValueCache(capacity: options.context, precision: options.precision)
    let one = try Compiled(encoded, length: 1, options: options, cache: cache)
    vocabulary = one.logits.shape.last ?? 0
    programs[1] = one
  }

  /// Bytes of the cache when it is full.
  package var cacheBytes: Int { cache.byteCount }
  /// Bytes of the packed weights of all programs made so far.
  package var packedWeightBytes: Int { programs.values.reduce(0) { $0 + $1.program.packedWeightBytes } }
  /// What the program for one token does.
  package var steps: [StepInfo] { programs[1]?.program.steps ?? [] }

  /// Writes up to `limit` tokens behind a prompt.
  ///
  /// Tokens the prompt shares with the text before are not computed again.
  /// - Parameters:
  ///   - ends: tokens that end a text.
  ///   - isCancelled: asked between chunks of the prompt and between tokens.
  ///   - onToken: gets each token as it is written.
  /// - Errors: `GenerationError`.
  package func generate(
    _ prompt: [Int], limit: Int, sampling: Sampling = .greedy, ends: Set<Int> = [],
    isCancelled: () -> Bool = { false }, onToken: (Int) -> Void = { _ in }
  ) throws -> Generation {
    guard !prompt.isEmpty else { throw GenerationError.emptyPrompt }
    guard prompt.count <= context else {
      throw GenerationError.promptTooLong(tokens: prompt.count, context: context)
    }
    if let token = prompt.first(where: { !(0..<vocabulary).contains($0) }) {
      throw GenerationError.token(token, vocabulary: vocabulary)
    }
    if let problem = sampling.problem { throw GenerationError.sampling(problem) }
    var result = Generation(tokens: [], stop: .limit, statistics: .init())
    result.tokens.reserveCapacity(min(limit, context))
    held.reserveCapacity(context)
    var sampler = Sampler(sampling, vocabulary: vocabulary)
    for token in prompt { sampler.note(token) }
    guard limit > 0 else { return result }
    guard var source = try read(prompt, &result.statistics, isCancelled) else {
      result.stop = .cancelled
      return result
    }
    while true {
      guard let token = next(&sampler, source) else {
        throw GenerationError.notANumber(position: cache.length - 1)
      }
      if ends.contains(token) {
        result.stop = .end(token)
        return result
      }
      result.tokens.append(token)
      sampler.note(token)
      onToken(token)
      if result.tokens.count >= limit { return result }
      if cache.length >= context {
        result.stop = .context
        return result
      }
      if isCancelled() {
        result.stop = .cancelled
        return result
      }
      let start = Self.now()
      source = try write(token)
      result.statistics.tokens += 1
      result.statistics.seconds += Self.now() - start
    }
  }

  /// Logits `[vocabulary]` behind a prompt, as `generate` sees them for its first token.
  package func logits(_ prompt: [Int]) throws -> [Float] {
    var statistics = Generation.Statistics()
    guard !prompt.isEmpty, let source = try read(prompt, &statistics, { false }) else {
      throw GenerationError.emptyPrompt
    }
    return withLogits(source) { Array($0) }
  }

  /// A row of logits that a program left behind.
  private struct Source {
    let compiled: Compiled
    let row: Int
  }

  private func withLogits<R>(_ source: Source, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
    source.compiled.logits.withBytes { bytes in
      let all = bytes.bindMemory(to: Float.self)
      return body(UnsafeBufferPointer(rebasing: all[source.row * vocabulary..<(source.row + 1) * vocabulary]))
    }
  }

  private func next(_ sampler: inout Sampler, _ source: Source) -> Int? {
    withLogits(source) { sampler.next($0) }
  }

  /// Computes what the cache does not hold of a prompt; `nil` where it was cancelled.
  private func read(
    _ prompt: [Int], _ statistics: inout Generation.Statistics, _ isCancelled: () -> Bool
  ) throws -> Source? {
    // The last token is computed again, because its logits are wanted.
    var shared = 0
    while shared < min(held.count, prompt.count - 1), held[shared] == prompt[shared] { shared += 1 }
    forget(after: shared)
    var source: Source?
    var start = shared
    while start < prompt.count {
      if isCancelled() { return nil }
      let left = prompt.count - start
      let length = options.chunks.first { left >= $0.from }?.length ?? 1
      let compiled = try compiled(length)
      let began = Self.now()
      let end = min(prompt.count, start + length)
      source = try run(compiled, count: end - start) { prompt[start + $0] }
      statistics.promptSeconds += Self.now() - began
      statistics.promptTokens += end - start
      start = end
    }
    return source
  }

  private func write(_ token: Int) throws -> Source { try run(compiled(1), count: 1) { _ in token } }

  private func compiled(_ length: Int) throws -> Compiled {
    if let known = programs[length] { return known }
    let new = try Compiled(encoded, length: length, options: options, cache: cache)
    programs[length] = new
    return new
  }

  /// Runs a program on `count` tokens, filled up to its length, and keeps them.
  private func run(_ compiled: Compiled, count: Int, _ token: (Int) -> Int) throws -> Source {
    let first = cache.length
    for i in 0..<compiled.length {
      // What fills a chunk up is nowhere read; its numbers only have to exist.
      compiled.tokens[i] = i < count ? Int64(token(i)) : 0
      compiled.positions[i] = Int64(first + min(i, count - 1))
    }
    compiled.row?[0] = Int64(count - 1)
    cache.incoming = count
    do {
      try compiled.program.execute()
    } catch {
      forget(after: first)
      throw error
    }
    for i in 0..<count { held.append(token(i)) }
    cache.length = first + count
    return Source(compiled: compiled, row: compiled.row == nil ? count - 1 : 0)
  }

  private func forget(after count: Int) {
    held.removeLast(held.count - count)
    cache.length = count
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
