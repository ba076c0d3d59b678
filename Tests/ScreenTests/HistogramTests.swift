import Graph
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Tensors
import Testing
import Workbench
import Workflows

private let size = Size(width: 80, height: 24)

/// A workbench whose first candidate is current and not yet calibrated.
private func workbench(_ layer: String = "block/pointwise") throws -> State {
  var state = try fixtureState(fixtureModel())
  _ = state.update(.select(CandidateID(1)))
  _ = state.update(.selectLayer(layer))
  try describe(&state, nil)
  return state
}

/// Answers the workbench's question for the layer as the shell would.
private func describe(_ state: inout State, _ candidate: Candidate?) throws {
  let project = try #require(state.project)
  let (layer, recipe) = (try #require(state.layer), try #require(state.currentEntry).recipe.key)
  _ = state.update(
    .showDetail(try LayerDetail(layer: layer, recipe: recipe, project: project, candidate: candidate)))
}

private func text(_ screen: Screen, _ state: State, _ size: Size = size) -> String {
  screen.draw(state, size: size).text()
}

@Test func theViewsGoRoundAndSayWhatTheyMiss() throws {
  var state = try workbench()
  var screen = fixtureScreen()
  _ = play("5 + +", &screen, &state, size)
  #expect(text(screen, state).contains("block/pointwise W ━") && text(screen, state).contains("levels"))
  _ = play("w", &screen, &state, size)
  #expect(text(screen, state).contains("The input is known once the candidate was calibrated: s does that"))
  _ = play("w", &screen, &state, size)
  #expect(text(screen, state).contains("The output is known once"))
  _ = play("l", &screen, &state, size)
  #expect(text(screen, state).contains("W error") && text(screen, state).contains("w − q"))
  _ = play("w w w o", &screen, &state, size)
  #expect(text(screen, state).contains("block/pointwise W log ━"))
  _ = play("h", &screen, &state, size)
  #expect(text(screen, state).contains("output error log"))
}

/// The error of activations and their channels are measured, in samples, once that is asked for.
@Test func activationsAreLookedAtInSamples() throws {
  var state = try workbench()
  var screen = fixtureScreen()
  _ = play("5 + + a", &screen, &state, size)
  #expect(text(screen, state).contains("The candidate is not made; s makes it."))
  let recipe = try #require(state.currentEntry).recipe
  let project = try #require(state.project)
  let candidate = try project.prepare(recipe, name: "a", reporter: .silent)
  try describe(&state, candidate)
  _ = play("w w w w", &screen, &state, size)
  #expect(text(screen, state).contains("is seen in a few samples: a runs them."))
  let subject = ActivationSubject(layer: "block/pointwise", recipe: recipe.key)
  #expect(play("v a", &screen, &state, size) == [.effect(.activations(subject))])
  #expect(text(screen, state).contains("Running samples …"))
  _ = state.update(.activationsStarted(JobID(12), subject))
  _ = state.update(.jobChanged(JobStatus(id: JobID(12), title: "a", state: .failed("no memory."))))
  #expect(text(screen, state).contains("no memory. a tries again."))
  let found = try LayerActivations(of: "block/pointwise", candidate, project, reporter: .silent)
  let input = try #require(found.input)
  #expect(found.samples == 16 && input.count == 16 * 16 * 256 && input.errors.channels.count == 16)
  // Rounding takes no element that is inside farther than half a step.
  let step = try #require(state.detail?.input?.grid).step
  let unclipped = input.errors.channels.filter { $0.clipped == 0 }
  let ends = try #require(input.errors.errors)
  #expect(!unclipped.isEmpty && ends.lowerBound < 0 && ends.upperBound > 0)
  #expect(ends.lowerBound >= -0.5001 * step, "what is below the range is not")
  #expect(abs(input.errors.bins.reduce(0, +) - Float(input.count)) < 1)
  _ = play("a", &screen, &state, size)
  _ = state.update(.activationsSeen(subject, found))
  let sqnr = "SQNR \(Numbers.fixed(try #require(input.sqnrDb), 1)) dB"
  #expect(text(screen, state).contains(sqnr) && text(screen, state).contains("16 samples"))
  _ = play("v !", &screen, &state, size)
  let worst = try #require(input.errors.worst)
  #expect(text(screen, state).contains("channel \(worst) of 16"))
  _ = play("h h h", &screen, &state, size)
  #expect(text(screen, state).contains("block/pointwise input ━"), "the input's own counts, by channel")
  // Another layer was not looked at.
  _ = screen.apply(.selectLayer("stem/conv"), &state)
  #expect(state.shownActivations == nil)
}

@Test func calibrationIsAskedForOnceAndShowsWhatItSaw() throws {
  var state = try workbench()
  var screen = fixtureScreen()
  let recipe = try #require(state.currentEntry).recipe
  let asked = play("5 + + s s", &screen, &state, size)
  #expect(
    asked.filter { if case .effect(.calibrate) = $0 { true } else { false } }
      == [.effect(.calibrate(recipe.key, title: "A static-int8"))])
  #expect(text(screen, state).contains("It is being calibrated."))
  _ = state.update(.calibrationStarted(JobID(11), recipe.key))
  _ = state.update(.jobChanged(JobStatus(id: JobID(11), title: "A", state: .running, fraction: 0.4)))
  _ = play("w", &screen, &state, size)
  #expect(text(screen, state).contains("Calibrating … 40 %"))
  _ = state.update(.jobChanged(JobStatus(id: JobID(11), title: "A", state: .failed("no samples"))))
  #expect(text(screen, state).contains("no samples"))
  let candidate = try #require(state.project).prepare(
    recipe, name: "a", reporter: .silent)
  let effects = state.update(.calibrated(recipe.key))
  #expect(effects == [.detail(layer: "block/pointwise", recipe.key)])
  try describe(&state, candidate)
  let input = try #require(state.detail?.input)
  let output = try #require(state.detail?.output, "of the Add that follows, or its own")
  #expect(
    input.count > 0 && abs(input.histogram.bins.reduce(0, +) - Float(input.count)) < Float(input.count) / 1000
  )
  #expect(output.count > 0 && output.grid?.levels == 256)
  #expect(!(state.detail?.isPreview ?? true))
  #expect(text(screen, state).contains("values") && text(screen, state).contains("seen"))
  #expect(state.whyNoCalibration == "What calibration saw is shown.")
}

@Test func theOutputIsThatAfterTheFusedClamp() throws {
  var state = try workbench("stem/conv")
  let recipe = try #require(state.currentEntry).recipe
  let candidate = try #require(state.project).prepare(
    recipe, name: "a", reporter: .silent)
  try describe(&state, candidate)
  let output = try #require(state.detail?.output)
  #expect(output.histogram.lower >= 0 && output.histogram.lower == candidate.observed["b"]?.lowest)
  #expect(output.histogram.upper == candidate.observed["b"]?.highest)
}

@Test func codesThatDependOnMoreThanTheWeightsAreMarkedAPreview() throws {
  var state = try workbench()
  #expect(!(state.detail?.isPreview ?? true))
  var screen = fixtureScreen()
  _ = play("5 + +", &screen, &state, size)
  #expect(!text(screen, state).contains("by nearest"))
  var recipe = try #require(Presets["static-int8"]).recipe
  recipe.defaults.weights.method = .gptq
  _ = state.update(.add(recipe))
  try describe(&state, nil)
  #expect(state.detail?.isPreview ?? false)
  #expect(text(screen, state).contains("≈ by nearest, before corrections: s makes it"))
}

@Test func channelsAreListedWithTheWorstMarked() throws {
  var state = try workbench()
  _ = state.update(.editDefaults(SettingsChange(weightBits: 3), title: "3 bits"))
  try describe(&state, nil)
  let errors = try #require(state.detail?.errors)
  let worst = try #require(errors.worst)
  #expect(errors.channels.count == 16)
  var screen = fixtureScreen()
  _ = play("5 + + v", &screen, &state, size)
  #expect(text(screen, state).contains("SQNR dB") && text(screen, state).contains("channel 0 of 16"))
  _ = play("!", &screen, &state, size)
  let frame = text(screen, state)
  #expect(frame.contains("channel \(worst) of 16") && frame.contains("\(worst)! "))
  let row = try #require(frame.split(separator: "\n").first { $0.contains("\(worst)! ") })
  #expect(row.contains(Numbers.fixed(try #require(errors.channels[worst].sqnrDb), 1)) && row.contains("█"))
  _ = play("G", &screen, &state, size)
  #expect(text(screen, state).contains("channel 15 of 16"))
  let inside = Rect(x: 1, y: 2, width: 78, height: 19)
  _ = screen.handle(.mouse(Mouse(at: Point(x: inside.x + 9, y: inside.y + 1), .wheelUp)), &state)
  #expect(text(screen, state).contains("channel 12 of 16"))
  // Another layer is looked at from its first channel.
  _ = screen.apply(.selectLayer("stem/conv"), &state)
  try describe(&state, nil)
  #expect(text(screen, state).contains("channel 0 of 16"))
  _ = screen.apply(.selectLayer("pool"), &state)
  try describe(&state, nil)
  #expect(!text(screen, state).contains("channel 0") && text(screen, state).contains("no weights"))
}

@Test func aTallPaneShowsBarsAndChannels() throws {
  var state = try workbench()
  var screen = fixtureScreen()
  let tall = Size(width: 100, height: 50)
  _ = play("5 + + v", &screen, &state, tall)
  let frame = text(screen, state, tall)
  #expect(frame.contains("├") && frame.contains("▲"))
}

@Test(arguments: [
  ("histogram-log-80x24", 80, 24, "5 + + o"), ("histogram-error-80x24", 80, 24, "5 + + h"),
  ("histogram-channels-80x24", 80, 24, "5 + + v !"), ("histogram-input-60x16", 60, 16, "5 w"),
  ("histogram-channels-120x36", 120, 36, "5 + + v"),
])
func histogramFrames(name: String, width: Int, height: Int, keys: String) throws {
  var state = try workbench()
  _ = state.update(.editDefaults(SettingsChange(weightBits: 4), title: "4 bits"))
  try describe(&state, nil)
  var screen = fixtureScreen()
  let size = Size(width: width, height: height)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}
