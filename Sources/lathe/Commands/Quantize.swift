import ArgumentParser
import Foundation
import Quantization
import Workflows

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Quantize a model and write it; the ending of the output picks the format.")

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipe: OneRecipeOption
  @OptionGroup var common: CommonOptions
  @OptionGroup var json: JSONOption

  @Option(name: .shortAndLong, help: "The file to write.")
  var output: String

  private struct Report: Encodable {
    var output: String
    var sizeBytes: Int
    var weightBytes: Int
    var compression: Double
    var bitsPerWeight: Double?
    var quantizeSeconds: Double
    var warnings: [String]
  }

  func validate() throws {
    if recipe.recipe == nil, recipe.preset == nil { throw ValidationError("Give --recipe or --preset.") }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || json.json)
    let project = try model.open(common)
    guard let (name, recipe) = try recipe.load(seed: common.seed, for: project.model) else { return }
    let candidate = try project.prepare(recipe, name: name, reporter: reporter)
    let losses = try project.model.write(candidate.encoded, to: output)
    let sizes = project.model.sizes(of: candidate)
    let written = try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int
    let report = Report(
      output: output, sizeBytes: written ?? 0, weightBytes: sizes.weightBytes, compression: sizes.compression,
      bitsPerWeight: sizes.bitsPerWeight, quantizeSeconds: candidate.quantizeSeconds,
      warnings: candidate.warnings + losses)
    if json.json { return try Output.json(report) }
    for warning in report.warnings { Output.error(warning) }
    Output.line(
      String(
        format: "%@: %d bytes, weights %.2f× smaller, %.2f bits per weight", output, report.sizeBytes,
        report.compression, report.bitsPerWeight ?? 32))
  }
}
