import Graph
import Quantization
import Tensors
import Testing

/// The `training:` part of recipes.
@Suite struct TrainingRecipeTests {
  static let designExample: TrainingSettings = {
    var training = TrainingSettings(epochs: 4, distill: .init(temperature: 2, weight: 0.5))
    training.learningRate = 1e-4
    return training
  }()

  /// Every key with a value that is not the usual one.
  static let everything = """
    {epochs: 12, learning-rate: 0.01, scale-rate: 0.5, batch: 32, optimizer: sgd, momentum: 0.8, \
    weight-decay: 0.0005, schedule: step, warm-up: 5, clip: 1.0, scales: lsq+, bn: train, \
    distill: {temperature: 4.0, weight: 0.25}, features: 0.125, augment: {flip: true, crop: 4}, \
    milestones: {quantize: 1, freeze-observers: 6, freeze-batch-norm: 8}, freeze-float: true, \
    hold-out: 0.25, seed: 7}
    """

  private func read(_ training: String) throws -> TrainingSettings {
    try #require(try Recipe(yaml: "lathe: 1\ntraining: \(training)\n", file: "r.yaml").training)
  }

  @Test func everyKeyIsReadAndWritten() throws {
    let training = try read(Self.everything)
    var expected = TrainingSettings(epochs: 12)
    expected.learningRate = 0.01
    expected.scaleRate = 0.5
    expected.batch = 32
    expected.optimizer = .sgd
    expected.momentum = 0.8
    expected.weightDecay = 0.0005
    expected.schedule = .step
    expected.warmUp = 5
    expected.clip = 1
    expected.scales = .lsqPlus
    expected.batchNorm = .train
    expected.distill = TrainingSettings.Distillation(temperature: 4, weight: 0.25)
    expected.features = 0.125
    expected.augment = TrainingSettings.Augmentation(flip: true, crop: 4)
    expected.milestones = TrainingSettings.Milestones(quantize: 1, freezeObservers: 6, freezeBatchNorm: 8)
    expected.freezeFloat = true
    expected.holdOut = 0.25
    expected.seed = 7
    #expect(training == expected)
    let recipe = Recipe(name: "x", training: training)
    #expect(recipe.yaml.contains("training: \(Self.everything)\n"))
    #expect(try Recipe(yaml: recipe.yaml, file: "r.yaml") == recipe)
  }

  @Test func whatIsNotSaidIsUsual() throws {
    let usual = TrainingSettings()
    #expect(try read("{}") == usual)
    #expect(
      usual.epochs == 8 && usual.learningRate == 1e-3 && usual.scaleRate == 0.2 && usual.batch == 64
        && usual.optimizer == .adam && usual.momentum == 0.9 && usual.weightDecay == 0)
    #expect(usual.schedule == .cosine && usual.warmUp == 20 && usual.clip == 10 && usual.scales == .lsq)
    #expect(
      usual.batchNorm == .fold && usual.distill == nil && usual.features == 0 && usual.augment == nil
        && usual.milestones == TrainingSettings.Milestones() && !usual.freezeFloat && usual.holdOut == 0.1
        && usual.seed == 1)
    #expect(try read("{distill: {}}").distill == TrainingSettings.Distillation(temperature: 2, weight: 1))
    #expect(
      Recipe(name: "x", training: usual).yaml.contains(
        "\ntraining: {epochs: 8, learning-rate: 0.001, batch: 64, optimizer: adam, scales: lsq}\n"))
  }

  @Test func theDesignsExampleIsRead() throws {
    let text =
      "{epochs: 4, learning-rate: 1e-4, batch: 64, optimizer: adam, scales: lsq, distill: {temperature: 2, weight: 0.5}}"
    #expect(try read(text) == Self.designExample)
  }

  @Test(arguments: TrainingSettings.Optimizer.allCases) func optimizersAreWords(
    _ optimizer: TrainingSettings.Optimizer
  ) throws {
    #expect(try read("{optimizer: \(optimizer.rawValue)}").optimizer == optimizer)
  }

  @Test(arguments: TrainingSettings.Scales.allCases, TrainingSettings.Schedule.allCases)
  func wordsRoundTrip(_ scales: TrainingSettings.Scales, _ schedule: TrainingSettings.Schedule) throws {
    var recipe = Recipe(name: "x", training: TrainingSettings())
    recipe.training?.scales = scales
    recipe.training?.schedule = schedule
    #expect(try Recipe(yaml: recipe.yaml, file: "r.yaml") == recipe)
  }

  @Test(arguments: [
    ("{epochs: 0}", "20: training.epochs is 0, expected 1 to 1000000."),
    ("{learning-rate: 0}", "27: training.learning-rate is 0, expected a number over 0."),
    ("{scale-rate: -1}", "24: training.scale-rate is -1, expected 0 or more."),
    ("{batch: many}", "19: training.batch is many, expected 1 to 1000000."),
    ("{optimizer: lion}", "23: training.optimizer is lion, expected sgd, adam, adamw."),
    ("{momentum: 1}", "22: training.momentum is 1, expected 0 up to under 1."),
    ("{weight-decay: -0.1}", "26: training.weight-decay is -0.1, expected 0 or more."),
    ("{schedule: linear}", "22: training.schedule is linear, expected constant, step, cosine."),
    ("{warm-up: -1}", "21: training.warm-up is -1, expected 0 to 1000000."),
    ("{clip: -1}", "18: training.clip is -1, expected 0 or more."),
    ("{scales: learned}", "20: training.scales is learned, expected lsq, lsq+, pact, fixed."),
    ("{bn: frozen}", "16: training.bn is frozen, expected fold, train."),
    ("{distill: {weight: 2}}", "30: training.distill.weight is 2, expected 0 to 1."),
    (
      "{distill: {temperatur: 2}}",
      "22: unknown key \"temperatur\" in training.distill, expected temperature, weight."
    ),
    ("{features: -1}", "22: training.features is -1, expected 0 or more."),
    ("{augment: {flip: yes}}", "28: training.augment.flip is yes, expected true or false."),
    ("{augment: {crop: -4}}", "28: training.augment.crop is -4, expected 0 to 1000000."),
    ("{epochs: 2, milestones: {quantize: 2}}", "46: training.milestones.quantize is 2, expected 0 to 1."),
    (
      "{milestones: {freeze: 2}}",
      "25: unknown key \"freeze\" in training.milestones, expected quantize, freeze-observers, freeze-batch-norm."
    ),
    ("{freeze-float: 1}", "26: training.freeze-float is 1, expected true or false."),
    ("{hold-out: 1}", "22: training.hold-out is 1, expected 0 up to under 1."),
    ("{seed: -1}", "18: training.seed is -1, expected 0 or more."),
    (
      "{rate: 1}",
      "12: unknown key \"rate\" in training, expected epochs, learning-rate, scale-rate, batch, optimizer, momentum, weight-decay, schedule, warm-up, clip, scales, bn, distill, features, augment, milestones, freeze-float, hold-out, seed."
    ),
  ])
  func errorsNameThePlace(_ training: String, _ message: String) throws {
    let error = #expect(throws: RecipeError.self) { try read(training) }
    #expect(error?.description == "r.yaml:2:" + message)
  }

  @Test(arguments: [
    ("qat-int8", 8, 8), ("qat-w4a8", 4, 8), ("qat-w4a4", 4, 4), ("qat-w3a3", 3, 3), ("qat-w2a4", 2, 4),
  ])
  func presets(_ name: String, _ weights: Int, _ activations: Int) throws {
    let recipe = try #require(Presets[name]).recipe
    let defaults = recipe.defaults
    #expect(defaults.mode == .qat && defaults.weights.bits == weights && defaults.weights.scale == .mse)
    #expect(defaults.weights.symmetric && defaults.weights.granularity == .channel)
    #expect(defaults.activations.bits == activations && !defaults.activations.symmetric)
    #expect(
      defaults.activations.observer == .mse && recipe.inputs.bits == activations && recipe.rules.isEmpty)
    #expect(recipe.training?.distill == TrainingSettings.Distillation(temperature: 2, weight: 1))
  }
}

/// Layers in mode `qat` before they are trained: what mode `static` makes of them.
@Suite struct TrainedLayerTests {
  func candidate(_ recipe: Recipe) throws -> Candidate {
    let writer = try PlacementTests().residual()
    return try PlacementTests().candidate(writer, recipe)
  }

  private func recipe(_ mode: Mode, scale: WeightSettings.Scale? = nil) -> Recipe {
    Recipe(
      name: "x",
      defaults: LayerSettings(
        mode: mode, weights: WeightSettings(bits: 4, scale: scale),
        activations: ActivationSettings(bits: 4, observer: .minMax)))
  }

  @Test func theyStartFromCalibration() throws {
    var (own, plain) = (recipe(.qat), recipe(.static, scale: .mse))
    // Below 8 bits sums keep more in mode static than where training makes up for it.
    own.defaults.activations.bits = 8
    plain.defaults.activations.bits = 8
    let (trained, calibrated) = (try candidate(own), try candidate(plain))
    #expect(trained.encoded.activations == calibrated.encoded.activations)
    #expect(!trained.encoded.biases.isEmpty)
    #expect(Set(trained.encoded.biases.keys) == Set(calibrated.encoded.biases.keys))
    for (name, weight) in calibrated.encoded.weights {
      #expect(trained.encoded.weights[name]?.encoding == weight.encoding)
    }
    #expect(Sizes(trained.encoded) == Sizes(calibrated.encoded))
    #expect(Set(trained.encoded.layers.keys) == Set(calibrated.encoded.layers.keys))
    #expect(trained.encoded.layers.values.allSatisfy { $0.mode == .qat })
    #expect(trained.warnings == calibrated.warnings)
    let layers = trained.resolution.layers
    #expect(
      layers.allSatisfy { $0.requested.mode == .qat && $0.effective.mode == .qat && $0.reasons.isEmpty })
  }

  @Test func theScaleWithTheLeastErrorUnlessAnotherIsAsked() throws {
    let usual = try candidate(recipe(.qat)).encoded.weights
    let largest = try candidate(recipe(.qat, scale: .max)).encoded.weights
    #expect(usual["c1_w"]?.encoding != largest["c1_w"]?.encoding)
    #expect(try candidate(recipe(.static)).encoded.weights["c1_w"]?.encoding == largest["c1_w"]?.encoding)
    let asked = recipe(.qat, scale: .max)
    #expect(asked.yaml.contains("scale: max"))
    #expect(try Recipe(yaml: asked.yaml, file: "r.yaml") == asked)
  }

  @Test func modesMixInOneNetwork() throws {
    var mixed = recipe(.static)
    mixed.rules = [
      Rule(match: Match(names: ["c2"]), change: SettingsChange(mode: .qat)),
      Rule(match: Match(names: ["c1"]), change: SettingsChange(mode: .weightOnly)),
    ]
    let candidate = try candidate(mixed)
    let modes = candidate.encoded.layers.mapValues(\.mode)
    #expect(
      modes == [
        "c1": .weightOnly, "c2": .qat, "add": .static, "pool": .static, "flat": .static, "fc": .static,
      ])
    #expect(candidate.resolution["c2"]?.effective.weights.scale == .mse)
    #expect(candidate.resolution["fc"]?.effective.weights.scale == nil)
  }

  @Test func presetsGiveEveryLayerAndTheInputTheirBits() throws {
    let candidate = try candidate(try #require(Presets["qat-w3a3"]).recipe)
    #expect(candidate.encoded.weights.values.allSatisfy { $0.encoding.scheme.bits == 3 })
    #expect(Set(candidate.encoded.weights.keys) == ["c1_w", "c2_w", "fc_w"])
    #expect(candidate.encoded.activations["x"]?.scheme.bits == 3)
    // What layers with weights read, and what the sum gives; the branch that only the sum reads keeps 8 bits.
    for value in ["r1_out", "r2_out"] {
      #expect(candidate.encoded.activations[value]?.scheme.bits == 3, "\(value)")
    }
    #expect(candidate.encoded.activations["c2_out"]?.scheme.bits == 8)
    #expect(candidate.warnings.isEmpty)
  }

  @Test func trainingWithoutATrainedLayerWarns() throws {
    var recipe = recipe(.static)
    recipe.training = TrainingSettings()
    #expect(try candidate(recipe).warnings.contains("training has no effect: no layer is in mode qat"))
    recipe.defaults.mode = .qat
    #expect(try candidate(recipe).warnings.isEmpty)
  }

  @Test func tablesAndRecurrentLayersAreNotTrained() throws {
    let candidate = try quantizedLayer(
      "Gather", weight: Tensor([Float](repeating: 1, count: 40), shape: [10, 4]),
      settings: LayerSettings(mode: .qat), input: [3])
    #expect(candidate.resolution["layer"]?.effective.mode == .weightOnly)
    #expect(candidate.resolution["layer"]?.effective.weights.scale == nil)
  }

  @Test func theyNeedCalibration() throws {
    #expect(recipe(.qat).mayCalibrate && !recipe(.dynamic).mayCalibrate)
    var ruled = recipe(.float)
    ruled.rules = [Rule(match: Match(names: ["c2"]), change: SettingsChange(mode: .qat))]
    #expect(ruled.mayCalibrate)
    #expect(Mode.allCases.filter(\.isStatic) == [.static, .qat])
  }
}
