import Jobs
import Quantization
import Testing
import Workbench
import Workflows

/// What is told of all layers after a run is what the histogram shows of each.
@Test func clippedInputsAreThoseOfTheHistogram() throws {
  var project = try Project(model: fixtureModel(), threads: 1)
  project.kernelLevel = "scalar"
  var recipe = try #require(Presets["static-int8"]).recipe
  recipe.calibration.samples = 8
  recipe.defaults.activations.observer = .percentile(90)
  let candidate = try project.prepare(recipe, name: "A", reporter: Reporter(report: { _, _ in }))
  let shares = candidate.clippedInputs
  for layer in ["stem/conv", "block/depthwise", "block/pointwise", "dense"] {
    let detail = try LayerDetail(layer: layer, recipe: recipe.key, project: project, candidate: candidate)
    let share = try #require(shares[layer])
    #expect(share == detail.input?.grid?.clipped)
    #expect((0.01...0.2).contains(share), "a tenth lies outside by the observer")
  }
}
