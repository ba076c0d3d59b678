import Datasets
import Execution
import Graph
import Jobs
import LanguageModels
import Quantization
import Tensors

/// A model with its data: what candidates are made of and judged on.
package struct Project: Sendable {
  package var model: Model
  /// Evaluates, and calibrates where there is no training data; synthetic where the user gave none.
  package var data: BoundDataset
  package var trainData: BoundDataset?
  package var dataPath: String?
  package var trainDataPath: String?
  package var threads: Int
  /// Where trainings keep their checkpoints; `nil` for nowhere.
  package var trainingFolder: String?
  /// The level of kernels that figures are measured with.
  package var kernelLevel = Machine.level

  /// A project over what is already in memory; without data it evaluates on synthetic inputs.
  package init(model: Model, data: BoundDataset? = nil, threads: Int) throws {
    self.model = model
    self.data = try data ?? model.synthetic(model.syntheticSamples, seed: 0x5EED)
    self.threads = threads
  }

  /// Opens a model and the data that goes with it.
  ///
  /// - Parameters:
  ///   - shapes: sizes for free dimensions, with the batch.
  ///   - samples: shapes of one sample, without the batch, of arrays the model is to run on; data's come first.
  package static func open(
    model path: String, data: String? = nil, trainData: String? = nil, shapes: [ValueName: Shape] = [:],
    samples: [ValueName: Shape] = [:], threads: Int
  ) throws -> Project {
    let file = try ModelFile(path)
    let source = file.source
    let outputs = source.outputs.map { OutputSpec(name: $0.name, dimensions: $0.sizes) }
    let specs = source.suppliedInputs.map {
      InputSpec(name: $0.name, type: $0.type ?? .float32, dimensions: shapes[$0.name] ?? $0.sizes)
    }
    func bind(_ path: String) throws -> BoundDataset {
      try file.language?.text(path, for: specs) ?? Dataset.open(path).bound(to: specs, outputs: outputs)
    }
    let (bound, boundTrain) = (try data.map(bind), try trainData.map(bind))
    let model = try Model(
      file, shapes: shapes,
      samples: (bound ?? boundTrain)?.sampleShapes ?? samples)
    var project = try Project(model: model, data: bound, threads: threads)
    project.trainData = boundTrain
    project.dataPath = data
    project.trainDataPath = trainData
    return project
  }

  /// Names of the model's classes, by number; none where the data's card has none.
  package var classNames: [String] { data.classNames ?? [] }

  /// The samples that a plan's calibration indices count.
  package func calibrationData(_ source: EvaluationPlan.Source, recipe: Recipe) throws -> BoundDataset? {
    switch source {
    case .none: nil
    case .trainData: trainData
    case .data: data
    case .synthetic:
      try model.synthetic(Swift.max(recipe.calibration.samples, 1), seed: recipe.calibration.seed)
    }
  }
}

extension ValueInfo {
  /// Declared sizes, `nil` where one is free; `nil` when not even the rank is known.
  var sizes: [Int?]? {
    dimensions?.map { dimension in
      if case .fixed(let size) = dimension { size } else { nil }
    }
  }
}

extension Model {
  /// Samples made up to evaluate on when there is no data.
  var syntheticSamples: Int {
    language == nil ? EvaluationPlan.syntheticSamples : EvaluationPlan.syntheticWindows
  }

  /// Made-up samples for a model without data.
  func synthetic(_ count: Int, seed: UInt64) throws -> BoundDataset {
    let specs = source.suppliedInputs.map {
      InputSpec(name: $0.name, type: $0.type ?? .float32, dimensions: inputShapes[$0.name] ?? $0.sizes)
    }
    guard let language else { return try BoundDataset.synthetic(for: specs, count: count, seed: seed) }
    let length = specs.lazy.compactMap { $0.dimensions?.last ?? nil }.first ?? language.context
    let windows = TokenWindows.madeUp(
      count, length: length, vocabulary: language.vocabulary, bos: language.tokenizer.bos, seed: seed)
    return try .text(
      windows, path: "synthetic data", for: specs, answerOutput: Language.logits, isSynthetic: true,
      notes: ["no data was given: the tokens are drawn at random"])
  }
}

extension BoundDataset: CalibrationSource {}

/// A recipe made real: what is run, timed, exported and shown.
package struct PreparedCandidate: Sendable {
  package var name: String
  package var recipe: Recipe
  /// Calibrated on all calibration samples.
  package var candidate: Candidate
  /// One for each fold of a cross-fitted evaluation, else empty.
  package var folds: [Candidate]

  package init(name: String, recipe: Recipe, candidate: Candidate, folds: [Candidate] = []) {
    self.name = name
    self.recipe = recipe
    self.candidate = candidate
    self.folds = folds
  }
}

extension Project {
  /// Which of the recipes read calibration data; one that asks for synthetic samples reads none.
  func needsCalibration(_ recipes: [Recipe]) -> [Bool] {
    recipes.map { recipe in
      recipe.calibration.source == .data
        && recipe.resolve(model.graph, infos: model.infos).layers.contains {
          recipe.readsSamples($0.effective)
        }
    }
  }

  package func plan(_ recipes: [Recipe], limit: Int? = nil) -> EvaluationPlan {
    EvaluationPlan(
      recipes: recipes, needsCalibration: needsCalibration(recipes), data: data, trainData: trainData,
      limit: limit)
  }

  /// Quantizes the model by each recipe, and trains the layers whose mode is qat.
  package func prepare(
    _ recipes: [(name: String, recipe: Recipe)], plan: EvaluationPlan, reporter: Reporter,
    watch: TrainingWatch = TrainingWatch()
  ) throws -> [PreparedCandidate] {
    let isCrossFitted = plan.folds.count > 1
    let each = 1 / Double(recipes.count * (isCrossFitted ? plan.folds.count + 1 : 1))
    var done = 0.0
    // Every fold has the same.
    var madeUp: [CalibrationSettings: MadeUpSamples] = [:]
    func quantized(_ recipe: Recipe, _ indices: [Int], _ name: String) throws -> Candidate {
      var part = reporter.part(done...Swift.min(done + each, 1))
      done += each
      var (recipe, notes) = (recipe, [String]())
      let source: BoundDataset?
      if recipe.calibration.source == .synthetic {
        let known = madeUp[recipe.calibration]
        let samples = try known ?? makeUpSamples(recipe.calibration, name: name, part.part(0...0.7))
        if known == nil { part = part.part(0.7...1) }
        madeUp[recipe.calibration] = samples
        (source, notes) = (samples.data, samples.notes)
      } else {
        source = indices.isEmpty ? nil : try calibrationData(plan.source, recipe: recipe)?.selecting(indices)
      }
      let trains = recipe.trains(model)
      let calibrating = trains ? part.part(0...0.05) : part
      var last = calibrating
      if !recipe.choices.isEmpty, let source {
        let chosen = try choose(recipe, source, name: name, reporter: calibrating.part(0...0.9))
        recipe = chosen.recipe
        notes += chosen.notes
        last = calibrating.part(0.9...1)
      }
      var candidate = try quantize(
        model.graph, infos: model.infos, recipe: recipe, calibration: source, threads: threads,
        report: { fraction, note in try last.report(fraction, "\(name): \(note)") })
      candidate.warnings = notes + candidate.warnings
      guard trains else { return candidate }
      return try train(candidate, recipe: recipe, reporter: part.part(0.05...1), watch: watch)
    }
    return try recipes.enumerated().map { index, entry in
      let kept = try quantized(entry.recipe, plan.kept[index], entry.name)
      let folds =
        isCrossFitted
        ? try plan.folds.map { try quantized(entry.recipe, $0.calibration[index], entry.name) } : []
      return PreparedCandidate(name: entry.name, recipe: entry.recipe, candidate: kept, folds: folds)
    }
  }

  /// Quantizes the model by one recipe on all calibration samples, to be written.
  package func prepare(_ recipe: Recipe, name: String, reporter: Reporter) throws -> Candidate {
    var plan = plan([recipe])
    plan.folds = Array(plan.folds.prefix(1))
    return try prepare([(name, recipe)], plan: plan, reporter: reporter)[0].candidate
  }
}

extension Project {
  /// This project over the float network as a recipe's corrections reshape it, on which single layers are then measured;
  /// itself where none does.
  package func reshaped(
    by recipe: Recipe, calibration: BoundDataset?, reporter: Reporter
  ) throws -> Project {
    guard !recipe.reshapingCorrections.isEmpty else { return self }
    let found = try Quantization.reshaped(
      model.graph, infos: model.infos, recipe: recipe, calibration: calibration, threads: threads,
      report: { try reporter.report($0, $1) })
    var project = self
    (project.model.graph, project.model.infos) = (found.graph, found.infos)
    return project
  }
}
