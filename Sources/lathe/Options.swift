import ArgumentParser
import Foundation
import LanguageModels
import Quantization
import Tensors
import Workbench
import Workflows

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Option(help: "Threads to compute with (default: the CPUs that affinity and cgroup allow).")
  var threads: Int?

  @Option(help: "Seed for everything drawn at random; replaces the recipes' own.")
  var seed: UInt64?

  @Flag(help: "Show no progress.")
  var quiet = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1…1024.")
    }
  }

  var threadCount: Int { threads ?? Machine.allowedThreads }
}

struct JSONOption: ParsableArguments {
  @Flag(help: "Print one JSON object on stdout and nothing else.")
  var json = false
}

/// The data that goes with a model, and the sizes the model leaves open.
struct DataOptions: ParsableArguments {
  @Option(help: "Dataset card, .npz or array that evaluates; for a language model a card or a text file.")
  var data: String?

  @Option(help: "Text file that evaluates a language model, in place of --data.")
  var text: String?

  @Option(name: .customLong("train-data"), help: "Dataset that calibrates instead of --data.")
  var trainData: String?

  @Option(
    name: .customLong("input-shape"), help: "Fix free sizes of an input: NAME=1x3x224x224. May be repeated.")
  var inputShapes: [String] = []

  /// Of what evaluates.
  var path: String? { data ?? text }

  func shapes() throws -> [String: Shape] {
    var shapes: [String: Shape] = [:]
    for text in inputShapes {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      let sizes =
        parts.last.map { $0.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) } } ?? []
      guard parts.count == 2, !parts[0].isEmpty, !sizes.isEmpty, sizes.allSatisfy({ ($0 ?? 0) > 0 }) else {
        throw ValidationError("--input-shape \(text): expected NAME=1x3x224x224.")
      }
      shapes[String(parts[0])] = sizes.compactMap { $0 }
    }
    return shapes
  }

  func validate() throws {
    _ = try shapes()
    if data != nil, text != nil { throw ValidationError("Give --data or --text, not both.") }
  }

  func open(_ model: String, _ common: CommonOptions) throws -> Project {
    var project = try Project.open(
      model: model, data: path, trainData: trainData, shapes: shapes(), threads: common.threadCount)
    project.trainingFolder =
      SessionStore.folder(forModel: model, environment: ProcessInfo.processInfo.environment) + "/training"
    return project
  }
}

/// A model and the data that goes with it.
struct ModelOptions: ParsableArguments {
  @Argument(help: "Model file (.onnx, .gguf), or the folder of a language model.")
  var model: String

  @OptionGroup var given: DataOptions

  func open(_ common: CommonOptions) throws -> Project { try given.open(model, common) }
}

/// Recipes by file or preset, in the order given within each kind.
struct RecipeOptions: ParsableArguments {
  @Option(help: "Recipe file (.yaml). May be repeated.")
  var recipe: [String] = []

  @Option(help: "Preset name (see `lathe presets`). May be repeated.")
  var preset: [String] = []

  func validate() throws {
    for name in preset where Presets[name] == nil && Mixture.named(name) == nil {
      let known = Presets.all.map(\.name) + Mixture.all.map(\.name)
      throw ValidationError("--preset \(name): no such preset. Known: \(known.joined(separator: ", ")).")
    }
  }

  /// Recipes with the names results carry; those of presets begin with `preset:`.
  ///
  /// - Parameter model: what mixtures are made for; `nil` takes none.
  func load(seed: UInt64?, for model: Model?) throws -> [(name: String, recipe: Recipe)] {
    var loaded: [(name: String, recipe: Recipe)] = try recipe.map { path in
      let recipe = try Self.read(path)
      return (recipe.name, recipe)
    }
    loaded += try preset.map { name in
      guard let preset = model.map({ $0.preset(named: name) }) ?? Presets[name] else {
        throw WorkflowError("--preset \(name): is for language models read from a folder or a .gguf file.")
      }
      return ("preset:\(name)", preset.recipe)
    }
    guard let seed else { return loaded }
    return loaded.map { entry in
      var recipe = entry.recipe
      recipe.calibration.seed = seed
      recipe.training?.seed = seed
      return (entry.name, recipe)
    }
  }

  static func read(_ path: String) throws -> Recipe {
    do {
      return try Recipe(yaml: String(contentsOfFile: path, encoding: .utf8), file: path)
    } catch let error as RecipeError {
      throw error
    } catch {
      throw WorkflowError("\(path): cannot be read as UTF-8 text: \((error as NSError).localizedDescription)")
    }
  }
}

/// Exactly one recipe.
struct OneRecipeOption: ParsableArguments {
  @Option(help: "Recipe file (.yaml).")
  var recipe: String?

  @Option(help: "Preset name (see `lathe presets`).")
  var preset: String?

  func validate() throws {
    if recipe != nil, preset != nil { throw ValidationError("Give --recipe or --preset, not both.") }
    try options.validate()
  }

  private var options: RecipeOptions { options(otherwise: nil) }

  private func options(otherwise name: String?) -> RecipeOptions {
    var options = RecipeOptions()
    options.recipe = recipe.map { [$0] } ?? []
    options.preset = (preset ?? (recipe == nil ? name : nil)).map { [$0] } ?? []
    return options
  }

  /// - Parameter name: the preset to take where neither is given; `nil` for none.
  func load(
    seed: UInt64?, for model: Model?, otherwise name: String? = nil
  ) throws -> (name: String, recipe: Recipe)? {
    try options(otherwise: name).load(seed: seed, for: model).first
  }
}

/// What `--help` says of energy.
enum EnergyHelp {
  static let text =
    "Where the kernel shows RAPL counters (\(EnergyCounter.systemFolder)) and they can be read, the energy of one inference is measured too: that of whole processor packages, so whatever else the machine does meanwhile is in it. Elsewhere there is no figure."
}
