import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Training

/// Where a training is, for whoever watches it.
package struct TrainingProgress: Sendable, Hashable {
  package var epoch: Int
  package var epochs: Int
  /// Steps done in this epoch, of so many.
  package var step: Int
  package var steps: Int
  /// Loss of the last step.
  package var loss: Double
  /// One for each finished epoch.
  package var history: [TrainingPoint]
  /// Of the samples held back: float32's top-1, and the calibrated candidate before training.
  package var float32Top1: Double?
  package var start: TrainingPoint?
  /// Index of the epoch that is kept so far.
  package var bestEpoch: Int?
  package var heldBack: Int
  package var memoryBytes: Int

  package init(
    epoch: Int, epochs: Int, step: Int, steps: Int, loss: Double, history: [TrainingPoint],
    float32Top1: Double?, start: TrainingPoint?, bestEpoch: Int?, heldBack: Int, memoryBytes: Int
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.loss = loss
    self.history = history
    self.float32Top1 = float32Top1
    self.start = start
    self.bestEpoch = bestEpoch
    self.heldBack = heldBack
    self.memoryBytes = memoryBytes
  }
}

/// Ends a training early from another thread; the best epoch so far is kept.
package final class TrainingControl: Sendable {
  private let stops = Locked(false)
  package init() {}
  package func stop() { stops.withLock { $0 = true } }
  package var isStopped: Bool { stops.withLock { $0 } }
}

/// Who watches and steers a training.
package struct TrainingWatch: Sendable {
  package var control: TrainingControl
  package var progress: @Sendable (TrainingProgress) throws -> Void
  /// Called with the candidate of each epoch that is the best so far.
  package var improved: @Sendable (Candidate) throws -> Void

  package init(
    control: TrainingControl = TrainingControl(),
    progress: @escaping @Sendable (TrainingProgress) throws -> Void = { _ in },
    improved: @escaping @Sendable (Candidate) throws -> Void = { _ in }
  ) {
    self.control = control
    self.progress = progress
    self.improved = improved
  }
}

extension Recipe {
  /// Whether the recipe trains a layer of this model.
  package func trains(_ model: Model) -> Bool {
    resolve(model.graph, infos: model.infos).layers.contains { $0.effective.mode == .qat }
  }
}

extension Project {
  /// Trains the layers of a calibrated candidate whose mode is qat, on the training data.
  ///
  /// The last share of the training samples, drawn by seed, is held back: the epoch whose integer network is nearest to
  /// float32 on them (KL) is kept. With nothing held back the last epoch is. Goes on from a checkpoint of the same
  /// training in `trainingFolder`.
  /// - Errors: `WorkflowError` without training data; `TrainingError`; `JobCancelled`.
  package func train(
    _ candidate: Candidate, recipe: Recipe, reporter: Reporter, watch: TrainingWatch = TrainingWatch()
  ) throws -> Candidate {
    guard let data = trainData else {
      throw WorkflowError(
        "mode qat needs data to train on (found none). Give --train-data, or use mode static.")
    }
    return try TrainingRun(
      project: self, data: data, candidate: candidate, settings: recipe.training ?? TrainingSettings(),
      subject: subject(of: recipe, data), reporter: reporter, watch: watch
    ).run()
  }

  /// What a training depends on, but for how long it is.
  private func subject(of recipe: Recipe, _ data: BoundDataset) -> String {
    var same = recipe
    same.name = ""
    same.training = recipe.training ?? TrainingSettings()
    same.training?.epochs = 1
    return [
      "model \(model.path) \(model.fileBytes)", "data \(data.path) \(data.count)",
      "numerics \(Numerics.version)",
      same.yaml,
    ].joined(separator: "\n")
  }
}

/// One training from calibrated to trained candidate.
private struct TrainingRun {
  let project: Project
  let data: BoundDataset
  let candidate: Candidate
  let settings: TrainingSettings
  let subject: String
  let reporter: Reporter
  let watch: TrainingWatch

  func run() throws -> Candidate {
    let clock = ContinuousClock()
    let begin = clock.now
    let held = Int((Double(data.count) * settings.holdOut).rounded())
    let (validation, samples) = Sampling.split(data.count, taking: held, seed: settings.seed)
    try reporter.report(0, "preparing to train")
    let judge = try Judge(project, data.selecting(validation))
    guard let answer = judge.answer else { throw TrainingError("the model has no output to train") }
    let trainer = try Trainer(
      candidate, answer: .init(output: answer, hasClasses: judge.hasClasses),
      source: .init(data: data, samples: samples, augmentation: augmentation), settings: settings,
      threads: project.threads, shapes: { project.model.inputShapes(batch: $0) })
    var progress = TrainingProgress(
      epoch: 0, epochs: settings.epochs, step: 0, steps: trainer.stepsPerEpoch, loss: .nan, history: [],
      float32Top1: judge.float32.top1Share, start: try judge.point(candidate, loss: .nan), bestEpoch: nil,
      heldBack: validation.count, memoryBytes: trainer.memoryBytes)
    var best = trainer.numbers
    let saved = try resume(trainer)
    if let saved {
      progress.history = saved.history
      progress.epoch = saved.done
      progress.bestEpoch = saved.bestEpoch
      best = saved.best
    }
    try watch.progress(progress)
    for epoch in progress.epoch..<Swift.max(progress.epoch, settings.epochs) {
      let start = clock.now
      progress.epoch = epoch
      var isStopped = false
      do {
        progress.loss = try trainer.epoch(epoch) { step in
          progress.step = step
          progress.loss = trainer.loss
          guard !watch.control.isStopped else { throw Stopped() }
          let done = Double(epoch * trainer.stepsPerEpoch + step)
          try reporter.report(
            done / Double(settings.epochs * trainer.stepsPerEpoch),
            "epoch \(epoch + 1) of \(settings.epochs), step \(step) of \(trainer.stepsPerEpoch), loss "
              + String(format: "%.4f", trainer.loss))
          try watch.progress(progress)
        }
      } catch is Stopped {
        isStopped = true
      }
      if isStopped { break }
      let trained = try trainer.candidate(trainer.numbers)
      var point = try judge.point(trained, loss: progress.loss)
      point.seconds = start.duration(to: clock.now) / .seconds(1)
      let isBest =
        progress.bestEpoch.flatMap { progress.history[$0].divergence }
        .flatMap { old in point.divergence.map { $0 < old } } ?? true
      progress.history.append(point)
      if isBest {
        progress.bestEpoch = epoch
        best = trainer.numbers
        try watch.improved(trained)
      }
      try save(
        Checkpoint(
          subject: subject, epochs: settings.epochs, done: epoch + 1, history: progress.history,
          state: trainer.state, best: best, bestEpoch: progress.bestEpoch ?? epoch))
      try watch.progress(progress)
    }
    var result = progress.bestEpoch == nil ? candidate : try trainer.candidate(best)
    if let epoch = progress.bestEpoch {
      if epoch + 1 < progress.history.count {
        result.warnings.append(
          "epoch \(epoch + 1) of \(progress.history.count) is kept: nearest to float32 on \(validation.count) samples held back"
        )
      }
      if progress.history.count < settings.epochs {
        result.warnings.append(
          "training was stopped after epoch \(progress.history.count) of \(settings.epochs)")
      }
    } else {
      result.warnings.append("training was stopped before its first epoch ended: calibrated, not trained")
    }
    result.quantizeSeconds += begin.duration(to: clock.now) / .seconds(1)
    return result
  }

  private struct Stopped: Error {}

  private var augmentation: Datasets.Augmentation {
    settings.augment.map { Augmentation(flip: $0.flip, crop: $0.crop) } ?? data.augmentation
  }

  // MARK: checkpoints

  /// By the hash of its subject (FNV-1a, 64 bits).
  private var path: String? {
    project.trainingFolder.map { folder in
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in subject.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      return "\(folder)/\(String(hash, radix: 16)).qat"
    }
  }

  /// Takes up a checkpoint of this training, or of one with fewer epochs that came to its end.
  private func resume(_ trainer: Trainer) throws -> Checkpoint? {
    guard let path, let bytes = FileManager.default.contents(atPath: path) else { return nil }
    let checkpoint: Checkpoint
    do { checkpoint = try Checkpoint(bytes) } catch { throw WorkflowError("\(path): \(error)") }
    let isSame = checkpoint.epochs == settings.epochs
    let isShorter = checkpoint.epochs < settings.epochs && checkpoint.done == checkpoint.epochs
    guard checkpoint.subject == subject, isSame || isShorter else { return nil }
    try trainer.restore(checkpoint.state)
    return checkpoint
  }

  private func save(_ checkpoint: Checkpoint) throws {
    guard let path, let folder = project.trainingFolder else { return }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try checkpoint.data.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw WorkflowError(
        "\(path): the checkpoint cannot be written: \((error as NSError).localizedDescription)")
    }
  }
}

extension Judge {
  fileprivate func point(_ candidate: Candidate, loss: Double) throws -> TrainingPoint {
    let scores = try scores(candidate.runnable())
    guard scores.samples > 0 else { return TrainingPoint(loss: loss) }
    return TrainingPoint(loss: loss, divergence: scores.distance, top1: scores.top1Share)
  }
}
