import ArgumentParser
import Exporters
import Foundation
import Workflows

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "float32 beside each candidate: accuracy, loss of it, size, speed.", discussion: EnergyHelp.text
  )

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipes: RecipeOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Evaluate at most this many samples.")
  var limit: Int?

  @Option(help: "Samples of one timed inference.")
  var batch = 1

  @Option(
    name: .customLong("fail-if"),
    help:
      "Exit with 1 where a candidate meets it: drop>0.5 (points), size>0.3 (share of float32), speedup<1.2, agreement<0.99, perplexity>1.02 (ratio to float32)."
  )
  var failIf: [String] = []

  @Option(
    help:
      "Also write a page of its own as .md or .html: table, plot, layers, recipes, hashes of model and data, versions."
  )
  var report: String?

  func validate() throws {
    if recipes.recipe.isEmpty, recipes.preset.isEmpty {
      throw ValidationError("Give at least one --recipe or --preset.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
    if batch < 1 { throw ValidationError("--batch \(batch): expected at least 1.") }
    for text in failIf { _ = try Condition(text) }
    if let report, !["md", "html"].contains((report as NSString).pathExtension) {
      throw ValidationError("--report \(report): expected a name that ends in .md or .html.")
    }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json)
    let project = try model.open(common)
    let compared = try project.compare(
      try recipes.load(seed: common.seed, for: project.model), limit: limit, batch: batch, reporter: reporter)
    let comparison = compared.report
    if let report { try ComparisonPage(compared, of: project).write(to: report) }
    if output.json { try Output.json(comparison) } else { Output.line(comparison.text) }
    let conditions = try failIf.map { try Condition($0) }
    let met = comparison.candidates.flatMap { trial in
      conditions.filter { $0.isMet(by: trial) }.map { "\(trial.name): \($0.text)" }
    }
    guard met.isEmpty else { throw WorkflowError("--fail-if is met: \(met.joined(separator: "; ")).") }
  }
}

/// A bound on a figure that makes `compare` fail.
struct Condition {
  let text: String
  private let figure: String
  private let isUpper: Bool
  private let bound: Double

  private static let figures = ["drop", "size", "speedup", "agreement", "compression", "perplexity"]

  init(_ text: String) throws {
    self.text = text
    guard let place = text.firstIndex(where: { $0 == ">" || $0 == "<" }),
      let bound = Double(text[text.index(after: place)...]), Self.figures.contains(String(text[..<place]))
    else {
      throw ValidationError(
        "--fail-if \(text): expected FIGURE>NUMBER or FIGURE<NUMBER with one of \(Self.figures.joined(separator: ", "))."
      )
    }
    figure = String(text[..<place])
    isUpper = text[place] == ">"
    self.bound = bound
  }

  func isMet(by trial: Trial) -> Bool {
    let value: Double? =
      switch figure {
      case "drop": trial.top1Delta.map { -100 * $0 }
      case "size": trial.compression.map { 1 / $0 }
      case "speedup": trial.speedup
      case "agreement": trial.agreement
      case "perplexity": trial.perplexityRatio
      default: trial.compression
      }
    guard let value else { return false }
    return isUpper ? value > bound : value < bound
  }
}
