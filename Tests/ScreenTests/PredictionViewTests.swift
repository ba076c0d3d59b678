import Analysis
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench
import Workflows

/// A workbench whose edited candidate is predicted, by made-up figures.
func fixturePredictedView(_ glyphs: Glyphs = .unicode) throws -> (Screen, State, Recipe) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(glyphs)
  let recipe = try #require(state.currentEntry).recipe.key
  _ = screen.apply(.whatIfStarted(JobID(8)), &state)
  #expect(screen.apply(.whatIfReady, &state).contains(.effect(.predict(recipe, LayerTimes()))))
  let prediction = Prediction(
    layers: [
      Prediction.Layer(name: "block/depthwise", sqnrDb: 24.3, cost: 0.013),
      Prediction.Layer(name: "block/pointwise", sqnrDb: 17.8, cost: 0.058, isOfNearest: true),
      Prediction.Layer(name: "dense", sqnrDb: 22.1, cost: 0.021),
    ], cost: 0.092, kl: 0.092, top1Delta: -0.0312, weightBytes: 5_720, packedBytes: 5_720,
    compression: 5.42, bitsPerWeight: 8.9)
  _ = screen.apply(.predicted(recipe, prediction), &state)
  return (screen, state, recipe)
}

@Test(arguments: [false, true]) func predictedFiguresAreMarked(isASCII: Bool) throws {
  let size = Size(width: 120, height: 36)
  let (screen, state, _) = try fixturePredictedView(isASCII ? Glyphs(.ascii) : .unicode)
  let text = screen.draw(state, size: size).text()
  let mark = isASCII ? "~" : "≈"
  #expect(
    text.contains("\(mark)91.08") && text.contains("\(mark)-3.12") && text.contains("\(mark) output 17.8 dB"))
}

@Test func measuredFiguresTakeThePlaceOfPredictedOnes() throws {
  let size = Size(width: 120, height: 36)
  var (screen, state, recipe) = try fixturePredictedView()
  let id = try #require(state.current)
  _ = screen.apply(
    .measured(
      id, recipe: recipe,
      Measurement(
        float32: try #require(state.float32),
        candidates: [
          fixtureTrial(
            "weight-int4", execution: .simulated, top1: 0.905, delta: -0.037, bytes: 5_720, ms: 0.33)
        ], roles: "", fraction: 1)), &state)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("90.50") && text.contains("-3.70"))
  #expect(!text.contains("≈") && !text.contains("91.08") && !text.contains("output 17.8 dB"))
}
