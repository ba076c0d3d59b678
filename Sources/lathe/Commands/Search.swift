import Analysis
import ArgumentParser
import Foundation
import Graph
import Quantization
import Workflows

struct Search: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Mixed precision: width, mode and method for every layer, the best within bounds.",
    discussion:
      "Chooses by KL to float32 on samples of --train-data (else of --data, which are then not reported on). What each option costs in each layer alone is measured; since to first order these costs add up, the best sum within every size (or time) is a multiple-choice knapsack, found by dynamic programming; points along that front and around the one wanted are measured, because errors of layers do meet. The result is written as a recipe."
  )

  @OptionGroup var model: ModelOptions
  @OptionGroup var base: OneRecipeOption
  @OptionGroup var common: CommonOptions
  @OptionGroup var json: JSONOption

  @Option(name: .shortAndLong, help: "The recipe to write (.yaml).")
  var output: String

  @Option(help: "What is made small: size, latency or loss (default: loss within a size, else size).")
  var minimize: SearchGoal?

  @Option(help: "Widths of weights to choose from, separated by commas.")
  var bits = "8,4,3,2"

  @Option(
    help:
      "Modes to choose from, separated by commas: static, dynamic, weight-only, float (default: the base recipe's mode, or float)."
  )
  var modes: String?

  @Option(
    help:
      "Ways to round to choose from, separated by commas: nearest, gptq, adaround (default: the base recipe's; nearest at 8 bits)."
  )
  var methods: String?

  @Option(name: .customLong("activation-bits"), help: "Width of activations (default: the base recipe's).")
  var activationBits: Int?

  @Option(
    name: .customLong("max-drop"),
    help:
      "Most points of accuracy to lose, predicted by changed answers (default where that is not minimized: 1)."
  )
  var maxDrop: Double?

  @Option(name: .customLong("max-size"), help: "Most bytes of weights.")
  var maxSize: Int?

  @Option(name: .customLong("min-compression"), help: "Least ratio of float32's bytes of weights to these.")
  var minCompression: Double?

  @Option(name: .customLong("max-latency"), help: "Most time of one inference, as a ratio to float32's.")
  var maxLatency: Double?

  @Option(help: "Report on at most this many samples.")
  var limit: Int?

  @Flag(
    help: "Count every code at its own width, as formats with packed codes do (default: ONNX's containers).")
  var packed = false

  func validate() throws {
    _ = try WidthList(bits)
    _ = try modeList
    _ = try methodList
    func positive(_ value: Double?, _ name: String) throws {
      if let value, !(value > 0) { throw ValidationError("--\(name) \(value): expected more than 0.") }
    }
    if let maxDrop, !(0...100).contains(maxDrop) {
      throw ValidationError("--max-drop \(maxDrop): expected 0…100 points.")
    }
    try positive(maxSize.map(Double.init), "max-size")
    try positive(minCompression, "min-compression")
    try positive(maxLatency, "max-latency")
    if maxSize != nil, minCompression != nil {
      throw ValidationError("Give --max-size or --min-compression, not both.")
    }
    if minimize == .loss, maxSize == nil, minCompression == nil, maxLatency == nil {
      throw ValidationError("--minimize loss: give --max-size, --min-compression or --max-latency.")
    }
    if let activationBits, !(2...8).contains(activationBits) {
      throw ValidationError("--activation-bits \(activationBits): expected 2…8.")
    }
    if let limit, limit < 1 { throw ValidationError("--limit \(limit): expected at least 1.") }
    if (output as NSString).pathExtension != "yaml" {
      throw ValidationError("--output \(output): expected a name that ends in .yaml.")
    }
  }

  private var modeList: [Mode] {
    get throws {
      let list = try modes.map { try WordList<Mode>("modes", $0) { $0 != .qat }.values } ?? []
      if list == [.float] { throw ValidationError("--modes float: expected a mode beside float.") }
      return list
    }
  }

  private var methodList: [Quantization.Method] {
    get throws { try methods.map { try WordList("methods", $0).values } ?? [] }
  }

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet || json.json)
    let project = try model.open(common)
    var recipe =
      try base.load(seed: common.seed, for: project.model)?.recipe ?? SearchSettings.base(seed: common.seed)
    if recipe.training != nil {
      throw WorkflowError("\(recipe.name): a search does not train. Leave out training and mode qat.")
    }
    if let activationBits { recipe.defaults.activations.bits = activationBits }
    var settings = SearchSettings()
    settings.bits = try WidthList(bits).bits
    settings.modes = try modeList
    settings.methods = try methodList
    settings.limit = limit
    settings.countsPacked = packed
    let most = maxSize ?? minCompression.map { Int(Double(settings.floatBytes(project.model)) / $0) }
    settings.goal = minimize
    settings.bounds = SearchBounds(maxBytes: most, maxLatencyRatio: maxLatency)
    settings.bounds.maxDrop = (maxDrop ?? (settings.wanted == .loss ? nil : 1)).map { $0 / 100 }
    let (report, found) = try project.search(base: recipe, settings: settings, reporter: reporter)
    do {
      try Data(found.yaml.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
    } catch {
      throw WorkflowError("\(output): cannot be written: \((error as NSError).localizedDescription)")
    }
    if json.json { return try Output.json(report) }
    Output.line(report.text)
    Output.line("\nwritten: \(output)")
  }
}

extension SearchGoal: ExpressibleByArgument {}

/// Different words of a fixed set as options give them, separated by commas.
private struct WordList<Word: RawRepresentable<String> & CaseIterable & Hashable> {
  var values: [Word] = []

  init(_ option: String, _ text: String, where isAllowed: (Word) -> Bool = { _ in true }) throws {
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let word = Word(rawValue: String(part)), isAllowed(word), !values.contains(word) else {
        let all = Word.allCases.filter(isAllowed).map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--\(option) \(text): expected different ones of \(all).")
      }
      values.append(word)
    }
  }
}
