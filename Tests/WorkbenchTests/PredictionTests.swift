import Analysis
import Graph
import Jobs
import Quantization
import Testing
import Workbench
import Workflows

private let prediction = Prediction(
  layers: [Prediction.Layer(name: "dense", sqnrDb: 20, cost: 0.1)], cost: 0.1, kl: 0.1, top1Delta: -0.03,
  weightBytes: 300, packedBytes: 300, compression: 6.8)

private func edit(_ bits: Int) -> Action {
  .edit(layers: ["dense"], change: SettingsChange(weightBits: bits), title: "\(bits) bits")
}

/// Questions among effects: `nil` for what prepares, else the recipe asked about.
private func questions(_ effects: [Effect]) -> [Recipe?] {
  effects.compactMap { effect in
    switch effect {
    case .prepareWhatIf: .some(nil)
    case .predict(let recipe, _): .some(recipe)
    default: nil
    }
  }
}

/// A workbench with an edited candidate, in which recipes can be answered.
private func ready() throws -> (State, Recipe) {
  var state = try opened()
  #expect(questions(state.update(edit(4))) == [nil], "the first edit asks for what answers it")
  #expect(questions(state.update(edit(5))).isEmpty, "which is under way")
  _ = state.update(.whatIfStarted(JobID(3)))
  let recipe = try #require(state.currentEntry).recipe.key
  #expect(questions(state.update(.whatIfReady)) == [recipe])
  return (state, recipe)
}

@Test func anEditIsPredictedUntilItIsMeasured() throws {
  var (state, recipe) = try ready()
  #expect(try state.shown(#require(state.currentEntry)).prediction == nil)
  _ = state.update(.predicted(recipe, prediction))
  let shown = state.shown(try #require(state.currentEntry))
  #expect(shown.prediction == prediction && shown.trial == nil && shown.status == .notRun)
  #expect(questions(state.update(.selectLayer("dense"))).isEmpty, "it is known")
  let id = try #require(state.current)
  _ = state.update(.measured(id, recipe: recipe, measurement("a")))
  let measured = state.shown(try #require(state.currentEntry))
  #expect(measured.prediction == nil && measured.trial != nil && !measured.isStale)
}

@Test func everyChangeOfTheRecipeAsksAnew() throws {
  var (state, recipe) = try ready()
  _ = state.update(.predicted(recipe, prediction))
  let effects = state.update(edit(3))
  let next = try #require(state.currentEntry).recipe.key
  #expect(questions(effects) == [next] && next != recipe)
  #expect(try state.shown(#require(state.currentEntry)).prediction == nil)
  // What was asked before the edit comes late.
  _ = state.update(.predicted(recipe, prediction))
  #expect(try state.shown(#require(state.currentEntry)).prediction == nil)
  #expect(questions(state.update(.undo)).isEmpty, "an answer that is there is not asked for again")
  #expect(try state.shown(#require(state.currentEntry)).prediction == prediction)
}

@Test func lateAnswersOfOtherRecipesAreDropped() throws {
  var (state, recipe) = try ready()
  _ = state.update(edit(3))
  _ = state.update(.predicted(recipe, prediction))
  #expect(state.predictions[recipe] == nil)
  var other = try opened()
  _ = other.update(.whatIfReady)
  _ = other.update(.predicted(try #require(other.currentEntry).recipe.key, prediction))
  #expect(try other.shown(#require(other.currentEntry)).prediction == nil, "nobody asked")
}

@Test func whatCannotBePreparedIsToldOnce() throws {
  var state = try opened()
  _ = state.update(edit(4))
  _ = state.update(.jobChanged(JobStatus(id: JobID(3), title: "what-if", state: .failed("no room"))))
  _ = state.update(.whatIfStarted(JobID(3)))
  #expect(state.log.last?.text == "what-if: no room")
  #expect(questions(state.update(edit(3))).isEmpty)
}

@Test func aMeasuredRecipeIsNotPredicted() throws {
  var state = try opened()
  let id = try #require(state.current)
  _ = state.update(.measured(id, recipe: try #require(state.currentEntry).recipe, measurement("a")))
  _ = state.update(edit(4))
  _ = state.update(.whatIfStarted(JobID(3)))
  #expect(questions(state.update(.undo)).isEmpty)
  #expect(questions(state.update(.whatIfReady)).isEmpty)
}
