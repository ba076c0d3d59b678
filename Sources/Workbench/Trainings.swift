import Graph
import Jobs
import Quantization
import Training
import Workflows

/// The training of a candidate, as last heard of; it stays after its end, for the view.
package struct CandidateTraining: Sendable, Hashable {
  package enum Phase: Sendable, Hashable {
    case running
    /// Asked to end at its next step and to keep the best epoch.
    case stopping
    case done
    /// Ended early by the user, who kept the best epoch.
    case stopped
    case cancelled
    case failed(String)
  }

  /// The key of the recipe that it follows.
  package var recipe: Recipe
  package var progress: TrainingProgress
  package var phase: Phase

  package var isOver: Bool { phase != .running && phase != .stopping }

  /// The epoch it is in, or ended in, counted from 1.
  package var epoch: Int { Swift.min(progress.epoch + 1, progress.epochs) }

  /// Seconds until its last epoch ends, at the pace of those that ended; `nil` before the first has.
  package var secondsLeft: Double? {
    let times = progress.history.map(\.seconds).filter { $0 > 0 }
    guard !isOver, !times.isEmpty, progress.steps > 0 else { return nil }
    let mean = times.reduce(0, +) / Double(times.count)
    let done = Swift.max(
      Double(progress.epoch) + Double(progress.step) / Double(progress.steps), Double(progress.history.count))
    return mean * Swift.max(Double(progress.epochs) - done, 0)
  }
}

/// What the Training view is about.
package enum ShownTraining: Sendable, Hashable {
  /// Why there is nothing to draw, in one sentence.
  case nothing(String)
  /// A training; stale where it belongs to an earlier form of the recipe.
  case training(CandidateTraining, isStale: Bool)
}

extension CandidateEntry {
  /// Whether a layer of it is trained.
  package var trains: Bool { resolution.layers.contains { $0.effective.mode == .qat } }
}

extension Recipe {
  /// What a recipe gets that trains for the first time: the float32 network is the teacher, labels are not needed.
  static let usualTraining = TrainingSettings(
    distill: TrainingSettings.Distillation(temperature: 2, weight: 1))

  /// Gives a recipe that trains its settings where it has none, and takes them away, untouched, where it no longer does.
  ///
  /// So a mode that is passed on the way to another leaves nothing behind.
  mutating func settleTraining() {
    let trains = defaults.mode == .qat || rules.contains { $0.change.mode == .qat }
    if trains, training == nil {
      training = Self.usualTraining
    } else if !trains, training == Self.usualTraining {
      training = nil
    }
  }
}

extension State {
  /// What the Training view shows of the current candidate.
  package var shownTraining: ShownTraining {
    guard let entry = currentEntry else { return .nothing(keys.noCandidate) }
    let job = job(of: entry.id)
    if let training = trainings[entry.id],
      job == nil || !training.isOver || training.recipe == entry.recipe.key
    {
      return .training(training, isStale: training.recipe != entry.recipe.key)
    }
    guard entry.trains else {
      return .nothing(
        "No layer of \(entry.title) is trained: \(keys["mode"]) gives layers the mode qat, \(keys["new"]) has presets that train."
      )
    }
    if job != nil { return .nothing("\(entry.title) is calibrated first; its training follows.") }
    if let failure = failures[entry.id] { return .nothing("\(entry.title): \(failure)") }
    guard project?.trainData != nil else {
      return .nothing(
        "\(entry.title) has layers to train and there is no data to train on: open the model with --train-data."
      )
    }
    if trials[entry.recipe.key] != nil {
      return .nothing("\(entry.title) is measured; its training was not in this session.")
    }
    return .nothing("\(entry.title) is not trained yet: r trains it.")
  }

  /// The training of a candidate that goes on now.
  package func activeTraining(of id: CandidateID?) -> CandidateTraining? {
    id.flatMap { trainings[$0] }.flatMap { $0.isOver ? nil : $0 }
  }

  /// Whether running a candidate again goes on from where its training was stopped.
  func isStoppedShort(_ entry: CandidateEntry) -> Bool {
    trainings[entry.id].map { $0.phase == .stopped && $0.recipe == entry.recipe.key } ?? false
  }

  mutating func updateTraining(_ action: Action) -> [Effect] {
    switch action {
    case .trainingProgress(let id, let recipe, let progress):
      // What no job of this model tells is late.
      guard job(of: id) != nil else { return [] }
      let isStopping = trainings[id].map { $0.phase == .stopping && $0.recipe == recipe.key } ?? false
      trainings[id] = CandidateTraining(
        recipe: recipe.key, progress: progress, phase: isStopping ? .stopping : .running)
      return []
    case .epochMeasured(let id, let recipe, let measurement):
      guard job(of: id) != nil, entry(id)?.recipe.key == recipe.key, let trial = measurement.candidates.first
      else { return [] }
      live[id] = LiveFigures(
        trial: trial, float32: measurement.float32, fraction: measurement.fraction, isProvisional: true)
      return []
    case .stopTraining(let id):
      guard activeTraining(of: id)?.phase == .running, let job = job(of: id) else { return [] }
      trainings[id]?.phase = .stopping
      note("\(job.title): training stops, the best epoch is kept")
      return [.stopTraining(id)] + (job.isHeld ? [.pause(job.id, false)] : [])
    case .trained(let id, let recipe):
      guard let training = trainings[id], training.recipe == recipe.key, !training.isOver else { return [] }
      let isShort = training.progress.history.count < training.progress.epochs
      trainings[id]?.phase = isShort ? .stopped : .done
      return []
    default: return []
    }
  }

  /// Notes how a training ended whose job did.
  mutating func trainingJobEnded(_ id: CandidateID, _ end: JobStatus.State) {
    guard activeTraining(of: id) != nil else { return }
    switch end {
    case .cancelled: trainings[id]?.phase = .cancelled
    case .failed(let message): trainings[id]?.phase = .failed(message)
    default: trainings[id]?.phase = .done
    }
  }
}
