import Yams

extension RecipeReader {
  /// No count in a recipe needs to be larger, and products of counts cannot overflow.
  private static let most = 1_000_000

  func training(_ node: Yams.Node) throws -> TrainingSettings {
    var fields = try Fields(node, file: file, what: "training")
    var training = TrainingSettings()
    if let x = try fields.integer("epochs", in: 1...Self.most) { training.epochs = x }
    if let x = try fields.number("learning-rate", "a number over 0", where: { $0 > 0 }) {
      training.learningRate = x
    }
    if let x = try number("scale-rate", &fields) { training.scaleRate = x }
    if let x = try fields.integer("batch", in: 1...Self.most) { training.batch = x }
    if let x = try fields.choice("optimizer", TrainingSettings.Optimizer.self) { training.optimizer = x }
    if let x = try fields.number("momentum", "0 up to under 1", where: { $0 >= 0 && $0 < 1 }) {
      training.momentum = x
    }
    if let x = try number("weight-decay", &fields) { training.weightDecay = x }
    if let x = try fields.choice("schedule", TrainingSettings.Schedule.self) { training.schedule = x }
    if let x = try fields.integer("warm-up", in: 0...Self.most) { training.warmUp = x }
    if let x = try number("clip", &fields) { training.clip = x }
    if let x = try fields.choice("scales", TrainingSettings.Scales.self) { training.scales = x }
    if let x = try fields.choice("bn", TrainingSettings.BatchNorm.self) { training.batchNorm = x }
    if let node = fields.take("distill") { training.distill = try distillation(node) }
    if let x = try number("features", &fields) { training.features = x }
    if let node = fields.take("augment") { training.augment = try augmentation(node) }
    if let node = fields.take("milestones") {
      training.milestones = try milestones(node, epochs: training.epochs)
    }
    if let x = try fields.bool("freeze-float") { training.freezeFloat = x }
    if let x = try fields.number("hold-out", "0 up to under 1", where: { $0 >= 0 && $0 < 1 }) {
      training.holdOut = x
    }
    if let x = try fields.integer("seed", in: 0...Int.max) { training.seed = UInt64(x) }
    try fields.finish()
    return training
  }

  private func number(_ key: String, _ fields: inout Fields) throws -> Double? {
    try fields.number(key, "0 or more") { $0 >= 0 }
  }

  private func distillation(_ node: Yams.Node) throws -> TrainingSettings.Distillation {
    var fields = try Fields(node, file: file, what: "training.distill")
    var distill = TrainingSettings.Distillation()
    if let x = try fields.number("temperature", "a number over 0", where: { $0 > 0 }) {
      distill.temperature = x
    }
    if let x = try fields.number("weight", "0 to 1", where: { (0...1).contains($0) }) { distill.weight = x }
    try fields.finish()
    return distill
  }

  private func augmentation(_ node: Yams.Node) throws -> TrainingSettings.Augmentation {
    var fields = try Fields(node, file: file, what: "training.augment")
    var augment = TrainingSettings.Augmentation()
    if let x = try fields.bool("flip") { augment.flip = x }
    if let x = try fields.integer("crop", in: 0...Self.most) { augment.crop = x }
    try fields.finish()
    return augment
  }

  private func milestones(_ node: Yams.Node, epochs: Int) throws -> TrainingSettings.Milestones {
    var fields = try Fields(node, file: file, what: "training.milestones")
    var milestones = TrainingSettings.Milestones()
    // A network that is never quantized while it trains was not asked for.
    if let x = try fields.integer("quantize", in: 0...epochs - 1) { milestones.quantize = x }
    milestones.freezeObservers = try fields.integer("freeze-observers", in: 0...Self.most)
    milestones.freezeBatchNorm = try fields.integer("freeze-batch-norm", in: 0...Self.most)
    try fields.finish()
    return milestones
  }
}
