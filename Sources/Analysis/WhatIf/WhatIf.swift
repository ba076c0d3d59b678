import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

/// Answers at once what a changed recipe would come to.
///
/// Prepared once for a model and its data: what every layer reads in float32 on some samples is kept, and how much of
/// the network's output noise at each layer costs is measured. A recipe then costs (Σ cᵖ)^(1/p) over what its layers
/// cost alone, with p of whole networks that were measured (`LayerSum`); a layer whose settings are new is run by itself
/// on what was kept, and no other. What sums of residual branches lose by their 8 bits or more is not counted.
package struct WhatIf: Sendable {
  let project: Project
  let probes: [String: LayerProbe]
  let curves: [String: LayerCurves]
  let ranges: WhatIfRanges
  let hasClasses: Bool
  /// How costs of layers come together.
  package internal(set) var sum = LayerSum()
  /// What a predicted cost takes; `nil` without class scores.
  var loss: Loss?
  /// Samples that are kept, and scored.
  package let keptSamples: Int
  package let scoredSamples: Int
  /// Of the values kept.
  package let keptBytes: Int
  private let float: Sizes
  private let known = Locked<[Key: LayerNoise]>([:])

  /// From predicted cost to what is lost.
  enum Loss {
    case top1(DropCurve)
    /// Where there are no labels.
    case agreement(DropCurve)
  }

  /// What noise in a layer's weights and in its input costs.
  struct LayerCurves: Sendable {
    var weights: NoiseCurve
    var activations: NoiseCurve

    func cost(_ noise: LayerNoise) -> Double {
      weights.cost(noise.weightShare) + activations.cost(noise.activationShare)
    }
  }

  /// All that a layer's noise depends on.
  private struct Key: Hashable {
    var node: String
    var settings: LayerSettings
    var root: ValueName?
  }

  /// Layers whose noise is remembered, each in many forms.
  private static let mostKnown = 20_000
  /// Multiply–adds of GPTQ's factor of a layer's moments that an answer has time for.
  private static let mostOfGPTQ = 60e6

  init(
    _ project: Project, probes: [String: LayerProbe], curves: [String: LayerCurves], ranges: WhatIfRanges,
    hasClasses: Bool, kept: KeptValues, scoredSamples: Int
  ) {
    self.project = project
    self.probes = probes
    self.curves = curves
    self.ranges = ranges
    self.hasClasses = hasClasses
    keptSamples = kept.samples
    keptBytes = kept.bytes
    self.scoredSamples = scoredSamples
    float = Sizes(project.model.graph, infos: project.model.infos)
  }

  /// What a recipe would come to.
  ///
  /// - Parameter times: of steps that were timed, for latency.
  package func predict(_ recipe: Recipe, times: LayerTimes = LayerTimes()) throws -> Prediction {
    let model = project.model
    let all = recipe.planned(model.graph, infos: model.infos)
    let planned = all.filter { $0.settings.mode != .float }
    let (layers, cost) = try layers(planned)
    let sizes = try recipe.sizes(model.graph, infos: model.infos, threads: project.threads)
    let latency = times.latency(all.map(\.layer))
    return Prediction(
      layers: layers, cost: cost, kl: hasClasses ? cost : nil,
      sqnrDb: hasClasses || cost <= 0 ? nil : -10 * log10(cost), top1Delta: top1Delta(cost),
      agreement: agreement(cost),
      weightBytes: sizes.weightBytes, packedBytes: sizes.packedBytes,
      compression: Double(float.weightBytes) / Double(Swift.max(sizes.weightBytes, 1)),
      bitsPerWeight: sizes.bitsPerWeight, latencyMs: latency?.ms,
      speedup: latency.flatMap { $0.ms > 0 ? $0.float32 / $0.ms : nil }, notes: notes(recipe, planned, layers)
    )
  }

  private func top1Delta(_ cost: Double) -> Double? {
    if case .top1(let curve) = loss { -curve.drop(cost) } else { nil }
  }

  private func agreement(_ cost: Double) -> Double? {
    if case .agreement(let curve) = loss { 1 - curve.drop(cost) } else { nil }
  }

  /// What each layer is predicted to cost, and all together; nothing is lost by layers without a probe.

  func layers(_ planned: [PlannedLayer]) throws -> (layers: [Prediction.Layer], cost: Double) {
    let answerable = planned.map(Self.answerable)
    let layers = try zip(zip(planned, answerable), noises(answerable)).compactMap { planned, noise in
      noise.map { noise in
        Prediction.Layer(
          name: planned.0.layer.node, sqnrDb: noise.sqnrDb,
          cost: curves[planned.0.layer.node]?.cost(noise) ?? 0,
          isOfNearest: planned.0 == planned.1 ? nil : true)
      }
    }
    return (layers, sum.cost(layers.map(\.cost)))
  }

  private func noises(_ planned: [PlannedLayer]) throws -> [LayerNoise?] {
    let keys = planned.map { Key(node: $0.layer.node, settings: $0.settings, root: $0.root) }
    let found = known.withLock { known in keys.map { known[$0] } }
    let missing = found.indices.filter { found[$0] == nil && probes[keys[$0].node] != nil }
    guard !missing.isEmpty else { return found }
    // One layer takes all threads, several one each.
    let isAlone = missing.count == 1
    let computed = Locked<[Int: Result<LayerNoise, any Error>]>([:])
    parallel(missing.count, grain: 1, threads: project.threads) { places in
      for place in places {
        let index = missing[place]
        let noise = Result { try compute(planned[index], threads: isAlone ? project.threads : 1) }
        computed.withLock { $0[index] = noise }
      }
    }
    var result = found
    for (index, noise) in computed.withLock({ $0 }) { result[index] = try noise.get() }
    known.withLock { known in
      if known.count > Self.mostKnown { known = [:] }
      for index in missing { known[keys[index]] = result[index] }
    }
    return result
  }

  private func compute(_ planned: PlannedLayer, threads: Int) throws -> LayerNoise {
    guard let probe = probes[planned.layer.node] else { return LayerNoise() }
    return try probe.noise(
      probe.encoded(planned, ranges.observations(for: planned), threads: threads), threads: threads)
  }

  /// The layer rounded to nearest where its own way takes longer than an answer may.
  private static func answerable(_ planned: PlannedLayer) -> PlannedLayer {
    var result = planned
    switch planned.settings.weights.method {
    case .nearest, .imatrix: break
    case .gptq:
      let features = planned.layer.weights.map { weight in
        Double(weight.elements / Swift.max(weight.shape[weight.role.channelAxis], 1))
      }
      let work = features.reduce(0) { $0 + $1 * $1 * $1 }
      if work > mostOfGPTQ { result.settings.weights.method = .nearest }
    case .adaRound, .hqq: result.settings.weights.method = .nearest
    }
    return result
  }

  private func notes(
    _ recipe: Recipe, _ planned: [PlannedLayer], _ layers: [Prediction.Layer]
  ) -> [String] {
    var notes: [String] = []
    let nearest = layers.count { $0.isOfNearest == true }
    if nearest > 0 {
      notes.append(
        "rounding as asked takes too long in \(nearest) layers: these are predicted for nearest")
    }
    let reshaping = recipe.reshapingCorrections
    if !reshaping.isEmpty {
      notes.append("predicted, sizes too, without \(reshaping.map(\.rawValue).joined(separator: ", "))")
    }
    if !recipe.choices.isEmpty { notes.append("predicted as the recipe is before its choices are made") }
    if planned.contains(where: { $0.settings.mode == .qat }) { notes.append("predicted before training") }
    let unknown = planned.filter { probes[$0.layer.node] == nil }
    if !unknown.isEmpty {
      notes.append(
        "not counted, their sizes depend on data: \(unknown.map(\.layer.node).joined(separator: ", "))")
    }
    return notes
  }
}
