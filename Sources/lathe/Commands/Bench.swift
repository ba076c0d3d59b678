import ArgumentParser
import Foundation
import Glibc
import Workflows

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Time each step of a model in float32 and by presets; --lockstep takes turns with another program.")

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipes: RecipeOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Samples of one inference.")
  var batch = 1

  @Option(help: "Runs that are timed.")
  var runs = 50

  @Flag(
    help:
      "Print `ready`; then for each line on stdin run every variant once and print their milliseconds as a JSON array."
  )
  var lockstep = false

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json || lockstep)
    let project = try model.open(common)
    let bench = try project.bench(try recipes.load(seed: common.seed), batch: batch, reporter: reporter)
    if lockstep {
      Output.line("ready")
      while readLine() != nil {
        let times = try bench.turn()
        Output.line("[" + times.map { String(format: "%.6f", $0) }.joined(separator: ", ") + "]")
      }
      return
    }
    let tables = try bench.steps(runs: runs, reporter: reporter)
    if output.json { return try Output.json(tables) }
    for table in tables { Output.line(table.text + "\n") }
  }
}
