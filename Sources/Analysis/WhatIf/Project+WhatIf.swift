import Datasets
import Evaluation
import Execution
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

extension WhatIf {
  /// Samples whose values are kept, at most.
  package static let mostKept = 32
  /// Most bytes of values that are kept.
  package static let memoryLimit = 96 << 20
  /// Samples that layers alone and whole networks are scored on, at most.
  package static let mostScored = 64
  /// Whole networks that tell how costs of layers come together, and how much accuracy that takes.
  static let networks = 16
  /// What layers are measured like for a recipe: encoded as by default, on the samples that calibrate the recipe.
  package static func base(for recipe: Recipe) -> Recipe? {
    guard var base = Presets["static-int8"]?.recipe else { return nil }
    base.calibration = recipe.calibration
    return base
  }

  /// Widths at which each layer alone is measured.
  static let widths =
    [2, 3, 4, 6].map { Width(weightBits: $0, activationBits: nil) }
    + [4, 6, 8].map { Width(weightBits: nil, activationBits: $0) }
}

extension Project {
  /// Prepares for answering what recipes would come to.
  ///
  /// Runs on the samples that calibrate, never on those that only evaluate. Each layer alone is measured at some widths
  /// of its weights and of its input; then whole networks of mixed widths are, which tell what a predicted cost does to
  /// accuracy.
  ///
  /// - Parameter base: says how weights and activations are encoded, and which samples calibrate.
  /// - Errors: `WorkflowError` for a model without layers to quantize, or without a sample.
  package func whatIf(base given: Recipe, reporter: Reporter) throws -> WhatIf {
    var base = given.roundingToNearest.withoutReshaping
    base.choices = []
    let plan = plan([base])
    let calibration = try calibrationData(plan.source, recipe: base).map { $0.selecting(plan.kept[0]) }
    let source = calibration ?? data.selecting(Array(0..<Swift.min(base.calibration.samples, data.count)))
    guard source.count > 0 else { throw WorkflowError("\(dataPath ?? "--data"): has no samples.") }
    let sweep = SensitivitySweep(self, base: base, widths: WhatIf.widths)
    guard !sweep.layers.isEmpty else {
      throw WorkflowError("\(model.path): no layer can be quantized (found no constant weights).")
    }
    let ranges = WhatIfRanges(self, base: base, source: source)
    let calibrating = reporter.part(0...0.15)
    let observations = try ranges.observations(
      by: base.defaults.activations.observer, report: { try calibrating.report($0, $1) })
    let kept = try KeptValues(
      self, layers: Set(sweep.layers.map(\.node)), source: source, samples: WhatIf.mostKept,
      limit: WhatIf.memoryLimit)
    try reporter.report(0.15, "keeping \(kept.bytes >> 20) MiB of \(kept.samples) samples")
    var probes: [String: LayerProbe] = [:]
    let names = Set(sweep.layers.map(\.node))
    for node in model.graph.nodes where names.contains(node.name) {
      probes[node.name] = try LayerProbe(
        node, in: model.graph, known: kept.infos, batches: kept.batches)
    }
    let scored = source.selecting(Array(0..<Swift.min(WhatIf.mostScored, source.count)))
    let result = try sweep.run(observations, samples: scored, reporter: reporter.part(0.15...0.75))
    let noises = try sweep.noises(probes, ranges, reporter: reporter.part(0.75...0.85))
    var curves: [String: WhatIf.LayerCurves] = [:]
    for (index, layer) in sweep.layers.enumerated() {
      let points = sweep.options.indices.map { option in
        NoiseCurve.Point(
          noise: noises[index][option] ?? 0, cost: result.scores[index][option].distance)
      }
      curves[layer.node] = WhatIf.LayerCurves(
        weights: NoiseCurve(zip(points, sweep.options).filter { $1.weightBits != nil }.map(\.0)),
        activations: NoiseCurve(zip(points, sweep.options).filter { $1.weightBits == nil }.map(\.0)))
    }
    var whatIf = WhatIf(
      self, probes: probes, curves: curves, ranges: ranges,
      hasClasses: result.float32.meanDivergence != nil, kept: kept, scoredSamples: scored.count)
    try learnFromNetworks(&whatIf, base: base, samples: scored, reporter: reporter.part(0.85...1))
    return whatIf
  }

  /// Measures networks of mixed widths: they tell how costs of layers come together, and what that takes of top-1, or
  /// without labels of the answers that are as before.
  private func learnFromNetworks(
    _ whatIf: inout WhatIf, base: Recipe, samples: BoundDataset, reporter: Reporter
  ) throws {
    let judge = try Judge(self, samples)
    let layers = base.resolve(model.graph, infos: model.infos).layers.filter { $0.kind == .weighted }
    var sums: [LayerSum.Point] = []
    var drops: [Double] = []
    for number in 0..<WhatIf.networks {
      // From networks that lose next to nothing to those that lose all.
      let recipe = base.mixed(
        layers, weights: (2 + number % 5)...8, activations: (4 + number % 3)...8, seed: UInt64(number))
      let planned = recipe.planned(model.graph, infos: model.infos).filter { $0.settings.mode != .float }
      let observations = try whatIf.ranges.observations(by: base.defaults.activations.observer)
      let encoded = try quantize(
        model.graph, infos: model.infos, recipe: recipe, calibration: nil, observations: observations,
        threads: threads, report: { _, _ in }
      ).encoded
      let scores = try judge.scores(simulating: encoded)
      sums.append(
        LayerSum.Point(layers: try whatIf.layers(planned).layers.map(\.cost), cost: scores.distance))
      drops.append(
        scores.difference(from: judge.float32).map { -$0.delta }
          ?? scores.agreement(with: judge.float32).map { 1 - $0 } ?? 0)
      try reporter.report(
        Double(number + 1) / Double(WhatIf.networks), "network \(number + 1) of \(WhatIf.networks)")
    }
    let sum = LayerSum(sums)
    whatIf.sum = sum
    guard whatIf.hasClasses else { return }
    let guessing = 1 / Double(Swift.max(judge.classCount ?? 1, 1))
    let curve = DropCurve(
      zip(sums, drops).map { DropCurve.Point(cost: sum.cost($0.layers), drop: $1) },
      ceiling: (judge.float32.top1Share ?? 1) - guessing)
    whatIf.loss = curve.map { judge.float32.top1Share == nil ? .agreement($0) : .top1($0) }
  }
}

extension SensitivitySweep {
  /// What each layer alone, under each option, does to its own output as a share of it; `[layer][option]`, `nil` for
  /// layers without a probe.
  fileprivate func noises(
    _ probes: [String: LayerProbe], _ ranges: WhatIfRanges, reporter: Reporter
  ) throws -> [[Double?]] {
    let (graph, infos) = (project.model.graph, project.model.infos)
    return try layers.enumerated().map { index, layer in
      let noises = try options.map { option -> Double? in
        guard let probe = probes[layer.node] else { return nil }
        let recipe = base.alone(LayerIdentity(layer), as: option)
        guard let planned = recipe.planned(graph, infos: infos).first(where: { $0.layer.node == layer.node })
        else { return nil }
        var encoded = try probe.encoded(
          planned, ranges.observations(for: planned), threads: project.threads)
        if option.weightBits == nil { (encoded.weights, encoded.biases) = ([:], [:]) }
        let noise = try probe.noise(encoded, threads: project.threads)
        return option.weightBits == nil ? noise.activationShare : noise.weightShare
      }
      try reporter.report(Double(index + 1) / Double(layers.count), "noise of layer \(index + 1)")
      return noises
    }
  }
}
