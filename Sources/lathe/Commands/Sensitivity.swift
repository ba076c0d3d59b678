import Analysis
import ArgumentParser
import Quantization
import Workflows

struct Sensitivity: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What quantizing each layer alone costs, at each width.",
    discussion:
      "Without --data: layers by the kurtosis of their weights, an estimate. The part of the network before a layer is computed once, and only the part behind it again for each width."
  )

  @OptionGroup var model: ModelOptions
  @OptionGroup var base: OneRecipeOption
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  @Option(help: "Widths in bits, 2…8, separated by commas.")
  var bits = "8,4"

  @Option(help: "What is quantized: both, weights or activations.")
  var quantize = Part.both

  @Option(help: "Score at most this many samples.")
  var limit: Int?

  @Option(
    help: "What to sort by: kl, sqnr or accuracy (default: kl where there are class scores, else sqnr).")
  var metric: SensitivityReport.Metric?

  @Option(name: .customLong("memory"), help: "Most MiB for programs and the values kept between layers.")
  var memory = 512

  enum Part: String, ExpressibleByArgument, CaseIterable {
    case both, weights, activations
  }

  func validate() throws {
    _ = try WidthList(bits)
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
    if memory < 1 { throw ValidationError("--memory \(memory): expected at least 1.") }
    if metric == .kurtosis { throw ValidationError("--metric kurtosis: leave out --data for that.") }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || output.json)
    let project = try model.open(common)
    guard model.given.path != nil else { return try show(project.kurtosisRanking()) }
    let widths = try WidthList(bits).bits.map { bits in
      Width(
        weightBits: quantize == .activations ? nil : bits, activationBits: quantize == .weights ? nil : bits)
    }
    guard let (_, recipe) = try base.load(seed: common.seed, for: project.model, otherwise: "static-int8")
    else { return }
    try show(
      project.sensitivity(
        base: recipe, widths: widths, metric: metric, limit: limit,
        peakGflops: Peaks.float32Gflops(threads: common.threadCount), memoryLimit: memory << 20,
        reporter: reporter))
  }

  private func show(_ report: SensitivityReport) throws {
    if output.json { return try Output.json(report) }
    Output.line(report.text)
  }
}

extension SensitivityReport.Metric: ExpressibleByArgument {}

/// Widths as options give them: `8,4,3`.
struct WidthList {
  var bits: [Int]

  init(_ text: String) throws {
    bits = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let width = Int(part), (2...8).contains(width), !bits.contains(width) else {
        throw ValidationError("--bits \(text): expected different widths of 2…8, for example 8,4.")
      }
      bits.append(width)
    }
  }
}
