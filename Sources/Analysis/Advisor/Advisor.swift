import Datasets
import Foundation
import Glibc
import Graph
import Jobs
import Quantization
import Workflows

extension Project {
  /// Measures what an advice needs, and draws it.
  ///
  /// Float32 beside the presets of `Advisor.presets`, each layer alone, and the first preset without its most costly
  /// layers; the machine's peaks. Times are taken in one loop.
  ///
  /// - Parameters:
  ///   - target: a runtime whose demands the advised candidate is held against.
  ///   - limit: most samples that evaluate.
  ///   - peaks: what the machine can do, where that was measured before.
  package func advise(
    target: DeploymentTarget? = nil, limit: Int? = nil, seed: UInt64? = nil, peaks known: Peaks? = nil,
    reporter: Reporter
  ) throws -> Advice {
    let peaks = try known ?? reporter.alone { Peaks.measure(threads: threads) }
    var recipes = Advisor.recipes(seed: seed)
    let convergence = try calibrationConvergence(of: recipes[0].recipe, reporter: reporter.part(0...0.1))
    let spared = try spare(recipes[0], reporter: reporter.part(0.1...0.3))
    if let recipe = spared?.recipe { recipes.append(recipe) }
    let compared = try compare(recipes, limit: limit, reporter: reporter.part(0.3...1))
    let evidence = Evidence(
      comparison: compared.report, peaks: peaks, instructions: .current, kernelLevel: kernelLevel,
      layerCosts: spared?.costs ?? [], layerCostsOf: spared == nil ? nil : recipes[0].name,
      layerCostSamples: Swift.min(Advisor.costSamples, (trainData ?? data).count),
      spared: spared.flatMap { spared in
        spared.recipe.map { Evidence.Spared(candidate: $0.name, layers: spared.layers) }
      }, convergence: convergence, loadAverage: Advisor.loadAverage, hasData: !data.isSynthetic)
    var advice = Verdict(evidence).advice
    advice.recipe = recipes.first { $0.name == advice.candidate }?.recipe
    if let target {
      let name = advice.candidate ?? recipes[0].name
      if let prepared = compared.prepared.first(where: { $0.name == name }) {
        advice.lint = Advice.Lint(
          target: target.name, candidate: name, source: target.source,
          findings: target.lint(prepared.candidate, of: model, instructions: evidence.instructions))
      }
    }
    return advice
  }

  /// What each layer of a preset costs alone, and the preset with the most costly ones in float.
  ///
  /// `nil` without data; no recipe where there are too few layers to tell one from another.
  private func spare(
    _ base: (name: String, recipe: Recipe), reporter: Reporter
  ) throws -> (costs: [LayerCost], layers: [String], recipe: (name: String, recipe: Recipe)?)? {
    guard !data.isSynthetic else { return nil }
    let candidate = try prepare(base.recipe, name: base.name, reporter: reporter.part(0...0.4))
    let costs = try layerCosts(candidate, samples: Advisor.costSamples, reporter: reporter.part(0.4...1))
    let layers = Advisor.mostCostly(costs)
    guard !layers.isEmpty else { return (costs, [], nil) }
    var recipe = base.recipe
    let chosen = Set(layers)
    recipe.set(
      SettingsChange(mode: .float),
      for: candidate.resolution.layers.filter { chosen.contains($0.node) }.map { LayerIdentity($0) })
    let name = "\(base.name), \(layers.count) \(layers.count == 1 ? "layer" : "layers") in float"
    recipe.name = name
    return (costs, layers, (name, recipe))
  }
}

/// What the advisor looks at.
package enum Advisor {
  /// Samples that each layer alone is judged on.
  static let costSamples = 16

  /// Tried in this order; the first is the one whose layers are looked at one by one.
  static let presets = ["static-int8", "dynamic-int8", "weight-int8", "weight-int4"]

  static func recipes(seed: UInt64?) -> [(name: String, recipe: Recipe)] {
    presets.compactMap { Presets[$0] }.map { preset in
      var recipe = preset.recipe
      if let seed { recipe.calibration.seed = seed }
      return (preset.name, recipe)
    }
  }

  /// The layers that cause half of the noise, where those are few: at most a tenth of all, and at least one.
  static func mostCostly(_ costs: [LayerCost]) -> [String] {
    guard costs.count >= 3 else { return [] }
    let most = Swift.max(1, costs.count / 10)
    var layers: [String] = []
    var share = 0.0
    for cost in costs.prefix(most) where share < 0.5 {
      layers.append(cost.layer)
      share += cost.noiseShare
    }
    return layers
  }

  /// Processes that wanted to run, averaged over the last minute; `nil` where the system does not say.
  static var loadAverage: Double? {
    var averages = [0.0]
    return getloadavg(&averages, 1) == 1 ? averages[0] : nil
  }
}
