import Analysis
import ArgumentParser
import Foundation
import Glibc
import Workflows

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "What this machine can do, and how near each step of a model comes to it, in float32 and by presets.",
    discussion: EnergyHelp.text)

  @Argument(help: "Model file (.onnx); without one, the machine alone.")
  var model: String?

  @OptionGroup var data: DataOptions
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

  @Flag(help: "Time single kernels on typical shapes, one thread, beside the machine's peaks.")
  var kernels = false

  func validate() throws {
    if model == nil, lockstep || !recipes.preset.isEmpty || !recipes.recipe.isEmpty {
      throw ValidationError("--lockstep, --preset and --recipe need a model.")
    }
    if model != nil, kernels { throw ValidationError("--kernels takes no model.") }
    if batch < 1 { throw ValidationError("--batch \(batch): expected 1 or more.") }
    if runs < 1 { throw ValidationError("--runs \(runs): expected 1 or more.") }
  }

  func run() throws {
    let machine = Machine.current(threads: common.threadCount)
    guard let model else {
      var report = BenchReport(machine: machine, peaks: Peaks.measure(threads: common.threadCount))
      if kernels { report.kernels = KernelBench.measure(report.peaks) }
      return try show(report)
    }
    let reporter = Output.reporter(quiet: common.quiet || output.json || lockstep)
    let project = try data.open(model, common)
    let bench = try project.bench(
      try recipes.load(seed: common.seed, for: project.model), batch: batch, reporter: reporter)
    if lockstep {
      Output.line("ready")
      while readLine() != nil {
        let times = try bench.turn()
        Output.line("[" + times.map { String(format: "%.6f", $0) }.joined(separator: ", ") + "]")
      }
      return
    }
    let energy = EnergyCounter()
    let tables = try bench.steps(runs: runs, energy: energy, reporter: reporter)
    try show(BenchReport(machine: machine, peaks: Peaks.measure(threads: common.threadCount), tables: tables))
    if !output.json, let reason = energy.unreadable { Output.line("\nenergy is not measured: \(reason)") }
  }

  private func show(_ report: BenchReport) throws {
    if output.json { return try Output.json(report) }
    Output.line(report.text)
  }
}
