import Foundation
import Graph
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Training
import Workbench
import Workflows

private let small = Size(width: 80, height: 24)
private let large = Size(width: 120, height: 36)

/// A workbench whose last candidate is being trained.
func fixtureTrainingView(
  _ progress: TrainingProgress = fixtureProgress, _ glyphs: Glyphs = .unicode
) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  try fixtureTraining(&state, progress)
  var screen = fixtureScreen(glyphs)
  _ = screen.apply(.clock(0), &state)
  return (screen, state)
}

@Test(arguments: [
  ("training-kl-80x24", 80, 24, "T o"),
  ("training-loss-120x36", 120, 36, "T o o"), ("training-zoomed-80x24", 80, 24, "T + +"),
  ("training-zoomed-120x36", 120, 36, "T + +"),
  ("training-config-120x36", 120, 36, "2 j j j j j j j j j j j j j j"),
  ("training-config-zoomed-80x24", 80, 24, "2 + +"),
])
func trainingFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try fixtureTrainingView()
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func aTrainedCandidateKeepsItsCurves() throws {
  var progress = fixtureProgress
  progress.epoch = 7
  progress.step = 56
  progress.history += [
    TrainingPoint(loss: 0.371, divergence: 0.029, top1: 0.94, seconds: 20),
    TrainingPoint(loss: 0.355, divergence: 0.027, top1: 0.9425, seconds: 20),
    TrainingPoint(loss: 0.349, divergence: 0.0265, top1: 0.9425, seconds: 20),
    TrainingPoint(loss: 0.347, divergence: 0.0268, top1: 0.9425, seconds: 20),
  ]
  progress.bestEpoch = 6
  var (screen, state) = try fixtureTrainingView(progress)
  let recipe = try #require(state.currentEntry).recipe
  _ = screen.apply(.trained(CandidateID(5), recipe: recipe), &state)
  _ = screen.apply(.jobChanged(JobStatus(id: JobID(9), title: "E qat-w4a8", state: .done)), &state)
  _ = play("T", &screen, &state, small)
  try expectGolden("training-done-80x24", screen.draw(state, size: small).text())
  _ = play("B", &screen, &state, small)
  #expect(screen.draw(state, size: small).text().contains("~ an earlier form of the recipe"))
}

@Test func theTrainingViewComesByItselfWhereThereIsRoom() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("", &screen, &state, large)
  #expect(screen.draw(state, size: large).text().contains("5 Histogram"))
  try fixtureTraining(&state)
  state.trainings = [:]
  let recipe = try #require(state.currentEntry).recipe
  _ = screen.apply(.trainingProgress(CandidateID(5), recipe: recipe, fixtureProgress), &state)
  #expect(screen.draw(state, size: large).text().contains("8 Training") && screen.focus == .layers)
  // The next step of the same training does not bring it back.
  _ = play("5 1", &screen, &state, large)
  _ = screen.apply(.trainingProgress(CandidateID(5), recipe: recipe, fixtureProgress), &state)
  #expect(screen.draw(state, size: large).text().contains("5 Histogram"))
  _ = play("5 ]", &screen, &state, large)
  #expect(screen.focus == .training)
}

@Test func aTrainingStopsByAKeyOfItsOwnAndIsCancelledOnlyByTwo() throws {
  var (screen, state) = try fixtureTrainingView()
  #expect(play("x", &screen, &state, large).isEmpty)
  #expect(screen.draw(state, size: large).text().contains("x again cancels the training"))
  #expect(play("x", &screen, &state, large) == [.effect(.cancel(JobID(9)))])
  let footer = screen.draw(state, size: large).lines()[35]
  #expect(footer.contains("X keep best") && footer.contains("T training"))
  #expect(play("X", &screen, &state, large) == [.effect(.stopTraining(CandidateID(5)))])
  #expect(play("X", &screen, &state, large).isEmpty)
  #expect(play("T", &screen, &state, large).isEmpty)
  #expect(screen.draw(state, size: large).text().contains("stopping, keeps the best"))
}

@Test func aJobIsPausedAndGoesOn() throws {
  var (screen, state) = try fixtureTrainingView()
  #expect(play("p", &screen, &state, small) == [.effect(.pause(JobID(9), true))])
  _ = screen.apply(
    .jobChanged(JobStatus(id: JobID(9), title: "E qat-w4a8", state: .paused, fraction: 0.52, isHeld: true)),
    &state)
  _ = play("T", &screen, &state, small)
  #expect(screen.draw(state, size: small).text().contains("paused: p lets it go on"))
  #expect(play("6 p", &screen, &state, small) == [.effect(.pause(JobID(9), false))])
}

@Test func theTrainingViewSaysWhyItIsEmpty() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  func shown(_ keys: String) -> String {
    _ = play(keys, &screen, &state, large)
    return screen.draw(state, size: large).text()
  }
  #expect(shown("8 + +").contains("No layer of B weight-int4 is trained"))
  _ = state.update(.add(try #require(Presets["qat-int8"]).recipe))
  #expect(shown("").contains("open the model with --train-data"))
  _ = state.update(.started(JobID(9), CandidateID(5)))
  _ = state.update(.jobChanged(JobStatus(id: JobID(9), title: "E qat-int8", state: .running)))
  #expect(shown("").contains("is calibrated first"))
  _ = state.update(
    .jobChanged(JobStatus(id: JobID(9), title: "E qat-int8", state: .failed("mode qat needs data"))))
  #expect(shown("").contains("E qat-int8: mode qat needs data"))
}

/// Every row of the training settings turns both ways, and undo takes it all back.
@Test func trainingSettingsAreTurnedLikeTheOthers() throws {
  var state = try fixtureState(fixtureModel())
  _ = state.update(.add(try #require(Presets["qat-w4a4"]).recipe))
  var screen = fixtureScreen()
  let before = try #require(state.currentEntry).recipe
  _ = play("2 j j j j j j j j j j j j", &screen, &state, large)
  var seen: Set<Recipe> = [before]
  let steps = state.history.done.count
  for _ in 0..<12 {
    _ = play("j l", &screen, &state, large)
    seen.insert(try #require(state.currentEntry).recipe)
  }
  // The share of distillation ends where it is; every other row has another choice.
  #expect(seen.count == 12)
  let settings = try #require(state.currentEntry?.recipe.training)
  #expect(settings.epochs == 12 && settings.optimizer == .adamw && settings.distill?.temperature == 3)
  #expect(settings.augment == TrainingSettings.Augmentation() && settings.holdOut == 0.15)
  #expect(
    settings.batchNorm == .train && settings.milestones.freezeBatchNorm == 9 && settings.features == 0.1)
  var undone = 0
  while state.history.done.count > steps, undone < 50 {
    _ = play("z", &screen, &state, large)
    undone += 1
  }
  #expect(undone < 50)
  #expect(state.currentEntry?.recipe == before)
  _ = play("k k k k h h h h", &screen, &state, large)
  #expect(state.currentEntry?.recipe.training?.distill == nil)
  _ = play("j l", &screen, &state, large)
  #expect(state.currentEntry?.recipe.training?.distill == nil, "nothing to weigh without distillation")
}
