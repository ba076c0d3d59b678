import Jobs
import Quantization
import Workflows

extension State {
  /// Applies an action and says what the world should do.
  ///
  /// Pure: the same state and action always give the same.
  package mutating func update(_ action: Action) -> [Effect] {
    switch action {
    case .clock(let seconds):
      now = seconds
      return []
    case .note(let text, let level):
      note(text, level)
      return []
    case .open, .opened, .openFailed: return updateProject(action)
    case .selectLayer, .setMarks, .setCompare, .showDetail: return updateLayers(action)
    case .clippingFound: return updateClipping(action)
    case .calibrate, .calibrationStarted, .calibrated: return updateCalibrations(action)
    case .lookAtActivations, .activationsStarted, .activationsSeen: return updateActivations(action)
    case .edit, .editDefaults, .setSamples, .setTraining, .undo, .redo, .travel, .add, .duplicate, .delete,
      .rename, .setNote,
      .select,
      .setBaseline:
      return updateDesign(action)
    case .run, .runStale, .cancel, .pause, .started, .jobChanged, .partial, .measured:
      return updateWork(action)
    case .trainingProgress, .epochMeasured, .stopTraining, .trained: return updateTraining(action)
    case .showSteps, .timeSteps, .stepsStarted, .stepsTimed: return updateSteps(action)
    case .measureCosts, .costsStarted, .costsFound: return updateCosts(action)
    case .advise, .adviceStarted, .advised: return updateAdvice(action)
    case .search, .searchStarted, .searchFound: return updateSearch(action)
    case .showBlame, .findBlame, .blameStarted, .blamed: return updateBlame(action)
    case .continueText, .continuationStarted, .continued: return updateContinuations(action)
    case .whatIfStarted, .whatIfReady, .predicted: return updatePredictions(action)
    case .filesKnown, .list, .listed, .openFile, .previewExport, .exportPreviewed, .exportFailed,
      .writeText, .textWritten, .textExists:
      return updateFolders(action)
    // The screen asks before it opens.
    case .fileChosen: return []
    case .export, .exported, .exportExists, .importRecipe, .copy, .saved, .saveFailed, .sessionIsReadOnly:
      return updateFiles(action)
    }
  }

  /// Asks for what the histogram shows, where there is a layer to show.
  func detailEffect() -> [Effect] {
    guard let layer, let recipe = currentEntry?.recipe else { return [] }
    if let detail, detail.layer == layer, detail.recipe == recipe.key { return [] }
    return [.detail(layer: layer, recipe.key)]
  }

  private mutating func updateProject(_ action: Action) -> [Effect] {
    switch action {
    case .open(let request):
      opening = request.model
      // What is at work belongs to the model that is left.
      return (project == nil ? [] : activeJobs.map { .cancel($0.id) }) + [.open(request)]
    case .opened(let project, let session):
      // What was said while there was no model yet, of a theme or of a file that did not open, stays.
      let (time, files, keys, said) = (now, files, keys, self.project == nil ? log : [])
      self = State()
      (now, self.files, self.keys) = (time, files, keys)
      (log, logged) = (said, said.count)
      self.project = project
      continuations.isOffered = project.model.language != nil
      // What has weights is what people come for.
      layer = (project.model.layers.first(where: \.hasWeights) ?? project.model.layers.first)?.name
      if let session {
        restore(session)
      }
      if candidates.isEmpty { addCandidate(Self.first(project.model)) }
      let model = project.model
      note("opened \(model.title): \(model.layers.count) layers, \(model.parameters) parameters", .good)
      return detailEffect()
    case .openFailed(let message):
      opening = nil
      note(message, .error)
      return []
    default: return []
    }
  }

  /// The candidate a model begins with.
  private static func first(_ model: Model) -> Recipe {
    let name = model.language == nil ? "static-int8" : "weight-int8"
    return Presets[name]?.recipe ?? Recipe(name: name)
  }

  private mutating func updateLayers(_ action: Action) -> [Effect] {
    switch action {
    case .selectLayer(let name):
      layer = name
      return detailEffect()
    case .setMarks(let names):
      marked = names
      return []
    case .setCompare(let choice):
      guard choice != compare else { return [] }
      compare = choice
      isUnsaved = true
      return [.save]
    case .showDetail(let detail):
      // What was asked for a layer that is no longer under the cursor is late.
      if detail.layer == layer, detail.recipe == currentEntry?.recipe.key {
        self.detail = detail
        clipping.take(detail)
      }
      return []
    default: return []
    }
  }

  private mutating func updateWork(_ action: Action) -> [Effect] {
    switch action {
    case .run(let id):
      guard let entry = entry(id), job(of: id) == nil else { return [] }
      failures[id] = nil
      if !isStoppedShort(entry), let measured = trials[entry.recipe.key], !measured.latencyIsStale,
        measured.answers != nil
      {
        note("\(entry.title) is already measured")
        return []
      }
      return [.run(id, entry.recipe)]
    case .runStale:
      return candidates.filter { job(of: $0.id) == nil && trials[$0.recipe.key] == nil }.map {
        .run($0.id, $0.recipe)
      }
    case .cancel(let id):
      return [.cancel(id)]
    case .pause(let id):
      guard let job = jobs.last(where: { $0.id == id && !$0.state.isOver }) else { return [] }
      return [.pause(id, !job.isHeld)]
    case .started(let job, let candidate):
      owners[job] = candidate
      return []
    case .jobChanged(let status): return jobChanged(status)
    case .partial(let id, let recipe, let measurement):
      guard entry(id)?.recipe.key == recipe.key, let trial = measurement.candidates.first else { return [] }
      live[id] = LiveFigures(trial: trial, float32: measurement.float32, fraction: measurement.fraction)
      return []
    case .measured(let id, let recipe, let measurement):
      guard let trial = measurement.candidates.first else { return [] }
      let measured = Measured(
        trial: trial, float32: measurement.float32, roles: measurement.roles,
        answers: measurement.answers.first)
      trials[recipe.key] = measured
      float32 = measurement.float32
      live[id] = nil
      failures[id] = nil
      if let index = candidates.firstIndex(where: { $0.id == id }) {
        candidates[index].lastMeasured = recipe.key
        note("\(candidates[index].id.letter) \(recipe.name): \(trial.summary)", .good)
      }
      for warning in trial.warnings ?? [] { note("\(recipe.name): \(warning)", .warning) }
      isUnsaved = true
      // The histogram can now show what calibration saw.
      detail = nil
      return [.keep(recipe.key, measured), .save] + detailEffect()
    default: return []
    }
  }

  private mutating func jobChanged(_ status: JobStatus) -> [Effect] {
    if let index = jobs.firstIndex(where: { $0.id == status.id }) {
      jobs[index] = status
    } else {
      jobs.append(status)
      let over = jobs.filter(\.state.isOver)
      if over.count > 50, let oldest = over.first { jobs.removeAll { $0.id == oldest.id } }
    }
    stepJobChanged(status)
    costsJobChanged(status)
    adviceJobChanged(status)
    blameJobChanged(status)
    continuationJobChanged(status)
    calibrationJobChanged(status)
    activationJobChanged(status)
    predictionJobChanged(status)
    let effects = searchJobChanged(status)
    guard status.state.isOver, let id = owners[status.id] else { return effects }
    live[id] = nil
    trainingJobEnded(id, status.state)
    if case .failed(let message) = status.state { failures[id] = message }
    noteEnd(status)
    return effects
  }

  private mutating func updateFiles(_ action: Action) -> [Effect] {
    switch action {
    case .export(let request): return [.export(request)]
    case .exported(let path, let losses):
      note("wrote \(path)", .good)
      for loss in losses { note("\(path): \(loss)", .warning) }
      return []
    case .importRecipe(let path): return [.importRecipe(path: path)]
    case .copy(let text, let what):
      note("copied \(what)")
      return [.copy(text)]
    case .saved:
      isUnsaved = false
      return []
    case .saveFailed(let message):
      note("the session is not saved: \(message)", .error)
      return []
    case .sessionIsReadOnly(let reason):
      readOnly = reason
      note("the session is read-only: \(reason)", .warning)
      return []
    default: return []
    }
  }
}
