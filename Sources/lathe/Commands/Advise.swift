import Analysis
import ArgumentParser
import Foundation
import Workflows

struct Advise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Should this model be quantized here, how, and why: every sentence with what was measured.",
    discussion: "Targets: " + DeploymentTarget.all.map { "\($0.name) (\($0.title))" }.joined(separator: ", ")
      + ".")

  @OptionGroup var model: ModelOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Also list what this runtime does not take of the advised candidate.")
  var target: String?

  @Option(help: "Evaluate at most this many samples.")
  var limit: Int?

  func validate() throws {
    if let target, DeploymentTarget[target] == nil {
      throw ValidationError(
        "--target \(target): no such target. Known: \(DeploymentTarget.all.map(\.name).joined(separator: ", "))."
      )
    }
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json)
    let project = try model.open(common)
    let advice = try project.advise(
      target: target.flatMap { DeploymentTarget[$0] }, limit: limit, seed: common.seed, reporter: reporter)
    if output.json { return try Output.json(advice) }
    Output.line(Output.printable(advice.text))
  }
}
