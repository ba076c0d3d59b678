import Execution
import Graph
import Jobs
import LanguageModels
import Quantization

/// A text to be continued, by float32 and by candidates.
package struct GenerationRequest: Sendable {
  package var prompt: String
  /// Tokens to write at most.
  package var limit: Int
  package var sampling: Sampling
  /// Tokens of prompt and text together; `nil` for what the model takes.
  package var context: Int?
  package var cache: KeyValueCache.Precision
  /// Whether a text goes on behind tokens that end it.
  package var ignoresEnd: Bool

  package init(
    prompt: String, limit: Int, sampling: Sampling = .greedy, context: Int? = nil,
    cache: KeyValueCache.Precision = .float32, ignoresEnd: Bool = false
  ) {
    self.prompt = prompt
    self.limit = limit
    self.sampling = sampling
    self.context = context
    self.cache = cache
    self.ignoresEnd = ignoresEnd
  }
}

/// What each wrote.
package struct GenerationReport: Sendable, Encodable {
  package struct Text: Sendable, Encodable {
    package var name: String
    package var execution: Trial.Execution
    package var text: String
    package var tokens: [Int]
    /// `end`, `limit`, `context` or `cancelled`.
    package var stop: String
    package var promptTokensPerSecond: Double?
    package var tokensPerSecond: Double?
    /// Of the keys and values of a full context.
    package var cacheBytes: Int
  }

  package var model: String
  package var prompt: String
  package var promptTokens: Int
  package var machine: Machine
  package var texts: [Text]
}

extension Project {
  /// Continues a text by float32 and each candidate in turn.
  ///
  /// - Parameters:
  ///   - candidates: `nil` stands for float32.
  ///   - onText: gets the name of each and its text as it grows.
  /// - Errors: `WorkflowError` where the model is no language model, `GenerationError`.
  package func generate(
    _ request: GenerationRequest, _ candidates: [(name: String, recipe: Recipe)?], reporter: Reporter,
    onText: (String, String) -> Void
  ) throws -> GenerationReport {
    var report = GenerationReport(
      model: model.path, prompt: request.prompt, promptTokens: try prompt(of: request).count,
      machine: .current(threads: threads), texts: [])
    for (number, named) in candidates.enumerated() {
      let name = named?.name ?? "float32"
      let part = reporter.part(
        Double(number) / Double(candidates.count)...Double(number + 1) / Double(candidates.count))
      let candidate = try named.map { try prepare($0.recipe, name: $0.name, reporter: part) }
      report.texts.append(
        try text(request, by: candidate, name: name, reporter: reporter) { onText(name, $0) })
      try part.report(1, "\(name) has written")
    }
    return report
  }

  /// Continues a text by one network.
  ///
  /// - Parameters:
  ///   - candidate: `nil` for float32.
  ///   - onText: gets the text piece by piece.
  /// - Errors: as for `generate`.
  package func text(
    _ request: GenerationRequest, by candidate: Candidate?, name: String, reporter: Reporter,
    onText: (String) -> Void
  ) throws -> GenerationReport.Text {
    let prompt = try prompt(of: request)
    let language = try language
    let generator = try Generator(
      candidate?.runnable() ?? EncodedGraph(graph: model.graph),
      .init(
        context: Swift.min(request.context ?? language.context, language.context), precision: request.cache,
        threads: threads))
    var growing = TextStream(language.tokenizer)
    var text = ""
    func add(_ more: String) {
      guard !more.isEmpty else { return }
      text += more
      onText(more)
    }
    let ends = Set((language.ends + [language.tokenizer.eos].compactMap { $0 }).map(Int.init))
    let result = try generator.generate(
      prompt, limit: request.limit, sampling: request.sampling, ends: request.ignoresEnd ? [] : ends,
      isCancelled: { (try? reporter.report(nil, "\(name) writes")) == nil },
      onToken: { add(growing.append(Int32($0))) })
    add(growing.finish())
    return GenerationReport.Text(
      name: name, execution: candidate?.execution ?? .float, text: text, tokens: result.tokens,
      stop: result.stop.name, promptTokensPerSecond: result.statistics.promptTokensPerSecond,
      tokensPerSecond: result.statistics.tokensPerSecond, cacheBytes: generator.cacheBytes)
  }

  private func prompt(of request: GenerationRequest) throws -> [Int] {
    try language.tokenizer.encode(request.prompt).map(Int.init)
  }

  private var language: Language {
    get throws {
      guard let language = model.language else {
        throw WorkflowError(
          "\(model.path): is no language model (expected a folder with a config.json or a .gguf file).")
      }
      return language
    }
  }
}

extension Generation.Stop {
  /// The word for it in reports.
  package var name: String {
    switch self {
    case .end: "end"
    case .limit: "limit"
    case .context: "context"
    case .cancelled: "cancelled"
    }
  }
}
