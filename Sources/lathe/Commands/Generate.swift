import ArgumentParser
import Execution
import Foundation
import Graph
import LanguageModels
import Quantization
import Workflows

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continue a text with a language model: float32 and each candidate, one after the other.")

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipes: RecipeOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "The text to continue.")
  var prompt: String

  @Option(help: "Tokens to write at most.")
  var tokens = 100

  @Option(help: "0 always takes the most likely token; 1 draws by the model's probabilities.")
  var temperature: Float = 0

  @Option(name: .customLong("top-k"), help: "Draw from this many of the most likely tokens (0: all).")
  var topK = 0

  @Option(name: .customLong("top-p"), help: "Draw from the smallest set with this probability.")
  var topP: Float = 1

  @Option(name: .customLong("min-p"), help: "Leave out tokens less likely than this share of the first's.")
  var minP: Float = 0

  @Option(name: .customLong("repetition-penalty"), help: "Make tokens of the text less likely (1: not).")
  var repetitionPenalty: Float = 1

  @Option(help: "Tokens that prompt and text may have together (default: what the model takes).")
  var context: Int?

  @Option(help: "How keys and values are kept: float32 or int8.")
  var cache = KeyValueCache.Precision.float32

  @Flag(name: .customLong("ignore-end"), help: "Go on behind tokens that end a text.")
  var ignoresEnd = false

  @Flag(name: .customLong("only-candidates"), help: "Do not run float32.")
  var onlyCandidates = false

  func validate() throws {
    if tokens < 1 { throw ValidationError("--tokens \(tokens): expected at least 1.") }
    if let context, context < 1 { throw ValidationError("--context \(context): expected at least 1.") }
    if let problem = sampling.problem { throw ValidationError("\(problem).") }
    if onlyCandidates, recipes.recipe.isEmpty, recipes.preset.isEmpty {
      throw ValidationError("--only-candidates: give at least one --recipe or --preset.")
    }
  }

  private var sampling: Sampling {
    Sampling(
      temperature: temperature, topK: topK, topP: topP, minP: minP, repetitionPenalty: repetitionPenalty,
      seed: common.seed ?? 0)
  }

  func run() throws {
    let project = try model.open(common)
    let candidates = try recipes.load(seed: common.seed, for: project.model)
    let request = GenerationRequest(
      prompt: prompt, limit: tokens, sampling: sampling, context: context, cache: cache,
      ignoresEnd: ignoresEnd)
    var runs: [(name: String, recipe: Recipe)?] = onlyCandidates ? [] : [nil]
    for candidate in candidates { runs.append(candidate) }
    var current: String?
    let report = try project.generate(
      request, runs, reporter: Output.reporter(quiet: true)
    ) { name, text in
      guard !output.json else { return }
      if current != name {
        Output.text((current == nil ? "" : "\n\n") + "── \(name) ──\n\(prompt)")
        current = name
      }
      Output.text(text)
    }
    if output.json { return try Output.json(report) }
    Output.text("\n\n")
    Output.line(report.speeds)
  }
}

extension KeyValueCache.Precision: ExpressibleByArgument {}

extension GenerationReport {
  /// Tokens per second of each, as a table.
  fileprivate var speeds: String {
    func speed(_ x: Double?) -> String { x.map { String(format: "%.1f", $0) } ?? "-" }
    return TextTable.text(
      header: ["", "prompt tokens/s", "tokens/s", "tokens", "ended by"],
      rows: texts.map {
        [$0.name, speed($0.promptTokensPerSecond), speed($0.tokensPerSecond), "\($0.tokens.count)", $0.stop]
      }, leftColumns: 1, endsInText: true)
  }
}
