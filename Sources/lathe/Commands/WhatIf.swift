import Analysis
import ArgumentParser
import Quantization
import Workflows

struct WhatIfCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "what-if",
    abstract: "What recipes would come to: predicted from layers looked at one at a time.",
    discussion:
      "Layers alone are measured first, on samples that calibrate; then each recipe is answered in a moment. Sizes are exact, everything else is a prediction until it is measured."
  )

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipes: RecipeOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Flag(help: "Measure the recipes too, and show it beside.")
  var measure = false

  @Option(help: "Measure on at most this many samples.")
  var limit: Int?

  func validate() throws {
    if recipes.recipe.isEmpty, recipes.preset.isEmpty {
      throw ValidationError("Give --recipe or --preset.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json)
    let project = try model.open(common)
    let loaded = try recipes.load(seed: common.seed, for: project.model)
    guard let first = loaded.first, let base = WhatIf.base(for: first.recipe) else { return }
    let report = try project.whatIf(
      loaded, base: base, measures: measure, limit: limit, reporter: reporter)
    if output.json { try Output.json(report) } else { Output.line(report.text) }
  }
}
