import Analysis
import ArgumentParser
import Jobs
import Workflows

struct BlameCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blame",
    abstract:
      "Which layers cause a candidate's error: their weights, their activations, or what comes before.",
    discussion:
      "Each layer's error is split in what it inherits, what encoding its input adds and what its weights add, each as a share of the energy of the layer's float32 output; beside them the whole error there, and that of the layer quantized alone."
  )

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipe: OneRecipeOption
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Look at this many samples at most.")
  var limit = Project.blameSamples

  @Option(help: "Show this layer's channels and worst samples too.")
  var layer: String?

  @Option(
    help: "Order of the layers: \(Blame.Sort.allCases.map(\.rawValue).joined(separator: ", ")).")
  var sort = Blame.Sort.added

  func validate() throws {
    if recipe.recipe == nil, recipe.preset == nil {
      throw ValidationError("Give --recipe or --preset.")
    }
    if limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json)
    let project = try model.open(common)
    guard let (name, recipe) = try recipe.load(seed: common.seed, for: project.model) else { return }
    if let layer, !project.model.layers.contains(where: { $0.name == layer }) {
      throw project.model.hasNoLayer(layer)
    }
    let candidate = try project.prepare(recipe, name: name, reporter: reporter.part(0...0.5))
    let report = try project.blame(candidate, limit: limit, reporter: reporter.part(0.5...1))
    let summary = try BlameSummary(report, project: project, recipe: name, sort: sort, layer: layer)
    if output.json { try Output.json(summary) } else { Output.line(summary.text) }
  }
}

extension Blame.Sort: ExpressibleByArgument {}
