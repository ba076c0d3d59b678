import Graph
import Jobs
import Quantization
import Testing
import Training
import Workbench
import Workflows

private func progress(_ epochs: Int, of all: Int = 4) -> TrainingProgress {
  TrainingProgress(
    epoch: Swift.min(epochs, all - 1), epochs: all, step: 5, steps: 10, loss: 0.5,
    history: (0..<epochs).map {
      TrainingPoint(loss: 1 / Double($0 + 1), divergence: 0.1, top1: 0.8, seconds: 10)
    },
    float32Top1: 0.9, start: TrainingPoint(loss: .nan, divergence: 0.2, top1: 0.7),
    bestEpoch: epochs > 0 ? epochs - 1 : nil, heldBack: 10, memoryBytes: 1000)
}

/// A workbench that trains its second candidate.
private func training(_ epochs: Int = 1) throws -> (State, CandidateID, Recipe) {
  var state = try opened()
  _ = state.update(.add(try #require(Presets["qat-int8"]).recipe))
  let id = try #require(state.current)
  let recipe = try #require(state.currentEntry).recipe
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "B", state: .running)))
  _ = state.update(.started(JobID(1), id))
  _ = state.update(.trainingProgress(id, recipe: recipe, progress(epochs)))
  return (state, id, recipe)
}

private func mode(_ mode: Mode) -> Action {
  .edit(layers: ["dense"], change: SettingsChange(mode: mode), title: "mode")
}

@Test func choosingQatBringsTrainingAndLeavingItTakesItAway() throws {
  var state = try opened()
  let before = try #require(state.currentEntry).recipe
  _ = state.update(mode(.qat))
  let training = try #require(state.currentEntry?.recipe.training)
  #expect(training.distill == TrainingSettings.Distillation(temperature: 2, weight: 1))
  #expect(state.currentEntry?.trains == true)
  _ = state.update(.undo)
  #expect(state.currentEntry?.recipe == before)
  _ = state.update(.redo)
  _ = state.update(mode(.static))
  #expect(state.currentEntry?.recipe.key == before.key, "results of the recipe it was hold again")
}

@Test func changedTrainingSettingsAreKeptAndUndone() throws {
  var state = try opened()
  _ = state.update(mode(.qat))
  var settings = try #require(state.currentEntry?.recipe.training)
  settings.epochs = 3
  #expect(state.update(.setTraining(settings, title: "3 epochs")).contains(.save))
  #expect(state.history.done.last?.title == "3 epochs")
  _ = state.update(mode(.weightOnly))
  #expect(state.currentEntry?.recipe.training?.epochs == 3)
  _ = state.update(mode(.qat))
  #expect(state.currentEntry?.recipe.training?.epochs == 3)
  for _ in 0..<3 { _ = state.update(.undo) }
  #expect(state.currentEntry?.recipe.training?.epochs == 8)
}

@Test func progressIsKeptByCandidate() throws {
  var (state, id, recipe) = try training()
  let entry = try #require(state.entry(id))
  #expect(state.shown(entry).status == .training(epoch: 2, of: 4))
  #expect(state.trainings[id]?.secondsLeft == 25)
  _ = state.update(.epochMeasured(id, recipe: recipe, measurement("b")))
  #expect(state.shown(entry).isProvisional && state.shown(entry).trial?.weightBytes == 600)
  _ = state.update(.trainingProgress(id, recipe: recipe, progress(4)))
  _ = state.update(.trained(id, recipe: recipe))
  #expect(state.trainings[id]?.phase == .done && state.trainings[id]?.secondsLeft == nil)
  _ = state.update(.partial(id, recipe: recipe, measurement("b")))
  #expect(!state.shown(entry).isProvisional && state.shown(entry).status == .running(1))
  _ = state.update(.measured(id, recipe: recipe, measurement("b")))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "B", state: .done)))
  guard case .training(let kept, let isStale) = state.shownTraining else {
    Issue.record("the history stays")
    return
  }
  #expect(kept.phase == .done && kept.progress.history.count == 4 && !isStale)
  _ = state.update(.edit(layers: ["dense"], change: SettingsChange(weightBits: 4), title: "4 bits"))
  guard case .training(_, isStale: true) = state.shownTraining else {
    Issue.record("it belongs to an earlier form")
    return
  }
}

@Test func aStoppedTrainingKeepsItsBestEpochAndCanGoOn() throws {
  var (state, id, recipe) = try training(2)
  #expect(state.update(.stopTraining(id)) == [.stopTraining(id)])
  #expect(state.update(.stopTraining(id)).isEmpty, "once")
  _ = state.update(.trainingProgress(id, recipe: recipe, progress(2)))
  #expect(state.trainings[id]?.phase == .stopping)
  _ = state.update(.trained(id, recipe: recipe))
  #expect(state.trainings[id]?.phase == .stopped)
  _ = state.update(.measured(id, recipe: recipe, measurement("b")))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "B", state: .done)))
  #expect(state.shown(try #require(state.entry(id))).status == .done)
  #expect(state.update(.run(id)) == [.run(id, recipe)], "trains on")
}

@Test func stoppingAPausedTrainingLetsItGoOnToItsEnd() throws {
  var (state, id, _) = try training()
  #expect(state.update(.pause(JobID(1))) == [.pause(JobID(1), true)])
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "B", state: .paused, isHeld: true)))
  #expect(state.update(.stopTraining(id)) == [.stopTraining(id), .pause(JobID(1), false)])
  #expect(state.update(.pause(JobID(1))) == [.pause(JobID(1), false)])
}

@Test func aTrainingThatDoesNotEndWellSaysSo() throws {
  let ends: [(JobStatus.State, CandidateTraining.Phase)] = [
    (.cancelled, .cancelled), (.failed("nan"), .failed("nan")),
  ]
  for (end, phase) in ends {
    var (state, id, recipe) = try training(2)
    _ = state.update(.epochMeasured(id, recipe: recipe, measurement("b")))
    _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "B", state: end)))
    #expect(state.trainings[id]?.phase == phase && state.live.isEmpty)
    #expect(state.update(.stopTraining(id)).isEmpty)
    #expect(state.update(.run(id)) == [.run(id, recipe)])
  }
}

@Test func progressOfAnotherModelIsLate() throws {
  var (state, id, recipe) = try training()
  _ = state.update(.opened(try project(), nil))
  _ = state.update(.trainingProgress(id, recipe: recipe, progress(2)))
  _ = state.update(.epochMeasured(id, recipe: recipe, measurement("b")))
  #expect(state.trainings.isEmpty && state.live.isEmpty)
}
