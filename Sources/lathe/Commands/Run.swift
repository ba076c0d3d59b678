import ArgumentParser
import Datasets
import Foundation
import Jobs
import Tensors
import Workflows

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model, float32 or quantized, on arrays of an .npz and write its outputs to another.")

  @OptionGroup var model: ModelOptions
  @OptionGroup var recipe: OneRecipeOption
  @OptionGroup var common: CommonOptions

  @Option(help: "Arrays named after the model's inputs.")
  var input: String

  @Option(help: "Where the outputs go, named after the model's outputs.")
  var output: String

  @Flag(help: "Run the candidate in float with quantize–dequantize instead of on integer kernels.")
  var simulate = false

  func run() throws {
    let reporter = Output.reporter(quiet: common.quiet)
    let file = try Npz(input)
    var inputs: [String: Tensor] = [:]
    for name in file.names { inputs[name] = try file.read(name) }
    let project = try Project.open(
      model: model.model, data: model.given.path, trainData: model.given.trainData,
      shapes: model.given.shapes(),
      samples: inputs.mapValues { Array($0.shape.dropFirst()) }, threads: common.threadCount)
    let candidate = try recipe.load(seed: common.seed, for: project.model).map {
      try project.prepare($0.recipe, name: $0.name, reporter: reporter.part(0...0.5))
    }
    let outputs = try project.run(
      inputs, candidate: candidate, isSimulated: simulate, reporter: reporter.part(0.5...1))
    try Files.replace(output, with: Data(Npz.encode(outputs)))
  }
}
