import CAllocations
import Execution
import Graph
import LanguageModels
import Operators
import Tensors
import Testing

/// Decoding with a cache against the whole computation without one.
@Suite struct GeneratorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var decoder: TinyDecoder
  }

  static let cases = [
    Case(testDescription: "shared keys", decoder: TinyDecoder()),
    Case(testDescription: "own keys, interleaved", decoder: TinyDecoder(kvHeads: 4, isInterleaved: true)),
    Case(testDescription: "one head of keys, softcap", decoder: TinyDecoder(kvHeads: 1, softcap: 3)),
    Case(testDescription: "window of 9", decoder: TinyDecoder(window: 9)),
  ]

  static let chunks: [[Generator.Chunk]] = [
    [], [.init(length: 7, from: 1)], [.init(length: 16, from: 16), .init(length: 3, from: 2)],
    [.init(length: 100, from: 40)], Generator.Chunk.usual,
  ]

  private func generator(
    _ graph: Graph, context: Int = 120, _ precision: KeyValueCache.Precision = .float32,
    chunks: [Generator.Chunk] = Generator.Chunk.usual, threads: Int = 1
  ) throws -> Generator {
    try Generator(
      EncodedGraph(graph: graph),
      .init(context: context, precision: precision, threads: threads, chunks: chunks))
  }

  @Test(arguments: cases, chunks)
  func cacheChangesNothing(_ example: Case, chunks: [Generator.Chunk]) throws {
    let graph = example.decoder.graph()
    let generator = try generator(graph, chunks: chunks)
    let tokens = TinyDecoder.tokens(90)
    let expected = try graph.logits(tokens)
    // A prompt, a longer one that begins with it, single tokens, and a text that leaves it early.
    for count in [41, 83, 84, 85, 12, 90] {
      let found = try generator.logits(Array(tokens[..<count]))
      #expect(relativeDifference(found, expected[count - 1]) <= 1e-4, "\(count) tokens")
    }
    #expect(
      generator.steps.allSatisfy { !$0.kernel.hasPrefix("reference") }, "\(generator.steps.map(\.kernel))")
  }

  /// Keys and values in 8 bits: within 3 % of the largest logit.
  @Test(arguments: cases)
  func narrowCacheIsClose(_ example: Case) throws {
    let graph = example.decoder.graph()
    let generator = try generator(graph, .int8)
    let tokens = TinyDecoder.tokens(90)
    let expected = try graph.logits(tokens)
    var worst: Float = 0
    for count in [41, 83, 84, 90] {
      worst = max(
        worst, relativeDifference(try generator.logits(Array(tokens[..<count])), expected[count - 1]))
    }
    #expect(worst <= 0.03)
    #expect(worst > 0)
  }

  @Test func narrowCacheIsSmall() throws {
    let graph = TinyDecoder().graph()
    let (wide, narrow) = (try generator(graph).cacheBytes, try generator(graph, .int8).cacheBytes)
    // Two blocks, two heads, keys and values of 8 features, 120 tokens.
    #expect(wide == 2 * 2 * 2 * 8 * 120 * 4)
    #expect(narrow == 2 * 2 * 120 * (2 * 8 + 2 * 4))
  }

  @Test(arguments: [1, 2])
  func greedyIsTheLargestLogitOfWholeRuns(threads: Int) throws {
    let graph = TinyDecoder().graph(seed: 3)
    let prompt = TinyDecoder.tokens(5)
    var text = prompt
    for _ in 0..<24 {
      let logits = try #require(try graph.logits(text).last)
      text.append(try #require(logits.indices.max { logits[$0] < logits[$1] }))
    }
    var streamed: [Int] = []
    let result = try generator(graph, threads: threads).generate(prompt, limit: 24) { streamed.append($0) }
    #expect(result.tokens == Array(text.dropFirst(5)))
    #expect(streamed == result.tokens)
    #expect(result.stop == .limit)
    #expect(result.statistics.promptTokens == 5 && result.statistics.tokens == 23)
    #expect(result.statistics.tokensPerSecond ?? 0 > 0)
  }

  @Test func stopsWhereItMust() throws {
    let graph = TinyDecoder().graph(seed: 3)
    let prompt = TinyDecoder.tokens(5)
    let generator = try generator(graph, context: 12)
    let all = try generator.generate(prompt, limit: 100)
    // Seven tokens fill the context, and the one behind the last needs no room.
    #expect(all.stop == .context)
    #expect(all.tokens.count == 8)
    let end = all.tokens[3]
    let first = try #require(all.tokens.firstIndex(of: end))
    let ended = try generator.generate(prompt, limit: 100, ends: [end])
    #expect(ended.stop == .end(end))
    #expect(ended.tokens == Array(all.tokens[..<first]))
    var asked = 0
    let cancelled = try generator.generate(
      prompt, limit: 100,
      isCancelled: {
        asked += 1
        return asked > 3
      })
    #expect(cancelled.stop == .cancelled)
    #expect(cancelled.tokens == Array(all.tokens[..<cancelled.tokens.count]))
    #expect(cancelled.tokens.count < 4)
  }

  @Test func wrongPromptsAreRefused() throws {
    let generator = try generator(TinyDecoder().graph(), context: 12)
    #expect(throws: GenerationError.emptyPrompt) { try generator.generate([], limit: 1) }
    #expect(throws: GenerationError.promptTooLong(tokens: 13, context: 12)) {
      try generator.generate(TinyDecoder.tokens(13), limit: 1)
    }
    #expect(throws: GenerationError.token(61, vocabulary: 61)) { try generator.generate([1, 61], limit: 1) }
    #expect(throws: GenerationError.sampling("top-p is 0.0 (expected more than 0, at most 1)")) {
      try generator.generate([1], limit: 1, sampling: Sampling(temperature: 1, topP: 0))
    }
    var graph = TinyDecoder().graph()
    graph.inputs.append(ValueInfo(name: "other", type: .int64, dimensions: [.fixed(1), .fixed(1)]))
    #expect(throws: GenerationError.self) { try Generator(EncodedGraph(graph: graph), .init(context: 12)) }
  }

  @Test func aFullCacheIsAnError() throws {
    let cache = KeyValueCache(capacity: 4)
    let program = try compile(
      EncodedGraph(graph: TinyDecoder().graph()),
      CompileOptions(inputShapes: ["tokens": [1, 3], "positions": [1, 3]], cache: cache))
    let inputs = [
      "tokens": Tensor([Int64(1), 2, 3], shape: [1, 3]),
      "positions": Tensor([Int64(0), 1, 2], shape: [1, 3]),
    ]
    _ = try program.run(inputs)
    cache.length = 3
    let error = #expect(throws: ExecutionError.self) { try program.run(inputs) }
    #expect(error?.description.contains("no room for more tokens") == true)
    cache.incoming = 1
    _ = try program.run(inputs)
  }

  @Test func aCacheFitsOneModel() throws {
    let cache = KeyValueCache(capacity: 4)
    let shapes = ["tokens": [1, 1], "positions": [1, 1]]
    _ = try compile(
      EncodedGraph(graph: TinyDecoder().graph()), CompileOptions(inputShapes: shapes, cache: cache))
    #expect(throws: ExecutionError.self) {
      try compile(
        EncodedGraph(graph: TinyDecoder(kvHeads: 4).graph()),
        CompileOptions(inputShapes: shapes, cache: cache))
    }
  }

  @Test(
    .enabled(if: isOptimized, "a debug build allocates temporary buffers"),
    arguments: [Sampling.greedy, Sampling(temperature: 0.8, topK: 20, topP: 0.9, repetitionPenalty: 1.1)],
    KeyValueCache.Precision.allCases)
  func decodingAllocatesNothing(_ sampling: Sampling, _ precision: KeyValueCache.Precision) throws {
    let generator = try generator(TinyDecoder().graph(), precision)
    var counts = [Int](repeating: 0, count: 40)
    var count = 0
    _ = try generator.generate(TinyDecoder.tokens(5), limit: 40, sampling: sampling) { _ in
      counts[count] = allocations()
      count += 1
    }
    #expect(count == 40)
    #expect(counts[39] == counts[2])
  }
}

/// Without optimisation Swift puts its temporary buffers on the heap.
private let isOptimized: Bool = {
  var isChecked = false
  assert(
    {
      isChecked = true
      return true
    }())
  return !isChecked
}()
