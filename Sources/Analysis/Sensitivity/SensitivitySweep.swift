import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors
import Workflows

/// Measures what quantizing each layer alone costs, in several ways.
///
/// The graph is cut in front of every layer. What crosses a cut is computed once in float32 and kept; for each option
/// only the part from the layer to the next cut is computed as simulated, and one program of the rest serves all options.
/// Batches go through layer by layer from input to output, so that at any time the values of one cut are in memory; where
/// those of all samples are more than the limit, samples are taken in chunks.
///
/// Results depend on neither threads nor chunks.
package struct SensitivitySweep: Sendable {
  package let project: Project
  /// Says how weights and activations are encoded; its widths, modes, rounding and corrections do not count, except that
  /// what it leaves in float32 is no layer of the sweep.
  package let base: Recipe
  package let options: [LayerOption]
  /// In the order of the nodes.
  package let layers: [ResolvedLayer]
  /// Most bytes of values kept at the cuts, programs and their memory; one batch per thread is worked on in any case.
  package var memoryLimit = 512 << 20
  /// Weights that were rounded before, by option and value: they take the place of those rounded to nearest.
  package var rounded: [LayerOption: [ValueName: EncodedTensor]] = [:]

  /// - Parameter project: over the network that the recipe's corrections reshape (`Project.reshaped`).
  package init(_ project: Project, base: Recipe, widths: [Width]) {
    self.init(project, base: base, options: widths.map(\.option))
  }

  package init(_ project: Project, base: Recipe, options: [LayerOption]) {
    self.project = project
    self.base = base.withoutReshaping
    self.options = options
    layers = base.resolve(project.model.graph, infos: project.model.infos).layers.filter {
      $0.kind == .weighted && $0.effective.mode != .float
    }
  }

  /// What was scored, and what it took.
  package struct Result: Sendable {
    package var float32 = Scores()
    /// `[layer][option]`.
    package var scores: [[Scores]]
    package var predictedPeakBytes = 0
    /// Multiply–adds done in all, those a transformed convolution saves not counted.
    package var multiplyAdds = 0.0
    /// Seconds of the runs, without calibration.
    package var seconds = 0.0
  }

  /// Recipes of all layers and options: what calibration has to watch for.
  var recipes: [Recipe] {
    layers.flatMap { layer in options.map { base.alone(LayerIdentity(layer), as: $0) } }
  }

  /// Calibrates once, then measures.
  ///
  /// - Parameters:
  ///   - calibration: samples for the ranges; may be `nil` where all options are of weights.
  ///   - samples: those that are scored.
  package func run(
    calibration: BoundDataset?, samples: BoundDataset, reporter: Reporter
  ) throws -> Result {
    let calibrating = reporter.part(0...0.1)
    let observations = try Observations(
      project.model.graph, infos: project.model.infos, recipes: recipes, source: calibration,
      threads: project.threads, report: { try calibrating.report($0, $1) })
    return try run(observations, samples: samples, reporter: reporter.part(0.1...1))
  }

  /// Measures with ranges from what calibration saw.
  package func run(
    _ observations: Observations, samples: BoundDataset, reporter: Reporter
  ) throws -> Result {
    var result = Result(scores: layers.map { _ in options.map { _ in Scores() } })
    guard samples.count > 0, !layers.isEmpty else { return result }
    let started = ContinuousClock.now
    let cuts = try SensitivityCuts(
      project.model, layers: layers.map(\.node), lanes: project.threads, limit: memoryLimit)
    let batches = (samples.count + cuts.batch - 1) / cuts.batch
    let chunk = cuts.batchesPerChunk(batches)
    result.predictedPeakBytes = cuts.predictedBytes(batches: chunk)
    let chunks = stride(from: 0, to: batches, by: chunk).map { $0..<Swift.min($0 + chunk, batches) }
    try reporter.report(0, "at most \(result.predictedPeakBytes >> 20) MiB at a time")
    for (index, range) in chunks.enumerated() {
      let share = 1 / Double(chunks.count)
      let part = reporter.part(Double(index) * share...Swift.min(1, Double(index + 1) * share))
      try measure(range, of: samples, cuts, observations, into: &result, reporter: part)
    }
    result.seconds = (ContinuousClock.now - started) / .seconds(1)
    return result
  }

  /// One batch at a cut.
  private struct Batch: Sendable {
    var samples: [Int]
    /// What crosses the cut.
    var values: [ValueName: Tensor]
    /// float32's outputs.
    var expected: [Tensor]
  }

  private func measure(
    _ range: Range<Int>, of samples: BoundDataset, _ cuts: SensitivityCuts, _ observations: Observations,
    into result: inout Result, reporter: Reporter
  ) throws {
    let classes = project.model.classOutput(named: samples.answerOutput, in: cuts.whole.program.outputs)
    @Sendable func scored(_ outputs: [Tensor], _ batch: Batch) -> Scores {
      var scores = Scores()
      scores.add(
        outputs, reference: batch.expected, classes: classes,
        labels: samples.labels(of: batch.samples), count: batch.samples.count)
      return scores
    }
    let lanes = project.threads
    let first = try Lanes(lanes) {
      (whole: try cuts.runner(), advance: try cuts.stretch(nil, from: .inputs, to: .layer(0)))
    }
    var batches = try first.map(range) { tools, number in
      let start = number * cuts.batch
      let chosen = Array(start..<Swift.min(start + cuts.batch, samples.count))
      let inputs = try samples.batch(tools.whole.fill(chosen))
      let expected = try tools.whole.run(inputs, count: chosen.count)
      return Batch(samples: chosen, values: try tools.advance.copies(inputs), expected: expected)
    }
    result.multiplyAdds += Double(batches.count) * cuts.whole.program.multiplyAdds
    for batch in batches { result.float32.append(scored(batch.expected, batch)) }

    for (index, layer) in layers.enumerated() {
      let variants = try options.map { try simulated(encoded(layer, as: $0, observations)) }
      let next = SensitivityCuts.Place.after(layer: index, of: layers.count)
      let tools = try Lanes(lanes) {
        LayerPrograms(
          variants: try variants.map { try cuts.stretch($0, from: .layer(index), to: next) },
          rest: try cuts.stretch(nil, from: next, to: .outputs),
          advance: try cuts.stretch(nil, from: .layer(index), to: next))
      }
      // A report after each few batches, from this thread: whoever wants to time alone must find all lanes at rest.
      for start in stride(from: 0, to: batches.count, by: 4 * lanes) {
        let end = Swift.min(start + 4 * lanes, batches.count)
        let done = try tools.map(start..<end) { [batches] programs, number in
          let batch = batches[number]
          let scores = try programs.variants.map { variant in
            let values = try programs.rest.run(try variant.run(batch.values))
            return scored(
              cuts.outputs(values).map { cuts.whole.leading(batch.samples.count, of: $0) }, batch)
          }
          return (scores: scores, values: try programs.advance.copies(batch.values))
        }
        for (offset, outcome) in done.enumerated() {
          batches[start + offset].values = outcome.values
          for option in options.indices { result.scores[index][option].append(outcome.scores[option]) }
        }
        let fraction = (Double(index) + Double(end) / Double(batches.count)) / Double(layers.count)
        try reporter.report(fraction, "layer \(index + 1) of \(layers.count)")
      }
      result.multiplyAdds += Double(batches.count) * tools.first.multiplyAdds
    }
  }

  /// The network with one layer quantized, and nothing else.
  package func encoded(
    _ layer: ResolvedLayer, as option: LayerOption, _ observations: Observations
  ) throws -> EncodedGraph {
    let candidate = try quantize(
      project.model.graph, infos: project.model.infos, recipe: base.alone(LayerIdentity(layer), as: option),
      calibration: nil, observations: observations, threads: 1, report: { _, _ in })
    var encoded = candidate.encoded
    if option.weightBits == nil {
      encoded.weights = [:]
      encoded.biases = [:]
    } else {
      encoded.take(rounded[option] ?? [:], of: layer)
    }
    return encoded
  }

  private struct LayerPrograms: Sendable {
    /// From the cut before the layer to the next, by option.
    var variants: [Stretch]
    /// From there to the outputs.
    var rest: Stretch
    /// From the cut before the layer to the next, in float32.
    var advance: Stretch

    var multiplyAdds: Double {
      variants.reduce(advance.multiplyAdds) { $0 + $1.multiplyAdds + rest.multiplyAdds }
    }
  }
}

extension EncodedGraph {
  /// Takes a layer's codes from those rounded in another way, where they have the scales this graph has, so that its
  /// biases stay right.
  mutating func take(_ rounded: [ValueName: EncodedTensor], of layer: ResolvedLayer) {
    for weight in layer.weights {
      if let other = rounded[weight.value], weights[weight.value]?.encoding == other.encoding {
        weights[weight.value] = other
      }
    }
  }
}
