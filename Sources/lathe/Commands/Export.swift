import ArgumentParser
import Exporters
import Foundation
import Workflows

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a recipe as another toolkit's configuration.",
    discussion: "Formats: " + Exporter.all.map { "\($0.name) (\($0.title))" }.joined(separator: ", ") + ".")

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipe: OneRecipeOption
  @OptionGroup var common: CommonOptions

  @Option(help: "Name of the format.")
  var format: String

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  func validate() throws {
    if recipe.recipe == nil, recipe.preset == nil { throw ValidationError("Give --recipe or --preset.") }
    if Exporter[format] == nil {
      throw ValidationError(
        "--format \(format): no such format. Known: \(Exporter.all.map(\.name).joined(separator: ", ")).")
    }
  }

  func run() throws {
    let project = try model.open(common)
    guard let (name, recipe) = try recipe.load(seed: common.seed, for: project.model),
      let exporter = Exporter[format]
    else { return }
    let exported = try project.export(
      recipe, name: name, by: exporter, reporter: Output.reporter(quiet: common.quiet))
    try Files.replace(output, with: Data(exported.text.utf8))
    for loss in exported.losses { Output.error(loss) }
  }
}
