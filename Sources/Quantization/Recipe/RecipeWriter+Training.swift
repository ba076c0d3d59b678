extension TrainingSettings {
  /// The main settings always, the rest where they differ from what reading assumes.
  var pairs: [(String, String)] {
    let usual = TrainingSettings()
    var pairs = [("epochs", "\(epochs)"), ("learning-rate", "\(learningRate)")]
    func add<T: Equatable>(_ key: String, _ path: KeyPath<TrainingSettings, T>, _ text: String) {
      if self[keyPath: path] != usual[keyPath: path] { pairs.append((key, text)) }
    }
    add("scale-rate", \.scaleRate, "\(scaleRate)")
    pairs += [("batch", "\(batch)"), ("optimizer", optimizer.rawValue)]
    add("momentum", \.momentum, "\(momentum)")
    add("weight-decay", \.weightDecay, "\(weightDecay)")
    add("schedule", \.schedule, schedule.rawValue)
    add("warm-up", \.warmUp, "\(warmUp)")
    add("clip", \.clip, "\(clip)")
    pairs.append(("scales", scales.rawValue))
    add("bn", \.batchNorm, batchNorm.rawValue)
    if let x = distill {
      pairs.append(
        ("distill", YAMLText.mapping([("temperature", "\(x.temperature)"), ("weight", "\(x.weight)")])))
    }
    add("features", \.features, "\(features)")
    if let x = augment {
      pairs.append(("augment", YAMLText.mapping([("flip", "\(x.flip)"), ("crop", "\(x.crop)")])))
    }
    add("milestones", \.milestones, YAMLText.mapping(milestones.pairs))
    add("freeze-float", \.freezeFloat, "\(freezeFloat)")
    add("hold-out", \.holdOut, "\(holdOut)")
    add("seed", \.seed, "\(seed)")
    return pairs
  }
}

extension TrainingSettings.Milestones {
  fileprivate var pairs: [(String, String)] {
    var pairs = [("quantize", "\(quantize)")]
    if let x = freezeObservers { pairs.append(("freeze-observers", "\(x)")) }
    if let x = freezeBatchNorm { pairs.append(("freeze-batch-norm", "\(x)")) }
    return pairs
  }
}
